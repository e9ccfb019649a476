"""Two who edit one design: fields of the other are kept, and the same field in two ways is a conflict."""

from itertools import pairwise

import pytest
from django.db import connection

from core import replica
from core.models import AuditEntry
from designs.models import Design, Favourite
from tests.api.client import ApiClient, refused
from tests.factories.designs import DesignFactory
from tests.factories.uploads import ImageFactory
from tests.races import Meanwhile, at_once

ROUNDS = 6
on_d1 = pytest.mark.skipif(not replica.is_used(), reason="only D1 with its replica (TEST_ENGINE=d1)")


@pytest.fixture
def admin():
    return ApiClient.admin()


@pytest.fixture
def other():
    return ApiClient.admin()


@pytest.fixture
def path():
    design = DesignFactory(title="First", colour="Red", style="Plain")
    return f"/api/designs/{design.pk}"


def conflict(response):
    """The sentences of an edit_conflict by field, and the design as it is now."""
    return refused(response, 409, "edit_conflict", "current"), response.json()["current"]


@pytest.mark.django_db
class TestAnOlderVersion:
    def test_conflicts_where_another_changed_the_same_field(self, admin, other, path):
        other.put(path, {"title": "Theirs", "colour": "Blue"})
        errors, current = conflict(admin.put(path, {"title": "Mine", "style": "Folk", "version": 1}))
        assert list(errors) == ["title"]
        assert other.user.username in errors["title"][0]
        assert f"{AuditEntry.objects.get().created_at:%Y}" in errors["title"][0]
        assert current == admin.get(path).json()
        assert (current["title"], current["style"], current["version"]) == ("Theirs", "Plain", 2)
        assert AuditEntry.objects.count() == 1

    def test_names_who_changed_each_field_last(self, admin, other, path):
        other.put(path, {"title": "Theirs", "colour": "Blue"})
        admin.put(path, {"colour": "Green"})
        errors, _ = conflict(admin.put(path, {"title": "A", "colour": "B", "version": 1}))
        assert other.user.username in errors["title"][0]
        assert admin.user.username in errors["colour"][0]

    def test_is_the_callers_own_other_device_too(self, admin, path):
        admin.put(path, {"title": "On the tablet"})
        conflict(admin.put(path, {"title": "On the phone", "version": 1}))

    def test_keeps_what_others_changed_elsewhere(self, admin, other, path):
        other.put(path, {"title": "Theirs"})
        body = admin.put(path, {"colour": "Blue", "version": 1}).json()
        assert (body["title"], body["colour"], body["version"]) == ("Theirs", "Blue", 3)

    def test_does_not_conflict_about_the_same_value(self, admin, other, path):
        other.put(path, {"title": "Same"})
        body = admin.put(path, {"title": "Same", "colour": "Blue", "version": 1}).json()
        assert (body["colour"], body["version"]) == ("Blue", 3)
        assert admin.put(path, {"title": "Same", "version": 1}).json()["version"] == 3

    def test_does_not_conflict_where_the_field_is_what_it_was(self, admin, other, path):
        other.put(path, {"title": "Theirs"})
        other.put(path, {"title": "First"})
        assert admin.put(path, {"title": "Mine", "version": 1}).json()["title"] == "Mine"

    def test_conflicts_about_pictures(self, admin, other, path):
        other.put(path, {"r2_object_key": ImageFactory().object_key})
        sent = {"r2_object_key": ImageFactory().object_key, "version": 1}
        assert list(conflict(admin.put(path, sent))[0]) == ["r2_object_key"]

    def test_conflicts_with_a_restore(self, admin, other, path):
        other.put(path, {"title": "Theirs"})
        other.post(f"{path}/restore", {"version": 1})
        errors, _ = conflict(admin.put(path, {"title": "Mine", "version": 2}))
        assert list(errors) == ["title"]

    def test_survives_the_trash(self, admin, other, path):
        other.delete(path)
        other.post(f"{path}/restore")
        assert admin.put(path, {"status": "draft", "version": 1}).json()["version"] == 4


