"""What a call costs on D1, where a round trip is what counts: with this host's copy warm, one for each write."""

import pytest
from django.db import connection

from accounts.models import SignIn, User
from core import replica
from core.models import AppSetting, AuditEntry
from d1backend.transaction import keys
from designs.models import Favourite
from tests.api.client import ApiClient
from tests.factories.accounts import PASSWORD, UserFactory
from tests.factories.designs import FavouriteFactory
from tests.factories.uploads import ImageFactory

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not replica.is_used(), reason="only D1 with its replica (TEST_ENGINE=d1)"),
]

BCRYPT = ["django.contrib.auth.hashers.BCryptSHA256PasswordHasher"]


@pytest.fixture(autouse=True)
def _bcrypt(settings):
    settings.PASSWORD_HASHERS = BCRYPT


@pytest.fixture
def cost():
    """Ask, once the copy of this host is fresh and the keys reserved before are given up: (response, round trips)."""

    def ask(call):
        ApiClient.approved().get("/api/auth/me")
        keys.forget(connection.connection.identity)
        before = connection.round_trips
        response = call()
        return response, connection.round_trips - before

    return ask


def login(user, password=PASSWORD):
    return ApiClient().post("/api/auth/login", {"username": user.username, "password": password})


def test_a_login_is_one_round_trip(cost):
    user = UserFactory()
    response, trips = cost(lambda: login(user))
    assert (response.status_code, trips) == (200, 1)
    user.refresh_from_db()
    assert user.last_login == SignIn.objects.get(user=user).created_at
    assert ApiClient(token=response.json()["access_token"]).get("/api/auth/me").status_code == 200


def test_a_refused_login_asks_once_more_whoever_it_is(cost):
    for name, password, status in [
        (UserFactory().username, "wrong", 401),
        ("nobody", "wrong", 401),
        (UserFactory(pending=True).username, "wrong", 401),
        (UserFactory(rejected=True).username, PASSWORD, 403),
    ]:
        body = {"username": name, "password": password}
        response, trips = cost(lambda body=body: ApiClient().post("/api/auth/login", body))
        assert (response.status_code, trips) == (status, 2)


def test_a_refresh_a_logout_and_the_end_of_another_sign_in_are_one_round_trip_each(cost):
    client = ApiClient.approved()
    other = ApiClient(client.user)
    response, trips = cost(
        lambda: client.post("/api/auth/refresh", {"refresh_token": client.tokens.refresh_token})
    )
    assert (response.status_code, trips) == (200, 1)
    path = f"/api/auth/sessions/{other.tokens.sign_in.pk}"
    response, trips = cost(lambda: client.delete(path))
    assert (response.status_code, trips) == (200, 1)
    response, trips = cost(lambda: client.post("/api/auth/logout"))
    assert (response.status_code, trips) == (200, 1)


def test_a_change_of_the_password_is_one_round_trip(cost):
    client = ApiClient.approved()
    other = ApiClient(client.user)
    body = {"current_password": PASSWORD, "new_password": "nine yards of silk"}
    response, trips = cost(lambda: client.post("/api/auth/password", body))
    assert (response.status_code, trips) == (200, 1)
    assert other.get("/api/auth/me").status_code == 401
    assert login(client.user, "nine yards of silk").status_code == 200


@pytest.mark.parametrize(("verb", "approved"), [("approve", True), ("reject", False)])
def test_a_decision_about_a_user_is_one_round_trip_with_its_audit_line(cost, verb, approved):
    admin, user = ApiClient.admin(), UserFactory(is_approved=not approved)
    response, trips = cost(lambda: admin.post(f"/api/admin/users/{user.pk}/{verb}"))
    assert (response.status_code, trips) == (200, 1)
    user.refresh_from_db()
    assert user.is_approved is approved
    assert AuditEntry.objects.get().actor_id == admin.user.pk


def test_an_edit_of_a_user_is_one_round_trip(cost):
    admin, user = ApiClient.admin(), UserFactory()
    body = {"username": "somebody.else", "password": "nine yards of silk"}
    response, trips = cost(lambda: admin.put(f"/api/admin/users/{user.pk}", body))
    assert (response.status_code, trips) == (200, 1)
    assert ApiClient().post("/api/auth/login", body).status_code == 200


