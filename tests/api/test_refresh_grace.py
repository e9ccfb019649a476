"""A refresh token that is used again: the same successor within the grace, and later the end of the sign-in."""

from contextlib import nullcontext
from datetime import timedelta

import jwt
import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.utils import timezone

from accounts import refresh as refreshing
from accounts.models import SignIn
from accounts.tokens import RefreshToken
from core import replica
from core.sql import stored_time
from d1backend import OutcomeUnknown
from d1backend.replica import on_primary
from tests.api.client import ApiClient, refused
from tests.factories.accounts import PASSWORD
from tests.races import at_once

ME = "/api/auth/me"
NEW = "nine yards of silk"
on_d1 = pytest.mark.skipif(not replica.is_used(), reason="only D1 has other hosts (TEST_ENGINE=d1)")


def refresh(token):
    return ApiClient().post("/api/auth/refresh", {"refresh_token": token})


def successor(token):
    response = refresh(token)
    assert response.status_code == 200, response.content
    return response.json()["refresh_token"]


def is_in(access_token):
    return ApiClient(token=access_token).get(ME).status_code == 200


def pass_time(seconds):
    """Let the last refreshes have happened so much earlier."""
    for sign_in in SignIn.objects.all():
        sign_in.last_used_at -= timedelta(seconds=seconds)
        sign_in.expires_at -= timedelta(seconds=seconds)
        sign_in.save(update_fields=["last_used_at", "expires_at"])


@pytest.fixture
def client(db):
    return ApiClient.approved()


@pytest.fixture
def token(client):
    return client.tokens.refresh_token


def test_within_the_grace_it_gets_the_same_successor(client, token):
    first, again = refresh(token).json(), refresh(token).json()
    assert again["refresh_token"] == first["refresh_token"]
    assert is_in(client.token)
    assert is_in(first["access_token"])
    assert is_in(again["access_token"])
    assert SignIn.objects.count() == 1
    assert refresh(again["refresh_token"]).status_code == 200


def test_the_grace_extends_no_lifetime(token):
    first = refresh(token).json()
    assert first["refresh_expires_in"] == settings.REFRESH_TOKEN_LIFETIME.total_seconds()
    pass_time(20)
    expiry = SignIn.objects.get().expires_at
    again = refresh(token).json()
    assert first["refresh_expires_in"] - 29 <= again["refresh_expires_in"] <= first["refresh_expires_in"] - 20
    assert SignIn.objects.get().expires_at == expiry
    claims = jwt.decode(again["refresh_token"], settings.JWT_SECRET, ["HS256"])
    assert claims["exp"] == int(expiry.timestamp())


def test_after_the_grace_it_ends_the_whole_sign_in(client, token):
    fresh = refresh(token).json()
    pass_time(31)
    refused(refresh(token), 401, "token_reused")
    refused(refresh(fresh["refresh_token"]), 401, "token_revoked")
    for access in (client.token, fresh["access_token"]):
        refused(ApiClient(token=access).get(ME), 401, "token_revoked")


def test_the_grace_counts_from_the_first_use(token):
    successor(token)
    pass_time(20)
    successor(token)
    pass_time(11)
    refused(refresh(token), 401, "token_reused")


def test_the_grace_ends_when_the_successor_is_refreshed(token):
    third = successor(successor(token))
    refused(refresh(token), 401, "token_reused")
    refused(refresh(third), 401, "token_revoked")


def test_the_use_of_an_access_token_does_not_end_it(token):
    fresh = refresh(token).json()
    assert is_in(fresh["access_token"])
    assert successor(token) == fresh["refresh_token"]


def test_a_successor_has_a_grace_of_its_own(token):
    second = successor(token)
    pass_time(40)
    assert successor(second) == successor(second)


def test_without_a_grace_every_second_use_is_a_theft(token, settings):
    settings.REFRESH_GRACE = timedelta(0)
    fresh = successor(token)
    pass_time(1)
    refused(refresh(token), 401, "token_reused")
    refused(refresh(fresh), 401, "token_revoked")


def other_device(client):
    return ApiClient(client.user)


