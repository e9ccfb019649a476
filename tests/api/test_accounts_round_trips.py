"""What a call costs on D1, where a round trip is what counts: with this host's copy warm, one for each write."""

from unittest.mock import Mock

import bcrypt
import pytest
from django.db import OperationalError, connection

from accounts import sessions
from accounts.models import SignIn, User
from core import replica
from core.models import AppSetting, AuditEntry
from d1backend.transaction import keys
from designs.models import Favourite
from tests.api.client import ApiClient
from tests.factories.accounts import PASSWORD, UserFactory
from tests.factories.designs import FavouriteFactory
from tests.factories.uploads import ImageFactory
from uploads.models import Image

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not replica.is_used(), reason="only D1 with its replica (TEST_ENGINE=d1)"),
]

BCRYPT = [
    "django.contrib.auth.hashers.BCryptSHA256PasswordHasher",
    "accounts.hashers.PlainBCryptPasswordHasher",
]


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


def adopted(name, password=PASSWORD, cost=12):
    """A user whose password another service has hashed by bcrypt alone."""
    user = UserFactory(username=name)
    user.password = f"bcrypt${bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost)).decode()}"
    user.save(update_fields=["password"])
    return user


def test_the_first_login_of_who_was_adopted_renews_the_hash_in_one_more(cost):
    user = adopted("leela")
    response, trips = cost(lambda: login(user))
    assert (response.status_code, trips) == (200, 2)
    user.refresh_from_db()
    assert user.password.startswith("bcrypt_sha256$$2b$12$")
    response, trips = cost(lambda: login(user))
    assert (response.status_code, trips) == (200, 1)


def test_a_lost_renewal_leaves_the_login_as_it_is(cost, monkeypatch):
    user = adopted("mira")
    monkeypatch.setattr(sessions, "update_uncounted", Mock(side_effect=OperationalError("away")))
    response, trips = cost(lambda: login(user))
    assert (response.status_code, trips) == (200, 1)
    user.refresh_from_db()
    assert user.password.startswith("bcrypt$$2b$12$")


def test_a_refused_login_asks_once_more_whoever_it_is(cost):
    for name, password, status in [
        (UserFactory().username, "wrong", 401),
        (adopted("noor").username, "wrong", 401),
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


@pytest.mark.parametrize("values", [{}, {"admin": True}], ids=["user", "admin"])
def test_leaving_is_one_round_trip_with_all_that_is_theirs(cost, values, folder):
    ApiClient.admin()
    client = ApiClient(UserFactory(**values))
    reviewed = UserFactory(reviewed_by=client.user)
    FavouriteFactory(user=client.user)
    ImageFactory(uploaded_by=client.user, category="avatars")
    response, trips = cost(lambda: client.delete("/api/auth/me", {"password": PASSWORD}))
    assert (response.status_code, trips) == (200, 1)
    assert not User.objects.filter(pk=client.user.pk).exists()
    assert not Favourite.objects.exists()
    assert not Image.objects.filter(category="avatars").exists()
    reviewed.refresh_from_db()
    assert reviewed.reviewed_by_id == client.user.pk


def test_a_wrong_password_of_who_would_leave_asks_twice_more(cost):
    client = ApiClient.approved()
    response, trips = cost(lambda: client.delete("/api/auth/me", {"password": "wrong one"}))
    assert (response.status_code, trips) == (403, 3)


@pytest.mark.parametrize(("verb", "approved"), [("approve", True), ("reject", False)])
def test_a_decision_about_a_user_is_one_round_trip_with_its_audit_line(cost, verb, approved):
    admin, user = ApiClient.admin(), UserFactory(is_approved=not approved)
    response, trips = cost(lambda: admin.post(f"/api/admin/users/{user.pk}/{verb}"))
    assert (response.status_code, trips) == (200, 1)
    user.refresh_from_db()
    assert user.is_approved is approved
    assert AuditEntry.objects.get().actor_id == admin.user.pk


def test_details_cost_one_round_trip_with_a_write_none_more(cost):
    meera = {"full_name": "Meera Devi", "contact": "meera@example.com"}
    admin, user = ApiClient.admin(), UserFactory(pending=True, **meera)
    path = f"/api/admin/users/{user.pk}"
    calls = {
        "approve": lambda: admin.post(f"{path}/approve"),
        "approve again": lambda: admin.post(f"{path}/approve"),
        "edit": lambda: admin.put(path, {"username": "somebody.else"}),
        "edit one": lambda: admin.put(path, {"contact": meera["contact"]}),
        "login": lambda: ApiClient().post(
            "/api/auth/login", {"username": "somebody.else", "password": PASSWORD}
        ),
        "own edit": lambda: client().put("/api/auth/me", {"full_name": meera["full_name"]}),
        "me": lambda: client().get("/api/auth/me"),
        "user": lambda: admin.get(path),
        "search": lambda: admin.get("/api/admin/users", search="devi"),
        "list": lambda: admin.get("/api/admin/users", state="approved", sort="username"),
    }
    tokens = {}

    def client():
        return ApiClient(token=tokens["login"])

    for name, call in calls.items():
        response, trips = cost(call)
        tokens[name] = response.json().get("access_token")
        body = response.json()
        shown = next(iter(body.get("items", [body.get("user", body)])))
        assert (name, response.status_code, trips) == (name, 200, 1)
        assert (name, {field: shown[field] for field in meera}) == (name, meera)


def test_a_reset_code_and_its_use_are_one_round_trip_each(cost):
    admin, user = ApiClient.admin(), UserFactory()
    other = ApiClient(user)
    response, trips = cost(lambda: admin.post(f"/api/admin/users/{user.pk}/reset-code"))
    assert (response.status_code, trips) == (200, 1)
    body = {"username": user.username, "code": response.json()["code"], "new_password": "nine yards of silk"}
    for answer, status in (({"code": "wrong"}, 401), ({"username": "nobody"}, 401), ({}, 200), ({}, 401)):
        response, trips = cost(lambda sent=body | answer: ApiClient().post("/api/auth/reset", sent))
        assert (response.status_code, trips) == (status, 1)
    assert other.get("/api/auth/me").status_code == 401
    assert login(user, "nine yards of silk").status_code == 200


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
        image.refresh_from_db()
        assert image.uploaded_by is None
        shown = admin.get(f"/api/admin/users/{reviewed.pk}").json()["reviewed_by"]
        assert shown == {"id": user.pk, "username": user.username}
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
