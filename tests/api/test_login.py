"""POST /api/auth/login"""

import jwt
import pytest
from django.conf import settings
from django.contrib.auth import hashers
from django.utils import timezone

from accounts.models import SignIn
from tests.api.client import ApiClient, refused
from tests.factories.accounts import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

PATH = "/api/auth/login"


def login(username, password=PASSWORD, **more):
    return ApiClient(**more).post(PATH, {"username": username, "password": password})


def test_the_right_password_brings_tokens():
    user = UserFactory(username="Meera")
    response = login(" mEERA ")
    body = response.json()
    assert response.status_code == 200
    assert set(body) == {
        "access_token",
        "token_type",
        "expires_in",
        "refresh_token",
        "refresh_expires_in",
        "user",
    }
    assert response.headers["Cache-Control"] == "no-store"
    assert body["token_type"] == "bearer"
    assert body["expires_in"] == settings.ACCESS_TOKEN_LIFETIME.total_seconds()
    assert body["refresh_expires_in"] == settings.REFRESH_TOKEN_LIFETIME.total_seconds()
    assert body["user"]["id"] == user.pk
    assert set(body["user"]) == {"id", "username", "is_admin", "is_approved", "created_at", "avatar_url"}
    assert ApiClient(token=body["access_token"]).get("/api/auth/me").status_code == 200


def test_a_name_is_compared_without_joiners_and_never_by_its_looks():
    UserFactory(username="ශ්‍රීපාල")
    UserFactory(username="paul")
    assert login("ශ්රීපාල").status_code == 200
    refused(login("pau1"), 401, "invalid_credentials")


def test_a_sign_in_notes_the_device_and_the_time():
    user = UserFactory()
    before = timezone.now()
    ApiClient().post(
        PATH,
        {"username": user.username, "password": PASSWORD},
        headers={"User-Agent": "Expo/54 " + "x" * 300},
    )
    sign_in = SignIn.objects.get()
    user.refresh_from_db()
    assert sign_in.user_agent.startswith("Expo/54")
    assert len(sign_in.user_agent) == 255
    assert before <= user.last_login <= timezone.now()


def test_the_refresh_token_lives_as_long_as_the_sign_in():
    body = login(UserFactory().username).json()
    claims = jwt.decode(body["refresh_token"], settings.JWT_SECRET, ["HS256"])
    sign_in = SignIn.objects.get()
    assert claims["jti"] == sign_in.refresh_id
    assert claims["exp"] == int(sign_in.expires_at.timestamp())


@pytest.mark.parametrize("username", ["nobody", "", "x" * 5000, "a b", "nul"])
def test_an_unknown_name_and_a_wrong_password_get_the_same_answer(username):
    known = login(UserFactory().username, "wrong password")
    unknown = login(username or "?", "wrong password")
    refused(known, 401, "invalid_credentials")
    assert known.json() == unknown.json()
    assert not SignIn.objects.exists()


def test_an_unknown_name_costs_one_hash_as_a_wrong_password_does(monkeypatch):
    hashed = []
    encode = hashers.MD5PasswordHasher.encode
    monkeypatch.setattr(
        hashers.MD5PasswordHasher, "encode", lambda *args: hashed.append(args) or encode(*args)
    )
    user = UserFactory()
    counts = []
    for username in (user.username, "nobody"):
        hashed.clear()
        login(username, "wrong password")
        counts.append(len(hashed))
    assert counts == [1, 1]


@pytest.mark.parametrize(
    ("trait", "code"), [({"pending": True}, "approval_pending"), ({"rejected": True}, "approval_rejected")]
)
def test_who_is_not_approved_learns_so_by_the_right_password_only(trait, code):
    user = UserFactory(**trait)
    refused(login(user.username, "wrong password"), 401, "invalid_credentials")
    refused(login(user.username), 403, code)
    assert not SignIn.objects.exists()
    user.refresh_from_db()
    assert user.last_login is None


@pytest.mark.parametrize("body", [{}, {"username": "a", "password": None}, {"username": 5, "password": []}])
def test_missing_and_mistyped_fields_are_named(body):
    assert "password" in refused(ApiClient().post(PATH, body), 400, "invalid")


