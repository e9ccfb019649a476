"""The trash: what a deletion hides, a restore brings back, and a purge ends."""

from collections import Counter
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from core.models import AuditEntry
from designs.counters import write_counts
from designs.models import DailyCount, Design, Favourite
from tests.api.client import ApiClient, refused
from tests.factories.designs import DailyCountFactory, DesignFactory, FavouriteFactory

pytestmark = pytest.mark.django_db

LIST = "/api/designs"
TODAY = timezone.now().date()


@pytest.fixture
def admin():
    return ApiClient.admin()


@pytest.fixture
def design():
    """A design that somebody likes and has seen."""
    design = FavouriteFactory(
        design__title="Patola in red", design__fabric="Silk", design__featured=True
    ).design
    DailyCountFactory(design=design, day=TODAY, views=3)
    Design.objects.filter(pk=design.pk).update(view_count=3)
    return design


@pytest.fixture
def path(design):
    return f"{LIST}/{design.pk}"


def titles(response):
    return [item["title"] for item in response.json()["items"]]


class TestADeletion:
    def test_puts_the_design_into_the_trash_with_what_it_has(self, admin, design, path):
        before = admin.get(path).json()
        assert admin.delete(path).json()["success"] is True
        body = admin.get(path).json()
        changed = {"status": "deleted", "version": 2, "updated_at": body["updated_at"]}
        assert body == before | changed
        assert Favourite.objects.count() == DailyCount.objects.count() == 1
        line = AuditEntry.objects.get()
        assert (line.action, line.version, line.changes) == (
            "design.delete", 2, {"status": ["published", "deleted"]},
        )  # fmt: skip

    def test_keeps_the_picture_in_use(self, admin, design, path):
        admin.delete(path)
        assert admin.get("/api/upload/images").json()["items"][0]["in_use"] is True
        refused(admin.delete(f"/api/upload/image/{design.image_id}"), 409, "image_in_use")

    def test_leaves_nothing_to_change_like_or_delete(self, admin, path):
        admin.delete(path)
        for response in (
            admin.put(path, {"title": "x"}),
            admin.put(path, {}),
            admin.put(path, {"version": 1, "title": "x"}),
            admin.delete(path),
            admin.delete(f"{path}?purge=false"),
            admin.post(f"{path}/favorite"),
            admin.delete(f"{path}/favorite"),
        ):
            refused(response, 404, "not_found")
        assert Favourite.objects.count() == 1

    def test_hides_it_from_users(self, admin, path):
        user = ApiClient(Favourite.objects.get().user)
        admin.delete(path)
        for response in (user.get(path), user.get(f"{path}/similar"), user.delete(f"{path}/favorite")):
            refused(response, 404, "not_found")
        for where in (LIST, f"{LIST}/featured", f"{LIST}/user/favorites"):
            assert user.get(where).json()["total"] == 0
        assert user.get(LIST, status="deleted").json()["total"] == 0
        assert user.get(f"{LIST}/facets").json()["total"] == 0

    def test_is_shown_to_admins_who_ask_for_it(self, admin, path):
        DesignFactory(title="Ikat", status="draft")
        admin.delete(path)
        assert titles(admin.get(LIST)) == ["Ikat"]
        assert titles(admin.get(LIST, search="patola")) == []
        assert titles(admin.get(LIST, status="deleted")) == ["Patola in red"]
        assert titles(admin.get(LIST, status="deleted", search="patola")) == ["Patola in red"]
        assert titles(admin.get(LIST, status="draft,deleted", sort="oldest")) == ["Patola in red", "Ikat"]

    def test_is_left_out_of_facets_unless_asked_for(self, admin, path):
        DesignFactory(fabric="Cotton")
        admin.delete(path)
        for query, fabric in (
            ({}, "Cotton"),
            ({"search": "design"}, "Cotton"),
            ({"status": "deleted"}, "Silk"),
        ):
            body = admin.get(f"{LIST}/facets", **query).json()
            assert (body["total"], body["facets"]["fabric"]) == (1, [{"value": fabric, "count": 1}])

    def test_is_left_out_of_the_favourites_of_an_admin_too(self, admin, path):
        admin.post(f"{path}/favorite")
        admin.delete(path)
        assert admin.get(f"{LIST}/user/favorites").json()["total"] == 0

    def test_cannot_be_sent_as_a_status(self, admin, path):
        errors = refused(admin.put(path, {"status": "deleted"}), 400, "invalid")
        assert set(errors) == {"status"}


class TestAnalytics:
    def figures(self, admin):
        return admin.get("/api/admin/analytics", days=2).json()

    def test_leave_the_trash_out_until_a_restore(self, admin, path):
        before = self.figures(admin)
        admin.delete(path)
        trashed = self.figures(admin)
        numbers = dict.fromkeys(("total", "published", "draft", "archived", "featured"), 0) | {"deleted": 1}
        assert trashed["designs"] == trashed["designs"] | numbers
        assert trashed["designs"]["by_fabric"] == []
        assert trashed["engagement"] == {"views": 0, "likes": 0, "favorites": 0}
        today = trashed["series"][-1]
        assert (today["designs"], today["favorites"], today["views"]) == (0, 0, 0)
        admin.post(f"{path}/restore")
        assert self.figures(admin) == before

    def test_stay_right_whatever_happens_in_the_trash(self, admin, design, path):
        FavouriteFactory(design=design)
        doomed = Favourite.objects.first()
        admin.delete(path)
        doomed.user.delete()
        write_counts(Counter({(TODAY.isoformat(), design.pk): 2}))
        admin.post(f"{path}/restore")
        today = self.figures(admin)["series"][-1]
        assert (today["designs"], today["favorites"], today["views"]) == (1, 1, 5)
        admin.delete(path)
        admin.delete(f"{path}?purge=true")
        today = self.figures(admin)["series"][-1]
        assert (today["designs"], today["favorites"], today["views"]) == (0, 0, 0)


