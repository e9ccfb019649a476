"""POST /api/admin/users/{id}/reset-code: staff make a one-time code for a user who forgot their password."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import ResetCode
from accounts.resets import hash_of
from core.models import AuditEntry
from tests.api.client import ApiClient, refused
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return ApiClient.admin()


def path_of(user):
    return f"/api/admin/users/{user.pk}/reset-code"


def test_a_code_is_shown_once_with_the_moment_it_expires(admin):
    user = UserFactory()
    response = admin.post(path_of(user))
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    body = response.json()
    assert set(body) == {"code", "expires_at"}
    assert body["expires_at"].endswith("Z")
    left = datetime.fromisoformat(body["expires_at"]) - timezone.now()
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)
    symbols = body["code"].replace("-", "")
    assert len(symbols) >= 10
    assert not set(symbols) & set("0O1IL2Z5S8BV")
    assert symbols.isupper()


def test_codes_are_random(admin):
    user = UserFactory()
    assert len({admin.post(path_of(user)).json()["code"] for _ in range(20)}) == 20


def test_only_a_keyed_hash_is_stored(admin, settings):
    user = UserFactory()
    code = admin.post(path_of(user)).json()["code"]
    stored = ResetCode.objects.get()
    assert code.replace("-", "") not in str(vars(stored)).upper().replace("-", "")
    settings.SECRET_KEY = "another"
    assert hash_of(code) != stored.code_hash


@pytest.mark.parametrize("trait", ["pending", "rejected", "admin"])
def test_accounts_of_every_kind_can_have_one(admin, trait):
    assert admin.post(path_of(UserFactory(**{trait: True}))).status_code == 200


def test_it_is_audited_without_the_code(admin, caplog):
    caplog.set_level(0)
    user = UserFactory(username="meera")
    code = admin.post(path_of(user)).json()["code"]
    entry = AuditEntry.objects.get()
    assert (entry.actor_id, entry.action, entry.changes) == (admin.user.pk, "user.reset_code", {})
    assert (entry.object_type, entry.object_id, entry.object_label) == ("user", str(user.pk), "meera")
    kept = [*AuditEntry.objects.values_list(), *(record.getMessage() for record in caplog.records)]
    assert not [line for line in kept if code in str(line)]


def test_nobody_makes_one_for_themselves(admin):
    refused(admin.post(path_of(admin.user)), 409, "own_account")
    assert not ResetCode.objects.exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("number", [0, 999999, "9" * 30])
def test_there_is_none_for_an_unknown_user(admin, number):
    refused(admin.post(f"/api/admin/users/{number}/reset-code"), 404, "not_found")


def test_only_admins_make_one():
    user = UserFactory()
    refused(ApiClient().post(path_of(user)), 401, "not_authenticated")
    refused(ApiClient.approved().post(path_of(user)), 403, "forbidden")
    refused(ApiClient.admin().get(path_of(user)), 405, "method_not_allowed")


def test_it_goes_with_the_account(admin):
    user = UserFactory()
    admin.post(path_of(user))
    assert admin.delete(f"/api/admin/users/{user.pk}").status_code == 200
    assert not ResetCode.objects.exists()
