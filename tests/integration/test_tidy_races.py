"""manage.py tidy meets others: another tidy, a login, a refresh, a restore from the trash."""

from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import ResetCode, SignIn
from core.models import AuditEntry
from designs.fields import Status
from designs.models import Design
from tests.api.client import ApiClient
from tests.factories.accounts import PASSWORD, SignInFactory, UserFactory
from tests.factories.designs import DesignFactory
from tests.integration.test_tidy import reset_code, tidy
from tests.races import Meanwhile, at_once

pytestmark = pytest.mark.django_db(transaction=True)

NOW, HOUR, DAY = timezone.now(), timedelta(hours=1), timedelta(days=1)


def test_two_at_once_remove_each_row_once():
    user = UserFactory()
    SignInFactory.create_batch(20, user=user, ended_at=NOW - 8 * DAY)
    DesignFactory.create_batch(3, status=Status.DELETED, deleted_at=NOW - 31 * DAY)
    first, second = at_once(*[lambda: tidy("sign_ins", "trash")] * 2)
    assert Counter(first) + Counter(second) == {"sign_ins": 20, "trash": 3}
    assert not SignIn.objects.exists()
    assert not Design.objects.exists()
    assert AuditEntry.objects.filter(action="design.purge").count() == 3


def test_a_login_and_a_refresh_go_on(monkeypatch):
    user = UserFactory()
    credentials = {"username": user.username, "password": PASSWORD}
    old = ApiClient().post("/api/auth/login", credentials).json()
    SignIn.objects.update(expires_at=NOW - 8 * DAY)
    tokens = ApiClient().post("/api/auth/login", credentials).json()

    def sign_in_and_refresh():
        new = ApiClient().post("/api/auth/login", credentials)
        both = [
            ApiClient().post("/api/auth/refresh", {"refresh_token": one["refresh_token"]})
            for one in (tokens, old)
        ]
        return [answer.status_code for answer in (new, *both)]

    others = Meanwhile(monkeypatch, "core.batches.first_keys", sign_in_and_refresh)
    assert tidy("sign_ins") == {"sign_ins": 1}
    assert others.answer() == [200, 200, 401]
    assert SignIn.objects.filter(ended_at=None, expires_at__gt=NOW).count() == 2


def test_a_row_that_is_used_again_after_it_was_found_stays(monkeypatch):
    code = reset_code(2 * HOUR)
    used = ResetCode.objects.filter(pk=code.pk)
    again = Meanwhile(monkeypatch, "core.batches.first_keys", lambda: used.update(expires_at=NOW + HOUR))
    assert tidy("reset_codes") == {}
    assert again.answer() == 1
    assert used.exists()


def test_a_design_that_is_restored_meanwhile_stays_whole_or_is_gone(monkeypatch):
    admin, design = ApiClient.admin(), DesignFactory()
    admin.delete(f"/api/designs/{design.pk}")
    Design.objects.update(deleted_at=NOW - 31 * DAY)
    restore = Meanwhile(
        monkeypatch,
        "designs.services.design_purge",
        lambda: admin.post(f"/api/designs/{design.pk}/restore").status_code,
    )
    went = tidy("trash")
    assert (restore.answer(), went) in [(200, {}), (404, {"trash": 1})]
    assert Design.objects.filter(status=Status.PUBLISHED).exists() == (not went)
