"""POST /api/auth/refresh. The grace: test_refresh_grace.py."""

from datetime import timedelta

import jwt
import pytest
from django.conf import settings
from django.utils import timezone

from accounts.models import SignIn, User
from tests.api.client import ApiClient, refused

PATH = "/api/auth/refresh"


def refresh(token):
    return ApiClient().post(PATH, {"refresh_token": token})


@pytest.fixture
def client(db):
    return ApiClient.approved()


def test_a_refresh_token_is_traded_for_a_new_pair(client):
    response = refresh(client.tokens.refresh_token)
    body = response.json()
    assert response.status_code == 200
    assert body["user"]["id"] == client.user.pk
    assert body["refresh_token"] != client.tokens.refresh_token
    assert ApiClient(token=body["access_token"]).get("/api/auth/me").status_code == 200
    assert refresh(body["refresh_token"]).status_code == 200


def test_a_refresh_keeps_the_sign_in_alive(client):
    soon = timezone.now() + timedelta(minutes=1)
    SignIn.objects.update(expires_at=soon, last_used_at=soon - timedelta(days=29))
    refresh(client.tokens.refresh_token)
    sign_in = SignIn.objects.get()
    assert sign_in.expires_at > soon
    assert sign_in.last_used_at > soon - timedelta(days=1)


def test_the_access_token_of_before_goes_on_until_it_expires(client):
    refresh(client.tokens.refresh_token)
    assert client.get("/api/auth/me").status_code == 200


def refreshed_twice(client):
    """A token whose successor has been refreshed, and what the second refresh was answered."""
    dead = client.tokens.refresh_token
    return dead, refresh(refresh(dead).json()["refresh_token"]).json()


def test_a_dead_token_used_again_ends_the_whole_sign_in(client):
    stolen, fresh = refreshed_twice(client)
    refused(refresh(stolen), 401, "token_reused")
    refused(refresh(fresh["refresh_token"]), 401, "token_revoked")
    refused(ApiClient(token=fresh["access_token"]).get("/api/auth/me"), 401, "token_revoked")
    refused(client.get("/api/auth/me"), 401, "token_revoked")
    refused(refresh(stolen), 401, "token_reused")


@pytest.mark.django_db(transaction=True)
def test_an_ended_sign_in_gives_the_same_reasons_although_the_replica_lacks_it():
    client = ApiClient.approved()
    dead, fresh = refreshed_twice(client)
    assert ApiClient(token=fresh["access_token"]).get("/api/auth/sessions").json()
    refused(refresh(dead), 401, "token_reused")
    refused(refresh(dead), 401, "token_reused")
    refused(refresh(fresh["refresh_token"]), 401, "token_revoked")
    refused(ApiClient(token=fresh["access_token"]).get("/api/auth/me"), 401, "token_revoked")
    other = ApiClient(client.user)
    assert other.post("/api/auth/logout").status_code == 200
    refused(other.get("/api/auth/me"), 401, "token_revoked")
    refused(refresh(other.tokens.refresh_token), 401, "token_revoked")


def test_theft_from_one_device_leaves_the_others_signed_in(client):
    other = ApiClient(client.user)
    stolen, _ = refreshed_twice(client)
    refused(refresh(stolen), 401, "token_reused")
    assert other.get("/api/auth/me").status_code == 200


@pytest.mark.parametrize(
    "end",
    [
        lambda user: user.delete(),
        lambda user: SignIn.objects.update(ended_at=timezone.now()),
        lambda user: SignIn.objects.update(expires_at=timezone.now()),
    ],
    ids=["deleted", "signed out", "expired"],
)
def test_a_sign_in_that_is_over_is_not_renewed(client, end):
    end(client.user)
    refused(refresh(client.tokens.refresh_token), 401, "token_revoked")


def changed(token, key=settings.JWT_SECRET, **claims):
    return jwt.encode({**jwt.decode(token, settings.JWT_SECRET, ["HS256"]), **claims}, key, "HS256")


def test_forged_and_expired_tokens_change_nothing(client):
    token = client.tokens.refresh_token
    for bad in ("silk", "a.b.c", token[:-3], client.token, changed(token, key="k" * 40)):
        refused(refresh(bad), 401, "invalid_token")
    refused(refresh(changed(token, exp=1)), 401, "token_expired")
    refused(refresh(changed(token, user_id=client.user.pk + 1)), 401, "token_revoked")
    assert refresh(token).status_code == 200


@pytest.mark.parametrize("body", [{}, {"refresh_token": ""}, {"refresh_token": None}, {"refresh_token": 5}])
def test_a_missing_token_is_named(db, body):
    assert list(refused(ApiClient().post(PATH, body), 400, "invalid")) == ["refresh_token"]


def test_a_bad_bearer_token_does_not_matter_here(client):
    token = client.tokens.refresh_token
    assert ApiClient(token="stale").post(PATH, {"refresh_token": token}).status_code == 200


def test_a_refresh_is_one_update_and_a_read_of_the_user_and_the_sign_in(client, django_assert_num_queries):
    with django_assert_num_queries(3):
        refresh(client.tokens.refresh_token)


def test_a_demoted_admin_gets_the_token_of_a_user(db):
    admin = ApiClient.admin()
    assert claims_of(admin.token)["is_admin"] is True
    User.objects.filter(pk=admin.user.pk).update(is_admin=False)
    body = refresh(admin.tokens.refresh_token).json()
    assert (claims_of(body["access_token"])["is_admin"], body["user"]["is_admin"]) == (False, False)


def claims_of(token):
    return jwt.decode(token, settings.JWT_SECRET, ["HS256"])


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_a_refresh_token_knows_no_leeway(client, claim):
    soon, token = int(timezone.now().timestamp()) + 20, client.tokens.refresh_token
    refused(refresh(changed(token, **{claim: soon})), 401, "invalid_token")
    refused(refresh(changed(token, exp=soon - 21)), 401, "token_expired")
    assert refresh(token).status_code == 200
