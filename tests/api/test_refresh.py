"""POST /api/auth/refresh"""

import threading
from datetime import timedelta

import jwt
import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts import selectors
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


def test_a_dead_token_used_again_ends_the_whole_sign_in(client):
    stolen = client.tokens.refresh_token
    fresh = refresh(stolen).json()
    refused(refresh(stolen), 401, "token_reused")
    refused(refresh(fresh["refresh_token"]), 401, "token_revoked")
    refused(ApiClient(token=fresh["access_token"]).get("/api/auth/me"), 401, "token_revoked")
    refused(client.get("/api/auth/me"), 401, "token_revoked")
    refused(refresh(stolen), 401, "token_reused")


@pytest.mark.django_db(transaction=True)
def test_an_ended_sign_in_gives_the_same_reasons_although_the_replica_lacks_it():
    client = ApiClient.approved()
    dead = client.tokens.refresh_token
    fresh = refresh(dead).json()
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
    refresh(client.tokens.refresh_token)
    refresh(client.tokens.refresh_token)
    assert other.get("/api/auth/me").status_code == 200


@pytest.mark.parametrize(
    "end",
    [
        lambda user: User.objects.update(is_approved=False),
        lambda user: user.delete(),
        lambda user: SignIn.objects.update(ended_at=timezone.now()),
        lambda user: SignIn.objects.update(expires_at=timezone.now()),
    ],
    ids=["un-approved", "deleted", "signed out", "expired"],
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


def test_a_refresh_is_one_update_and_one_read(client, django_assert_num_queries):
    with django_assert_num_queries(2):
        refresh(client.tokens.refresh_token)


@pytest.mark.django_db(transaction=True)
def test_of_two_refreshes_at_once_exactly_one_succeeds():
    token = ApiClient.approved().tokens.refresh_token
    barrier = threading.Barrier(4)
    statuses = []

    def run():
        barrier.wait()
        statuses.append(refresh(token).status_code)
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 401, 401, 401]


def test_who_wins_the_race_is_answered_though_the_loser_ended_the_sign_in(client, monkeypatch):
    token = client.tokens.refresh_token
    user = selectors.user

    def as_if_another_came_in_between(user_id):
        monkeypatch.undo()
        refused(refresh(token), 401, "token_reused")
        return user(user_id)

    monkeypatch.setattr(selectors, "user", as_if_another_came_in_between)
    body = refresh(token).json()
    refused(ApiClient(token=body["access_token"]).get("/api/auth/me"), 401, "token_revoked")
