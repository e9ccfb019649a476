"""DELETE /api/auth/me"""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import override_settings

from accounts.models import SignIn, SignInKind, User
from core.models import AuditEntry
from designs.models import Favourite
from tests.api.client import ApiClient, refused
from tests.factories.accounts import PASSWORD, SignInFactory, UserFactory
from tests.factories.designs import DesignFactory, FavouriteFactory
from tests.factories.uploads import ImageFactory
from tests.pictures import picture
from tests.races import at_once
from uploads.models import Image, PendingUpload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("deletions")]

ME = "/api/auth/me"


@pytest.fixture
def client():
    return ApiClient.approved()


def leave(client, password=PASSWORD):
    return client.delete(ME, {"password": password})


def login(name, password=PASSWORD):
    return ApiClient().post("/api/auth/login", {"username": name, "password": password})


def series(admin):
    return admin.get("/api/admin/analytics").json()["series"][-1]


def line(admin, **which):
    """The one line of the audit trail that these filters leave."""
    (found,) = admin.get("/api/admin/audit", **which).json()["items"]
    return found


class TestTheAccount:
    def test_is_gone_with_its_sign_ins_on_every_device_and_in_the_console(self, client):
        other = ApiClient(client.user)
        SignInFactory(user=client.user, kind=SignInKind.CONSOLE)
        body = leave(client).json()
        assert body["success"] is True
        assert body["message"]
        for one in (client, other):
            refused(one.get(ME), 401, "token_revoked")
            refresh = {"refresh_token": one.tokens.refresh_token}
            refused(ApiClient().post("/api/auth/refresh", refresh), 401, "token_revoked")
        refused(login(client.user.username), 401, "invalid_credentials")
        assert not User.objects.filter(pk=client.user.pk).exists()
        assert not SignIn.objects.filter(user_id=client.user.pk).exists()

    def test_leaves_its_name_at_once_and_its_id_never(self, client):
        name = client.user.username
        leave(client)
        body = {"username": name, "password": "indigo-vat-42"}
        again = ApiClient().post("/api/auth/register", body).json()["user"]
        assert again["username"] == name
        assert again["id"] > client.user.pk

    @pytest.mark.django_db(transaction=True)
    def test_takes_favourites_avatars_and_pending_uploads_along(self, client, folder):
        file = SimpleUploadedFile("a.jpg", picture(), "image/jpeg")
        shown = client.upload("/api/upload/image", file=file, category="avatars").json()["object_key"]
        client.put(ME, {"avatar_object_key": shown})
        file = SimpleUploadedFile("b.jpg", picture(), "image/jpeg")
        client.upload("/api/upload/image", file=file, category="avatars")
        client.get("/api/upload/presigned-url", content_type="image/jpeg", size=9, category="avatars")
        design = FavouriteFactory(user=client.user).design
        FavouriteFactory(design=design)
        assert folder.listed()
        assert leave(client).status_code == 200
        assert folder.listed() == []
        assert not Image.objects.filter(category="avatars").exists()
        assert not PendingUpload.objects.exists()
        assert not Favourite.objects.filter(user_id=client.user.pk).exists()
        assert ApiClient.approved().get(f"/api/designs/{design.pk}").json()["like_count"] == 1

    def test_of_an_admin_leaves_their_designs_and_pictures(self):
        UserFactory(admin=True)
        admin = ApiClient.admin()
        image = ImageFactory(uploaded_by=admin.user)
        body = {"title": "Paithani", "category": "Saree", "r2_object_key": image.object_key}
        design = admin.post("/api/designs", body).json()["id"]
        assert leave(admin).status_code == 200
        shown = ApiClient.approved().get(f"/api/designs/{design}").json()
        assert shown["r2_object_key"] == image.object_key

    def test_counts_again_with_a_design_that_comes_out_of_the_trash(self, client):
        design, admin = DesignFactory(), ApiClient.admin()
        path = f"/api/designs/{design.pk}"
        client.post(f"{path}/favorite")
        before = series(admin)
        admin.delete(path)
        assert leave(client).status_code == 200
        assert series(admin)["favorites"] == 0
        admin.post(f"{path}/restore")
        assert series(admin) == before
        admin.delete(f"{path}?purge=true")
        assert series(admin)["favorites"] == 0

    def test_counts_on_its_day_in_the_series_still(self, client):
        admin = ApiClient.admin()
        FavouriteFactory(user=client.user)
        before, likes = series(admin), admin.get("/api/admin/analytics").json()["engagement"]["likes"]
        leave(client)
        assert series(admin) == before
        assert admin.get("/api/admin/analytics").json()["engagement"]["likes"] == likes - 1

    def test_counts_no_more_where_the_user_took_the_like_back(self, client):
        design = DesignFactory()
        client.post(f"/api/designs/{design.pk}/favorite")
        client.delete(f"/api/designs/{design.pk}/favorite")
        leave(client)
        assert series(ApiClient.admin())["favorites"] == 0

    def test_is_known_outside_the_database_by_its_id_alone(self, client, deletions):
        leave(client)
        (kept,) = deletions.iterdir()
        assert kept.name == str(client.user.pk)
        assert client.user.username not in kept.read_text()
        assert kept.stat().st_mode & 0o077 == 0


