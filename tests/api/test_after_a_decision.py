"""What the tokens and the password of a user open after staff have decided about them."""

import jwt
import pytest
from django.conf import settings
from django.db import connection

from accounts.models import SignIn
from core import replica
from tests.api.client import ApiClient, refused
from tests.factories.accounts import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

ME = "/api/auth/me"


@pytest.fixture
def admin():
    return ApiClient.admin()


@pytest.fixture
def phone():
    return ApiClient.approved()


def login(user):
    return ApiClient().post("/api/auth/login", {"username": user.username, "password": PASSWORD})


def refresh(token):
    return ApiClient().post("/api/auth/refresh", {"refresh_token": token})


def reject(admin, user, **body):
    assert admin.post(f"/api/admin/users/{user.pk}/reject", body).status_code == 200


def un_approve(admin, user):
    assert admin.put(f"/api/admin/users/{user.pk}", {"is_approved": False}).status_code == 200


def approve(admin, user):
    assert admin.post(f"/api/admin/users/{user.pk}/approve").status_code == 200


def declined(response):
    """Assert that the answer is approval_rejected; return its reason."""
    refused(response, 403, "approval_rejected")
    return response.json()["rejection_reason"]


@pytest.mark.parametrize("reason", [None, "", "   ", "Wir kennen dich nicht, बुनकर <b>?</b>"])
def test_a_rejected_user_reads_the_reason_wherever_they_ask(admin, phone, reason):
    reject(admin, phone.user, reason=reason)
    expected = (reason or "").strip() or None
    refused(phone.get(ME), 401, "token_revoked")
    assert declined(login(phone.user)) == expected
    for _ in range(2):
        assert declined(refresh(phone.tokens.refresh_token)) == expected


def test_the_reason_is_the_latest(admin, phone):
    for reason in ("First.", "Second."):
        reject(admin, phone.user, reason=reason)
        assert declined(refresh(phone.tokens.refresh_token)) == reason
    assert declined(login(phone.user)) == "Second."


@pytest.mark.parametrize("reason_before", [None, "Unknown to us"])
def test_an_un_approved_user_waits_without_a_reason(admin, phone, reason_before):
    if reason_before:
        reject(admin, phone.user, reason=reason_before)
    un_approve(admin, phone.user)
    refused(phone.get(ME), 401, "token_revoked")
    refused(login(phone.user), 403, "approval_pending")
    refused(refresh(phone.tokens.refresh_token), 403, "approval_pending")


@pytest.mark.parametrize("decide", [reject, un_approve])
def test_an_approval_brings_no_sign_in_back(admin, phone, decide):
    token = phone.tokens.refresh_token
    successor = refresh(token).json()["refresh_token"]
    decide(admin, phone.user)
    assert refresh(token).status_code == refresh(successor).status_code == 403
    approve(admin, phone.user)
    for dead in (token, successor):
        refused(refresh(dead), 401, "token_revoked")
    refused(phone.get(ME), 401, "token_revoked")
    assert login(phone.user).status_code == 200


def test_a_deleted_user_is_told_nothing(admin, phone):
    reject(admin, phone.user, reason="Unknown to us")
    assert admin.delete(f"/api/admin/users/{phone.user.pk}").status_code == 200
    refused(phone.get(ME), 401, "token_revoked")
    refused(refresh(phone.tokens.refresh_token), 401, "token_revoked")
    refused(login(phone.user), 401, "invalid_credentials")


def test_the_reason_outlives_the_row_of_the_sign_in(admin, phone):
    reject(admin, phone.user, reason="Unknown to us")
    SignIn.objects.all().delete()
    assert declined(refresh(phone.tokens.refresh_token)) == "Unknown to us"


def test_rejected_refreshes_count(admin, phone, settings):
    settings.SIGN_IN_FAILURES = (1, 3600)
    reject(admin, phone.user)
    for _ in range(20):
        declined(refresh(phone.tokens.refresh_token))
    refused(refresh(phone.tokens.refresh_token), 429, "too_many_attempts")


@pytest.mark.skipif(not replica.is_used(), reason="only D1 with its replica (TEST_ENGINE=d1)")
@pytest.mark.django_db(transaction=True)
def test_what_this_host_knows_is_answered_without_asking_d1():
    admin, phone = ApiClient.admin(), ApiClient.approved()
    reject(admin, phone.user, reason="Unknown to us")
    admin.get(ME)  # the copy is fresh
    claims = jwt.decode(phone.tokens.refresh_token, settings.JWT_SECRET, ["HS256"])
    # The copy may lack what is as new as itself, so the token says that it is older.
    old = jwt.encode(claims | {"iat": claims["iat"] - 60}, settings.JWT_SECRET, "HS256")
    before = connection.round_trips
    assert declined(refresh(old)) == "Unknown to us"
    assert connection.round_trips == before


def test_the_admin_sees_what_was_decided(admin, phone):
    reject(admin, phone.user, reason="Unknown to us")
    shown = admin.get(f"/api/admin/users/{phone.user.pk}").json()
    assert (shown["state"], shown["rejection_reason"]) == ("rejected", "Unknown to us")
    assert shown["reviewed_by"] == {"id": admin.user.pk, "username": admin.user.username}
    un_approve(admin, phone.user)
    shown = admin.get(f"/api/admin/users/{phone.user.pk}").json()
    assert [shown[name] for name in ("state", "rejection_reason", "reviewed_at", "reviewed_by")] == [
        "pending",
        None,
        None,
        None,
    ]


@pytest.mark.parametrize("trait", ["rejected", "pending"])
def test_a_wrong_password_hears_of_no_decision(trait):
    user = UserFactory(**{trait: True})
    answer = ApiClient().post("/api/auth/login", {"username": user.username, "password": "wrong password"})
    refused(answer, 401, "invalid_credentials")