class TestARestore:
    @pytest.mark.parametrize("status", ["draft", "published", "archived"])
    def test_gives_the_status_the_favourites_and_the_counts_back(self, admin, status):
        design = DesignFactory(status=status, view_count=9)
        path = f"{LIST}/{design.pk}"
        admin.post(f"{path}/favorite")
        before = admin.get(path).json()
        admin.delete(path)
        body = admin.post(f"{path}/restore", {}).json()
        assert body == before | {"version": 3, "updated_at": body["updated_at"]}
        assert Design.objects.values_list("deleted_at", "trashed_status").get() == (None, "")

    def test_keeps_the_order_of_favourites(self, admin):
        user, designs = ApiClient.approved(), DesignFactory.create_batch(3)
        for design in designs:
            user.post(f"{LIST}/{design.pk}/favorite")
        before = titles(user.get(f"{LIST}/user/favorites"))
        admin.delete(f"{LIST}/{designs[1].pk}")
        admin.post(f"{LIST}/{designs[1].pk}/restore")
        assert titles(user.get(f"{LIST}/user/favorites")) == before

    def test_of_what_is_not_there_is_a_404(self, admin):
        refused(admin.post(f"{LIST}/987654/restore"), 404, "not_found")


class TestAPurge:
    @pytest.mark.parametrize("trashed", [False, True])
    def test_ends_the_design_for_good_and_keeps_its_picture(self, admin, design, path, trashed):
        if trashed:
            admin.delete(path)
        assert admin.delete(f"{path}?purge=true").json()["success"] is True
        for response in (
            admin.get(path),
            admin.post(f"{path}/restore"),
            admin.get(f"{path}/versions"),
            admin.delete(f"{path}?purge=true"),
        ):
            refused(response, 404, "not_found")
        assert not Favourite.objects.exists()
        line = AuditEntry.objects.order_by("-id").first()
        assert (line.action, line.version, line.changes["title"]) == (
            "design.purge",
            None,
            [design.title, None],
        )
        assert line.changes["image_keys"] == [[design.image_id], None]
        assert admin.delete(f"/api/upload/image/{design.image_id}").status_code == 200

    @pytest.mark.parametrize("value", ["", "1", "yes", "maybe"])
    def test_is_true_or_false(self, admin, path, value):
        assert set(refused(admin.delete(f"{path}?purge={value}"), 400, "invalid")) == {"purge"}
        assert Design.objects.get().status == "published"

    def test_of_old_ones_is_a_command(self, admin, settings, capsys):
        settings.TRASH_DAYS = 30
        old, fresh, live = DesignFactory.create_batch(3)
        for design, days in ((old, 31), (fresh, 29)):
            admin.delete(f"{LIST}/{design.pk}")
            Design.objects.filter(pk=design.pk).update(deleted_at=timezone.now() - timedelta(days=days))
        call_command("tidy", only="trash")
        assert "1  trash" in capsys.readouterr().out
        assert set(Design.objects.values_list("pk", flat=True)) == {fresh.pk, live.pk}
        line = AuditEntry.objects.get(action="design.purge")
        assert (line.object_id, line.actor_id) == (str(old.pk), None)
        settings.TRASH_DAYS = 0
        call_command("tidy", only="trash")
        assert Design.objects.get() == live

    def test_of_many_goes_in_parts(self, admin, monkeypatch, settings):
        settings.TRASH_DAYS = 0
        monkeypatch.setattr("designs.services.PURGED_AT_ONCE", 2)
        yesterday = timezone.now() - timedelta(days=1)
        DesignFactory.create_batch(5, status="deleted", deleted_at=yesterday)
        call_command("tidy", only="trash")
        assert not Design.objects.exists()


def test_exports_leave_the_trash_out_unless_asked(admin, path, capsys):
    DesignFactory(title="Ikat")
    admin.delete(path)
    call_command("export_designs")
    plain = capsys.readouterr().out
    call_command("export_designs", trash=True)
    trash = capsys.readouterr().out
    assert ("Ikat" in plain, "Patola" in plain) == (True, False)
    assert ("Ikat" in trash, "Patola" in trash) == (False, True)


def test_an_import_does_not_change_what_is_in_the_trash(admin, design, path, tmp_path):
    admin.delete(path)
    file = tmp_path / "designs.csv"
    file.write_text(f"id,title\n{design.pk},New\n")
    with pytest.raises(Exception, match="1 had errors"):
        call_command("import_designs", file)
    assert admin.get(path).json()["title"] == design.title