class TestThePassword:
    @pytest.mark.parametrize("body", [{}, {"password": ""}, {"password": None}, {"password": 7}, None])
    def test_is_required(self, client, body):
        assert list(refused(client.delete(ME, body), 400, "invalid")) == ["password"]
        assert client.get(ME).status_code == 200

    def test_must_be_right(self, client):
        refused(leave(client, "wrong one"), 403, "wrong_password")
        assert client.get(ME).status_code == 200

    def test_is_checked_before_the_rule_of_the_last_admin(self):
        admin = ApiClient.admin()
        refused(leave(admin, "wrong one"), 403, "wrong_password")
        refused(leave(admin), 409, "last_admin")
        assert admin.get(ME).status_code == 200

    @override_settings(SIGN_IN_FAILURES=(2, 60))
    def test_counts_as_a_failed_sign_in_where_it_is_wrong(self, client):
        for _ in range(2):
            refused(leave(client, "wrong one"), 403, "wrong_password")
        refused(leave(client), 429, "too_many_attempts")
        refused(login(client.user.username), 429, "too_many_attempts")
        assert User.objects.filter(pk=client.user.pk).exists()

    def test_is_asked_of_nobody_else(self):
        refused(leave(ApiClient()), 401, "not_authenticated")


class TestTheTrail:
    """Whatever names they had, the audit trail knows them by their id."""

    @pytest.fixture
    def admin(self):
        return ApiClient.admin()

    @pytest.fixture
    def leaver(self, admin):
        """An admin who was renamed twice, worked under each name, and left."""
        leaver = ApiClient(UserFactory(admin=True, username="Asha"))
        for name in ("Asha.Rao", "Asha.Iyer"):
            leaver.post(f"/api/admin/users/{UserFactory(pending=True).pk}/approve")
            admin.put(f"/api/admin/users/{leaver.user.pk}", {"username": name})
        leaver.put("/api/admin/settings", {"settings": {"registration_open": False}})
        assert leave(leaver).status_code == 200
        return leaver.user

    def test_shows_them_nameless_as_actor(self, admin, leaver):
        nameless = {"id": leaver.pk, "username": f"deleted-{leaver.pk}"}
        lines = admin.get("/api/admin/audit", actor=leaver.pk).json()["items"]
        assert [one["action"] for one in lines] == [
            "user.delete", "settings.update", "user.approve", "user.approve",
        ]  # fmt: skip
        assert {one["actor"]["username"] for one in lines} == {nameless["username"]}
        assert lines == admin.get("/api/admin/audit", actor=nameless["username"]).json()["items"]

    def test_shows_them_nameless_as_what_was_changed(self, admin, leaver):
        lines = AuditEntry.objects.filter(object_type="user", object_id=str(leaver.pk))
        assert set(lines.values_list("object_label", flat=True)) == {f"deleted-{leaver.pk}"}
        renamed = lines.filter(action="user.update")
        assert [one.changes for one in renamed] == [{"username": [None, None]}] * 2
        assert set(renamed.values_list("actor_username", flat=True)) == {admin.user.username}

    def test_shows_their_deletion_as_their_own(self, admin, leaver):
        nameless = {"id": leaver.pk, "username": f"deleted-{leaver.pk}"}
        deletion = line(admin, action="user.delete")
        assert deletion["actor"] == nameless
        assert (deletion["object_id"], deletion["object_label"]) == (str(leaver.pk), nameless["username"])

    def test_finds_nothing_by_an_old_name(self, admin, leaver):
        for name in ("Asha", "Asha.Rao", "Asha.Iyer"):
            assert admin.get("/api/admin/audit", actor=name).json()["total"] == 0
        assert "Asha" not in str(list(AuditEntry.objects.values()))

    def test_shows_them_nameless_as_reviewer(self, admin, leaver):
        approved = AuditEntry.objects.filter(action="user.approve").first().object_id
        shown = admin.get(f"/api/admin/users/{approved}").json()
        assert shown["reviewed_by"] == {"id": leaver.pk, "username": f"deleted-{leaver.pk}"}

    def test_keeps_the_name_of_whom_staff_deleted(self, admin):
        reviewer = ApiClient(UserFactory(admin=True, username="Asha"))
        user = UserFactory(pending=True)
        reviewer.post(f"/api/admin/users/{user.pk}/approve")
        admin.delete(f"/api/admin/users/{reviewer.user.pk}")
        named = {"id": reviewer.user.pk, "username": "Asha"}
        assert line(admin, action="user.approve")["actor"] == named
        assert line(admin, action="user.delete")["object_label"] == "Asha"
        assert admin.get(f"/api/admin/users/{user.pk}").json()["reviewed_by"] == named

    def test_leaves_the_name_to_who_takes_it_next(self, admin, leaver):
        other = ApiClient(UserFactory(admin=True, username="Asha"))
        other.put("/api/admin/settings", {"settings": {"registration_open": True}})
        assert line(admin, actor="Asha")["actor"] == {"id": other.user.pk, "username": "Asha"}