ENDS = {
    "logout": lambda client, other: client.post("/api/auth/logout"),
    "an ended session": lambda client, other: other.delete(f"/api/auth/sessions/{client.tokens.sign_in.pk}"),
    "a new password": lambda client, other: other.post(
        "/api/auth/password", {"current_password": PASSWORD, "new_password": NEW}
    ),
    "a password by staff": lambda client, other: ApiClient.admin().put(
        f"/api/admin/users/{client.user.pk}", {"password": NEW}
    ),
    "deletion": lambda client, other: ApiClient.admin().delete(f"/api/admin/users/{client.user.pk}"),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_the_end_of_the_sign_in_ends_the_grace(client, token, end):
    fresh = refresh(token).json()
    assert end(client, other_device(client)).status_code == 200
    refused(refresh(token), 401, "token_revoked")
    refused(refresh(fresh["refresh_token"]), 401, "token_revoked")
    refused(ApiClient(token=fresh["access_token"]).get(ME), 401, "token_revoked")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("count", [2, 8])
def test_refreshes_at_once_all_get_the_same_successor(count):
    token = ApiClient.approved().tokens.refresh_token
    answers = at_once(*[lambda: refresh(token)] * count)
    assert [answer.status_code for answer in answers] == [200] * count
    (shared,) = {answer.json()["refresh_token"] for answer in answers}
    assert all(is_in(answer.json()["access_token"]) for answer in answers)
    assert SignIn.objects.count() == 1
    assert refresh(shared).status_code == 200


DECISIONS = {
    "rejection": lambda client, other: ApiClient.admin().post(f"/api/admin/users/{client.user.pk}/reject"),
    "un-approval": lambda client, other: ApiClient.admin().put(
        f"/api/admin/users/{client.user.pk}", {"is_approved": False}
    ),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("end", [*ENDS.values(), *DECISIONS.values()], ids=[*ENDS, *DECISIONS])
def test_an_end_at_once_with_refreshes_leaves_nobody_signed_in(end):
    client = ApiClient.approved()
    token, other = client.tokens.refresh_token, other_device(client)
    *answers, ended = at_once(*[lambda: refresh(token)] * 2, lambda: end(client, other))
    assert ended.status_code == 200
    assert {answer.status_code for answer in answers} <= {200, 401, 403}
    given = [answer.json() for answer in answers if answer.status_code == 200]
    for dead in {token, *(body["refresh_token"] for body in given)}:
        assert refresh(dead).status_code in (401, 403)
    for body in given:
        refused(ApiClient(token=body["access_token"]).get(ME), 401, "token_revoked")


@pytest.mark.skipif(hasattr(connection, "round_trips"), reason="on D1 it is one batch")
@pytest.mark.django_db(transaction=True)
def test_nothing_comes_between_the_write_of_a_refresh_and_its_read(monkeypatch):
    token, real = ApiClient.approved().tokens.refresh_token, refreshing.write_then_gather
    in_transaction = []

    def ask_too(sql, params, *asks):
        *answers, seen = real(sql, params, *asks, lambda: connection.in_atomic_block)
        in_transaction.append(seen)
        return answers

    monkeypatch.setattr(refreshing, "write_then_gather", ask_too)
    successor(token)
    assert in_transaction == [True]


@pytest.mark.parametrize("stored", [True, False])
def test_a_lost_answer_signs_nobody_out(token, monkeypatch, stored):
    real, left = refreshing.write_then_gather, [1]

    def lose_the_first(*arguments):
        if left:
            left.pop()
            if stored:
                real(*arguments)
            raise OutcomeUnknown("the answer was lost")
        return real(*arguments)

    monkeypatch.setattr(refreshing, "write_then_gather", lose_the_first)
    fresh = successor(token)
    assert successor(token) == fresh
    assert refresh(fresh).status_code == 200


@pytest.mark.parametrize("then", [OperationalError("D1 is away"), OutcomeUnknown("lost too")])
def test_where_d1_goes_away_after_a_lost_answer_nobody_says_that_nothing_was_done(token, monkeypatch, then):
    errors = [OutcomeUnknown("the answer was lost"), then]

    def fail(*arguments):
        raise errors.pop(0)

    monkeypatch.setattr(refreshing, "write_then_gather", fail)
    refused(refresh(token), 503, "outcome_unknown")
    assert not errors


@on_d1
@pytest.mark.django_db(transaction=True)
class TestOnSeveralHosts:
    @pytest.fixture
    def client(self):
        client = ApiClient.approved()
        client.get(ME)  # the copy is fresh
        return client

    def trips_of(self, call):
        before = connection.round_trips
        return call(), connection.round_trips - before

    def elsewhere(self, sql, *params):
        """Change the database behind this host's back."""
        session = connection.connection.session
        session.api.batch(session.database, [(sql, [str(param) for param in params])])

    @pytest.mark.parametrize("reads", [nullcontext, on_primary], ids=["with the copy", "without"])
    def test_each_use_is_one_round_trip(self, token, reads):
        with reads():
            first, trips = self.trips_of(lambda: refresh(token))
            assert (first.status_code, trips) == (200, 1)
            again, trips = self.trips_of(lambda: refresh(token))
            assert (again.json()["refresh_token"], trips) == (first.json()["refresh_token"], 1)

    def test_what_another_host_has_traded_is_given_here(self, client, token):
        sign_in = client.tokens.sign_in
        sign_in.refresh_id = refreshing.successor_of(sign_in.refresh_id)
        sign_in.last_used_at = timezone.now() - timedelta(seconds=9)
        self.elsewhere(
            "UPDATE sign_ins SET refresh_id = ?, last_used_at = ? WHERE id = CAST(? AS INTEGER)",
            sign_in.refresh_id, stored_time(sign_in.last_used_at), sign_in.pk,
        )  # fmt: skip
        response, trips = self.trips_of(lambda: refresh(token))
        assert (response.status_code, trips) == (200, 1)
        assert response.json()["refresh_token"] == str(RefreshToken.of(sign_in))

    def test_what_has_ended_on_another_host_has_ended_here(self, client, token):
        fresh = successor(token)
        self.elsewhere("UPDATE sign_ins SET ended_at = ?", stored_time(timezone.now()))
        refused(refresh(token), 401, "token_revoked")
        refused(refresh(fresh), 401, "token_revoked")
