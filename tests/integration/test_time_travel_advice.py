"""What d1_time_travel says of the gallery before and after it takes the database back."""

from datetime import timedelta

import pytest
from django.db import DEFAULT_DB_ALIAS
from django.utils import timezone

from accounts.models import User
from core import audit
from core.models import AuditEntry
from d1backend.time_travel import asks_what_is_lost, asks_what_is_next
from operations.time_travel import UNCOUNTED
from tests.factories.accounts import UserFactory

pytestmark = pytest.mark.django_db


def said(question, **about):
    return [line for _, lines in question.send(None, using=DEFAULT_DB_ALIAS, **about) for line in lines]


def test_what_is_lost_is_counted_from_the_moment_on():
    early = UserFactory()
    User.objects.filter(pk=early.pk).update(created_at=timezone.now() - timedelta(days=2))
    boss = UserFactory(admin=True)
    for action in ("user.approve", "user.approve", "user.reject"):
        audit.record(boss, action, early)
    since = timezone.now() - timedelta(hours=1)
    assert said(asks_what_is_lost, since=since) == [
        "People who registered: 1",
        "Lines of the audit trail: 3 (user.approve 2, user.reject 1)",
        UNCOUNTED,
    ]
    assert said(asks_what_is_lost, since=timezone.now() + timedelta(seconds=1))[:2] == [
        "People who registered: 0",
        "Lines of the audit trail: 0",
    ]


def test_a_bookmark_alone_says_no_numbers():
    assert said(asks_what_is_lost, since=None) == [UNCOUNTED]


def test_a_broken_schema_is_no_obstacle(monkeypatch):
    monkeypatch.setattr(AuditEntry._meta, "db_table", "gone")
    (line,) = said(asks_what_is_lost, since=timezone.now())
    assert "could not be counted" in line
    assert "gone" in line


def test_the_next_steps_begin_with_who_left():
    assert "tidy --only deleted_accounts" in said(asks_what_is_next)[0]
