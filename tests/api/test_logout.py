"""POST /api/auth/logout"""

import pytest

from tests.api.client import ApiClient, refused

pytestmark = pytest.mark.django_db

PATH = "/api/auth/logout"
ME = "/api/auth/me"


@pytest.fixture
def client():
    return ApiClient.approved()


def test_signing_out_ends_access_and_refresh_tokens(client):
    other = ApiClient(client.user)
    response = client.post(PATH)
    assert response.status_code == 200
    assert response.json()["success"] is True
    refused(client.get(ME), 401, "token_revoked")
    refused(client.post(PATH), 401, "token_revoked")
    refresh = ApiClient().post("/api/auth/refresh", {"refresh_token": client.tokens.refresh_token})
    refused(refresh, 401, "token_revoked")
    assert other.get(ME).status_code == 200


def test_a_refresh_token_of_ones_own_ends_its_sign_in_too(client):
    other = ApiClient(client.user)
    client.post(PATH, {"refresh_token": other.tokens.refresh_token})
    refused(client.get(ME), 401, "token_revoked")
    refused(other.get(ME), 401, "token_revoked")


def test_a_refresh_token_of_somebody_else_ends_nothing_of_his(client):
    other = ApiClient.approved()
    assert client.post(PATH, {"refresh_token": other.tokens.refresh_token}).status_code == 200
    assert other.get(ME).status_code == 200


@pytest.mark.parametrize("token", ["", None, "silk", "a.b.c"])
def test_a_refresh_token_that_is_no_good_keeps_nobody_signed_in(client, token):
    assert client.post(PATH, {"refresh_token": token}).status_code == 200
    refused(client.get(ME), 401, "token_revoked")


def test_a_body_that_makes_no_sense_is_refused(client):
    refused(client.post(PATH, {"refresh_token": 5}), 400, "invalid")
    refused(client.post(PATH, "{"), 400, "malformed")
    assert client.get(ME).status_code == 200


def test_strangers_are_asked_to_sign_in():
    refused(ApiClient().post(PATH), 401, "not_authenticated")
