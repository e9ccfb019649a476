"""POST /api/auth/password"""

import pytest
from django.test import override_settings

from accounts.models import SignInKind
from accounts.sessions import create_sign_in
from tests.api.client import ApiClient, refused
from tests.factories.accounts import PASSWORD

pytestmark = pytest.mark.django_db

PATH = "/api/auth/password"
NEW = "nine yards of silk"


@pytest.fixture
def client():
    return ApiClient.approved()


def change(client, current=PASSWORD, new=NEW):
    return client.post(PATH, {"current_password": current, "new_password": new})


def login(user, password):
    return ApiClient().post("/api/auth/login", {"username": user.username, "password": password})


def test_the_new_password_holds_and_every_other_sign_in_ends(client):
    other = ApiClient(client.user)
    stranger = ApiClient.approved()
    response = change(client)
    assert response.status_code == 200
    assert response.json()["success"] is True
    assert client.get("/api/auth/me").status_code == 200
    assert stranger.get("/api/auth/me").status_code == 200
    refused(other.get("/api/auth/me"), 401, "token_revoked")
    refused(login(client.user, PASSWORD), 401, "invalid_credentials")
    assert login(client.user, NEW).status_code == 200


def test_sessions_of_the_console_end_too(client):
    console = create_sign_in(client.user, kind=SignInKind.CONSOLE)
    assert change(client).status_code == 200
    console.refresh_from_db()
    assert console.ended_at is not None


def test_a_missing_current_password_is_named(client):
    answer = client.post(PATH, {"new_password": NEW})
    assert list(refused(answer, 400, "invalid")) == ["current_password"]


def test_a_wrong_current_password_changes_nothing(client):
    other = ApiClient(client.user)
    assert list(refused(change(client, "wrong one"), 403, "wrong_password")) == ["current_password"]
    assert other.get("/api/auth/me").status_code == 200
    assert login(client.user, PASSWORD).status_code == 200


@pytest.mark.parametrize("new", ["", "short", "password", "x" * 129, None])
def test_a_bad_new_password_is_named(client, new):
    assert list(refused(change(client, new=new), 400, "invalid")) == ["new_password"]
    assert login(client.user, PASSWORD).status_code == 200


@override_settings(SIGN_IN_FAILURES=(2, 60))
def test_wrong_passwords_count_as_failed_sign_ins(client):
    change(client, "wrong one")
    change(client, "wrong one")
    refused(change(client), 429, "too_many_attempts")
    refused(login(client.user, PASSWORD), 429, "too_many_attempts")


def test_strangers_are_asked_to_sign_in():
    refused(change(ApiClient()), 401, "not_authenticated")
