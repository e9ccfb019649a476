"""POST /api/admin/users/{id}/approve and /reject"""

import pytest

from accounts.models import User
from core.models import AuditEntry
from tests.api.client import ApiClient, refused
from tests.factories.accounts import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return ApiClient.admin()


def review(client, user, verb, body=None):
    return client.post(f"/api/admin/users/{user.pk}/{verb}", body)


def login(user):
    return ApiClient().post("/api/auth/login", {"username": user.username, "password": PASSWORD})


def test_an_approved_user_can_sign_in(admin):
    user = UserFactory(pending=True)
    body = review(admin, user, "approve").json()
    assert body["success"] is True
    assert body["message"]
    assert body["user"]["state"] == "approved"
    assert body["user"]["is_approved"] is True
    assert body["user"]["reviewed_at"].endswith("Z")
    assert body["user"]["reviewed_by"] == {"id": admin.user.pk, "username": admin.user.username}
    assert login(user).status_code == 200


def test_a_rejected_user_leaves_the_queue_and_cannot_sign_in(admin):
    user = UserFactory(pending=True)
    body = review(admin, user, "reject", {"reason": " Not a weaver "}).json()
    assert body["user"]["state"] == "rejected"
    assert body["user"]["rejection_reason"] == "Not a weaver"
    assert admin.get("/api/admin/users/pending").json()["items"] == []
    refused(login(user), 403, "approval_rejected")


def test_a_rejected_user_can_be_approved_later(admin):
    user = UserFactory(rejected=True)
    body = review(admin, user, "approve").json()
    assert body["user"]["rejection_reason"] is None
    assert login(user).status_code == 200


@pytest.mark.parametrize("body", [None, {}, {"reason": None}, {"reason": ""}])
def test_a_reason_need_not_be_given(admin, body):
    shown = review(admin, UserFactory(pending=True), "reject", body).json()["user"]
    assert shown["state"] == "rejected"
    assert shown["rejection_reason"] is None


@pytest.mark.parametrize("reason", [5, ["x"], "x" * 501, "a\0b"])
def test_a_bad_reason_is_named_and_decides_nothing(admin, reason):
    user = UserFactory(pending=True)
    assert list(refused(review(admin, user, "reject", {"reason": reason}), 400, "invalid")) == ["reason"]
    user.refresh_from_db()
    assert user.state == "pending"


def test_rejecting_takes_hold_of_live_tokens_for_good(admin):
    phone = ApiClient.approved()
    review(admin, phone.user, "reject")
    refused(phone.get("/api/auth/me"), 401, "token_revoked")
    refresh = ApiClient().post("/api/auth/refresh", {"refresh_token": phone.tokens.refresh_token})
    refused(refresh, 403, "approval_rejected")
    review(admin, phone.user, "approve")
    refused(phone.get("/api/auth/me"), 401, "token_revoked")


def test_deciding_twice_is_deciding_once(admin):
    user = UserFactory(pending=True)
    for verb in ("approve", "reject"):
        first = review(admin, user, verb, {"reason": "Spam"}).json()
        again = ApiClient.admin()
        assert review(again, user, verb).json() == first
    actions = AuditEntry.objects.order_by("id").values_list("action", flat=True)
    assert list(actions) == ["user.approve", "user.reject"]


def test_another_reason_is_kept_in_the_place_of_the_first(admin):
    user = UserFactory(rejected=True)
    assert review(admin, user, "reject", {"reason": "Spam"}).json()["user"]["rejection_reason"] == "Spam"


def test_decisions_are_audited_with_old_and_new(admin):
    user = UserFactory(pending=True)
    review(admin, user, "reject", {"reason": "Spam"})
    entry = AuditEntry.objects.get()
    assert (entry.actor_id, entry.action, entry.object_type) == (admin.user.pk, "user.reject", "user")
    assert (entry.object_id, entry.object_label) == (str(user.pk), user.username)
    assert entry.changes == {"state": ["pending", "rejected"], "rejection_reason": ["", "Spam"]}


def test_nobody_rejects_himself(admin):
    UserFactory(admin=True)
    refused(review(admin, admin.user, "reject"), 409, "own_account")
    assert admin.get("/api/auth/me").status_code == 200
    assert not AuditEntry.objects.exists()


def test_the_last_admin_is_not_rejected(admin):
    UserFactory(admin=True, pending=True)
    refused(review(admin, admin.user, "reject"), 409, "last_admin")


@pytest.mark.parametrize("verb", ["approve", "reject"])
@pytest.mark.parametrize("number", ["0", "999999", "9" * 30])
def test_unknown_ids_are_not_found(admin, verb, number):
    refused(admin.post(f"/api/admin/users/{number}/{verb}"), 404, "not_found")


@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_only_admins_decide(verb):
    user = UserFactory(pending=True)
    refused(review(ApiClient(), user, verb), 401, "not_authenticated")
    refused(review(ApiClient.approved(), user, verb), 403, "forbidden")
    assert User.objects.get(pk=user.pk).state == "pending"