@pytest.mark.parametrize("values", [{}, {"admin": True}], ids=["user", "admin"])
class TestOfOneWhoGoes:
    """The rule of the last admin is a condition of the write itself."""

    def test_a_deletion_is_one_round_trip_with_all_that_is_theirs(self, cost, values):
        admin, user = ApiClient.admin(), UserFactory(**values)
        ApiClient(user)
        reviewed = UserFactory(reviewed_by=user)
        FavouriteFactory(user=user)
        image = ImageFactory(uploaded_by=user)
        response, trips = cost(lambda: admin.delete(f"/api/admin/users/{user.pk}"))
        assert (response.status_code, trips) == (200, 1)
        assert not User.objects.filter(pk=user.pk).exists()
        assert not SignIn.objects.filter(user_id=user.pk).exists()
        assert not Favourite.objects.exists()
        for row in (reviewed, image):
            row.refresh_from_db()
        assert (reviewed.reviewed_by, image.uploaded_by) == (None, None)
        assert AuditEntry.objects.get().object_label == user.username

    def test_a_rejection_is_one_round_trip(self, cost, values):
        admin, user = ApiClient.admin(), UserFactory(**values)
        response, trips = cost(lambda: admin.post(f"/api/admin/users/{user.pk}/reject"))
        assert (response.status_code, trips) == (200, 1)


class TestAnOldCopy:
    """Another host wrote, and this one has not heard of it yet."""

    @pytest.fixture(autouse=True)
    def _deaf(self, monkeypatch, cost):
        self.admin, self.user = ApiClient.admin(), UserFactory()
        self.client = ApiClient(self.user)
        cost(lambda: None)

    def elsewhere(self, sql, *params):
        """Change the database behind this host's back."""
        session = connection.connection.session
        session.api.batch(session.database, [(sql, [str(param) for param in params])])

    def test_does_not_let_in_with_a_password_that_was_changed(self):
        self.elsewhere("UPDATE users SET password_hash = 'x' WHERE id = CAST(? AS INTEGER)", self.user.pk)
        assert login(self.user).status_code == 401

    def test_knows_the_new_password_all_the_same(self):
        other = UserFactory.build(username="other")
        other.set_password("nine yards of silk")
        self.elsewhere(
            "UPDATE users SET password_hash = ?, password_setting = ? WHERE id = CAST(? AS INTEGER)",
            other.password, User.derived({"password": other.password})["password_setting"], self.user.pk,
        )  # fmt: skip
        assert login(self.user, "nine yards of silk").status_code == 200
        assert login(self.user).status_code == 401

    def test_does_not_let_in_whom_it_does_not_know_as_rejected(self):
        self.elsewhere("UPDATE users SET is_approved = 0 WHERE id = CAST(? AS INTEGER)", self.user.pk)
        assert login(self.user).json()["code"] == "approval_rejected"

    def test_approves_whom_it_takes_for_approved(self):
        self.elsewhere("UPDATE users SET is_approved = 0 WHERE id = CAST(? AS INTEGER)", self.user.pk)
        response = self.admin.post(f"/api/admin/users/{self.user.pk}/approve")
        assert response.status_code == 200
        assert User.objects.get(pk=self.user.pk).is_approved

    def test_notes_in_the_audit_trail_what_was_so(self):
        self.elsewhere("UPDATE users SET username = 'renamed' WHERE id = CAST(? AS INTEGER)", self.user.pk)
        self.admin.put(f"/api/admin/users/{self.user.pk}", {"username": "renamed.again"})
        assert AuditEntry.objects.get().changes["username"] == ["renamed", "renamed.again"]

    @pytest.mark.parametrize("method", ["delete", "put"])
    def test_keeps_the_last_admin_from_one_who_is_none_any_more(self, method):
        last = UserFactory(admin=True)
        self.elsewhere("UPDATE users SET is_admin = 0 WHERE id <> CAST(? AS INTEGER)", last.pk)
        response = getattr(self.admin, method)(f"/api/admin/users/{last.pk}", {"is_admin": False})
        assert (response.status_code, response.json()["code"]) == (403, "forbidden")
        assert User.objects.get(pk=last.pk).is_admin

    def test_deletes_the_user_with_the_name_that_they_have(self):
        self.elsewhere("UPDATE users SET username = 'renamed' WHERE id = CAST(? AS INTEGER)", self.user.pk)
        assert self.admin.delete(f"/api/admin/users/{self.user.pk}").status_code == 200
        assert AuditEntry.objects.get().object_label == "renamed"

    def test_sets_a_setting_that_it_takes_for_set(self):
        for value in (True, False):
            self.admin.put("/api/admin/settings", {"settings": {"registration_open": value}})
        self.elsewhere("UPDATE app_settings SET value = ? WHERE key = 'registration_open'", "true")
        self.admin.put("/api/admin/settings", {"settings": {"registration_open": False}})
        assert AppSetting.objects.using("default").get().value == "false"