def test_the_password_is_not_trimmed():
    user = UserFactory()
    refused(login(user.username, f" {PASSWORD} "), 401, "invalid_credentials")


def test_a_bad_token_does_not_matter_here():
    assert login(UserFactory().username, token="stale").status_code == 200


class TestTooManyTries:
    @pytest.fixture(autouse=True)
    def _three_in_a_minute(self, settings):
        settings.SIGN_IN_FAILURES = (3, 60)

    def test_lock_the_pair_of_address_and_name(self):
        user = UserFactory(username="Meera")
        for name in ("meera", "MEERA", " Meera "):
            refused(login(name, "wrong password"), 401, "invalid_credentials")
        response = login(user.username)
        refused(response, 429, "too_many_attempts")
        assert 1 <= int(response.headers["Retry-After"]) <= 60
        assert not SignIn.objects.exists()

    def test_leave_the_user_free_to_come_from_elsewhere(self):
        user = UserFactory()
        for _ in range(4):
            login(user.username, "wrong password")
        assert login(user.username, address="203.0.113.9").status_code == 200

    def test_leave_other_names_at_the_same_address_free(self):
        for _ in range(4):
            login("nobody", "wrong password")
        assert login(UserFactory().username).status_code == 200

    def test_are_forgotten_at_the_right_password(self):
        user = UserFactory()
        for _ in range(4):
            login(user.username, "wrong password")
            login(user.username, "wrong password")
            assert login(user.username).status_code == 200

    def test_with_many_names_lock_the_address(self):
        for number in range(60):
            refused(login(f"nobody{number}", "wrong password"), 401, "invalid_credentials")
        refused(login(UserFactory().username), 429, "too_many_attempts")

    def test_are_told_apart_by_the_socket_and_not_by_a_header_anyone_can_send(self):
        for number in range(3):
            forged = {"X-Forwarded-For": f"198.51.100.{number}"}
            ApiClient().post(PATH, {"username": "nobody", "password": "wrong"}, headers=forged)
        refused(login("nobody"), 429, "too_many_attempts")

    def test_are_told_apart_by_what_the_trusted_proxy_saw(self, settings):
        settings.NUM_PROXIES = 1
        for number in range(3):
            seen = {"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.9"}
            ApiClient().post(PATH, {"username": "nobody", "password": "wrong"}, headers=seen)
        blocked = {"X-Forwarded-For": "192.0.2.1, 203.0.113.9"}
        free = {"X-Forwarded-For": "203.0.113.9, 192.0.2.1"}
        body = {"username": "nobody", "password": "wrong"}
        refused(ApiClient().post(PATH, body, headers=blocked), 429, "too_many_attempts")
        refused(ApiClient().post(PATH, body, headers=free), 401, "invalid_credentials")

    def test_on_render_lock_nobody_else_out(self, settings):
        settings.CLIENT_ADDRESS_HEADER = "CF-Connecting-IP"
        body = {"username": "nobody", "password": "wrong"}
        for number in range(3):
            forged = f"198.51.100.{number}, 203.0.113.9, 104.22.17.40, 10.0.0.1"
            seen = {"CF-Connecting-IP": "203.0.113.9", "X-Forwarded-For": forged}
            ApiClient().post(PATH, body, headers=seen)
        refused(ApiClient().post(PATH, body, headers=seen), 429, "too_many_attempts")
        other = {"CF-Connecting-IP": "192.0.2.1", "X-Forwarded-For": "192.0.2.1, 104.22.17.40, 10.0.0.1"}
        refused(ApiClient().post(PATH, body, headers=other), 401, "invalid_credentials")


def test_a_password_changed_while_one_signs_in_ends_the_old_ones_use(monkeypatch):
    from accounts import throttling
    from accounts.models import User

    user = UserFactory()
    monkeypatch.setattr(
        throttling,
        "clear_failures",
        lambda *_: User.objects.update(password=hashers.make_password("new one")),
    )
    refused(login(user.username), 401, "invalid_credentials")
    assert not SignIn.objects.exists()
