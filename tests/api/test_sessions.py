"""GET /api/auth/sessions and DELETE /api/auth/sessions/{id}"""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.api.client import ApiClient, refused
from tests.factories.accounts import SignInFactory

pytestmark = pytest.mark.django_db

PATH = "/api/auth/sessions"


@pytest.fixture
def client():
    return ApiClient.approved()


def test_ones_own_live_sign_ins_are_listed_newest_first(client):
    now = timezone.now()
    other = SignInFactory(user=client.user, user_agent="Tablet")
    SignInFactory(user=client.user, ended_at=now)
    SignInFactory(user=client.user, expires_at=now - timedelta(seconds=1))
    SignInFactory()
    items = client.get(PATH).json()["items"]
    assert [item["id"] for item in items] == [other.pk, client.tokens.sign_in.pk]
    assert set(items[0]) == {"id", "created_at", "last_used_at", "user_agent", "current"}
    assert [item["current"] for item in items] == [False, True]
    assert items[0]["user_agent"] == "Tablet"
    assert items[0]["created_at"].endswith("Z")


def test_ending_a_sign_in_takes_hold_of_its_tokens_at_once(client):
    other = ApiClient(client.user)
    assert client.delete(f"{PATH}/{other.tokens.sign_in.pk}").json()["success"] is True
    refused(other.get(PATH), 401, "token_revoked")
    refresh = ApiClient().post("/api/auth/refresh", {"refresh_token": other.tokens.refresh_token})
    refused(refresh, 401, "token_revoked")
    assert len(client.get(PATH).json()["items"]) == 1


def test_one_may_end_the_sign_in_one_speaks_through(client):
    assert client.delete(f"{PATH}/{client.tokens.sign_in.pk}").status_code == 200
    refused(client.get(PATH), 401, "token_revoked")


def test_another_users_sign_in_is_nowhere_to_be_found(client):
    other = ApiClient.approved()
    refused(client.delete(f"{PATH}/{other.tokens.sign_in.pk}"), 404, "not_found")
    assert other.get(PATH).status_code == 200


@pytest.mark.parametrize("number", ["0", "999999", "9" * 30, "9" * 5000, "-1", "abc", "1/2"])
def test_unknown_ids_are_not_found(client, number):
    refused(client.delete(f"{PATH}/{number}"), 404, "not_found")


def test_an_ended_sign_in_cannot_be_ended_again(client):
    ended = SignInFactory(user=client.user, ended_at=timezone.now())
    refused(client.delete(f"{PATH}/{ended.pk}"), 404, "not_found")


def test_strangers_are_asked_to_sign_in():
    refused(ApiClient().get(PATH), 401, "not_authenticated")
    refused(ApiClient().delete(f"{PATH}/1"), 401, "not_authenticated")