@pytest.mark.django_db(transaction=True)
class TestAtOnce:
    def test_of_two_last_admins_one_stays(self):
        both = [ApiClient.admin(), ApiClient.admin()]
        answers = at_once(*(lambda one=one: leave(one) for one in both))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        stays = next(answer for answer in answers if answer.status_code == 409)
        refused(stays, 409, "last_admin")
        assert User.objects.filter(is_admin=True).count() == 1

    def test_leaving_twice_is_done_once(self, client):
        answers = at_once(lambda: leave(client), lambda: leave(ApiClient(token=client.token)))
        assert sorted(answer.status_code for answer in answers) == [200, 401]
        assert AuditEntry.objects.filter(action="user.delete").count() == 1

    def test_an_avatar_that_is_uploaded_meanwhile_goes_too(self, client, folder):
        def upload():
            file = SimpleUploadedFile("a.jpg", picture(), "image/jpeg")
            return client.upload("/api/upload/image", file=file, category="avatars")

        left, uploaded = at_once(lambda: leave(client), upload)
        assert left.status_code == 200
        assert uploaded.status_code in (201, 401)
        assert not Image.objects.exists()
        assert folder.listed() == []

    def test_a_new_password_wins_or_goes_with_the_account(self, client):
        body = {"current_password": PASSWORD, "new_password": "nine yards of silk"}
        left, changed = at_once(lambda: leave(client), lambda: client.post("/api/auth/password", body))
        assert (left.status_code, changed.status_code) in {(200, 401), (403, 200)}
        assert User.objects.filter(pk=client.user.pk).exists() is (left.status_code == 403)