@pytest.mark.django_db
class TestTheVersionSent:
    def test_may_be_the_newest_or_none(self, admin, path):
        assert admin.put(path, {"title": "Second", "version": 1}).json()["version"] == 2
        assert admin.put(path, {"title": "Third"}).json()["version"] == 3

    @pytest.mark.parametrize("version", [2, 10**30])
    def test_conflicts_where_the_design_never_had_it(self, admin, path, version):
        for body in ({"title": "New"}, {}):
            errors, current = conflict(admin.put(path, body | {"version": version}))
            assert list(errors) == ["version"]
            assert current["version"] == 1

    @pytest.mark.parametrize("version", [0, -1, "1", 1.0, 1.5, True, None, [], {}])
    def test_is_a_whole_number(self, admin, path, version):
        errors = refused(admin.put(path, {"title": "New", "version": version}), 400, "invalid")
        assert set(errors) == {"version"}
        assert Design.objects.get().title == "First"


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def put(self, client, path, **fields):
        return lambda: client.put(path, fields)

    def test_each_edit_makes_one_version(self, path):
        admins = [ApiClient.admin() for _ in range(6)]
        answers = at_once(
            *(self.put(client, path, title=f"Title {number}") for number, client in enumerate(admins))
        )
        assert [answer.status_code for answer in answers] == [200] * 6, [a.content for a in answers]
        assert sorted(answer.json()["version"] for answer in answers) == [2, 3, 4, 5, 6, 7]
        lines = AuditEntry.objects.order_by("version").values_list("version", "changes")
        assert [version for version, _ in lines] == [2, 3, 4, 5, 6, 7]
        values = ["First", *(changes["title"][1] for _, changes in lines)]
        assert [tuple(changes["title"]) for _, changes in lines] == list(pairwise(values))

    def test_of_two_with_one_version_one_conflicts(self, admin, other):
        for _ in range(ROUNDS):
            path = f"/api/designs/{DesignFactory().pk}"
            answers = at_once(
                self.put(admin, path, title="A", version=1), self.put(other, path, title="B", version=1)
            )
            assert sorted(answer.status_code for answer in answers) == [200, 409]
            (lost,) = (answer for answer in answers if answer.status_code == 409)
            assert list(conflict(lost)[0]) == ["title"]

    def test_two_fields_with_one_version_are_both_kept(self, admin, other):
        for _ in range(ROUNDS):
            path = f"/api/designs/{DesignFactory().pk}"
            answers = at_once(
                self.put(admin, path, title="A", version=1), self.put(other, path, colour="B", version=1)
            )
            assert [answer.status_code for answer in answers] == [200, 200]
            body = admin.get(path).json()
            assert (body["title"], body["colour"], body["version"]) == ("A", "B", 3)

    PAIRS = {
        "delete, put": (("delete", "", None), ("put", "", {"title": "B", "version": 1}), {200, 404}),
        "delete, delete": (("delete", "", None), ("delete", "", None), {200, 404}),
        "delete, purge": (("delete", "", None), ("delete", "?purge=true", None), {200, 404}),
        "delete, like": (("delete", "", None), ("post", "/favorite", None), {200, 404}),
        "restore, restore": (("post", "/restore", None), ("post", "/restore", None), {200}),
        "restore, purge": (("post", "/restore", None), ("delete", "?purge=true", None), {200, 404}),
        "restore, delete": (("post", "/restore", None), ("delete", "", None), {200, 404}),
        "restore, put": (("post", "/restore", None), ("put", "", {"title": "B"}), {200, 404}),
        "purge, purge": (("delete", "?purge=true", None), ("delete", "?purge=true", None), {200, 404}),
    }

    @pytest.mark.parametrize("pair", PAIRS)
    def test_one_of_a_pair_wins_and_the_other_answers_what_it_finds(self, admin, other, pair):
        one, two, allowed = self.PAIRS[pair]
        for _ in range(ROUNDS):
            design = DesignFactory()
            path = f"/api/designs/{design.pk}"
            if pair.startswith("restore"):
                admin.delete(path)

            def call(client, method, more, body):
                return lambda: getattr(client, method)(path + more, body)  # noqa: B023

            answers = at_once(call(admin, *one), call(other, *two))
            statuses = [answer.status_code for answer in answers]
            assert set(statuses) <= allowed, [answer.content for answer in answers]
            assert 200 in statuses
            stored = Design.objects.filter(pk=design.pk).first()
            lines = AuditEntry.objects.filter(object_id=str(design.pk), version__isnull=False)
            if stored is not None:
                assert [*lines.order_by("version").values_list("version", flat=True)] == [
                    *range(2, stored.version + 1)
                ]
            if pair == "delete, like":
                assert Favourite.objects.filter(design=design).exists() is (statuses[1] == 200)

    def test_a_picture_deleted_during_a_restore_is_gone(self, admin, other, path, monkeypatch):
        first = Design.objects.get().image_id
        admin.put(path, {"r2_object_key": ImageFactory().object_key})
        deletion = Meanwhile(
            monkeypatch,
            "designs.services.without_pictures",
            lambda: other.delete(f"/api/upload/image/{first}"),
        )
        refused(admin.post(f"{path}/restore", {"version": 1}), 409, "image_gone")
        assert deletion.answer().status_code == 200


@on_d1
@pytest.mark.django_db(transaction=True)
class TestRoundTrips:
    def cost(self, call):
        before = connection.round_trips
        response = call()
        assert response.status_code == 200, response.content
        return connection.round_trips - before

    def test_of_each_write_are_one(self, admin, path):
        admin.put(path, {"title": "Second"})
        for call, cost in (
            (lambda: admin.put(path, {"title": "Third"}), 1),
            (lambda: admin.put(path, {"title": "Fourth", "version": 3}), 1),
            (lambda: admin.put(path, {"colour": "Blue", "version": 1}), 1),  # a merge
            (lambda: admin.put(path, {"colour": "Blue"}), 1),  # nothing changes: D1 is asked
            (lambda: admin.delete(path), 1),
            (lambda: admin.post(f"{path}/restore"), 1),
            (lambda: admin.post(f"{path}/restore", {"version": 2}), 2),  # and the trail is read
            (lambda: admin.get(f"{path}/versions"), 1),
            (lambda: admin.get(path), 0),
            (lambda: admin.get("/api/designs", status="deleted"), 0),
            (lambda: admin.delete(f"{path}?purge=true"), 1),
        ):
            assert self.cost(call) == cost

    def test_what_another_host_changed_is_seen_by_a_change_of_nothing(self, admin, path):
        self.elsewhere(admin, "UPDATE designs SET title = 'Theirs', version = 2")
        body = admin.put(path, {"title": "First"}).json()
        assert (body["title"], body["version"]) == ("First", 3)

    def test_a_version_of_another_host_is_known(self, admin, path):
        self.elsewhere(admin, "UPDATE designs SET title = 'Theirs', version = 2")
        assert admin.put(path, {"colour": "Blue", "version": 2}).json()["version"] == 3

    def elsewhere(self, admin, sql):
        """Change D1 behind this host's back."""
        admin.get("/api/auth/me")  # the copy is fresh
        session = connection.connection.session
        session.api.batch(session.database, [(sql, [])])
