"""What `manage.py d1_time_travel --restore` says of the gallery: what a restore loses, and what is to do after it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import DatabaseError
from django.db.models import Count

from accounts.models import User
from core.models import AuditEntry
from d1backend.time_travel import asks_what_is_lost, asks_what_is_next

UNCOUNTED = "Likes, views, sign-ins and new passwords, which are not counted here."
NEXT = (
    "Run `python manage.py tidy --only deleted_accounts` now: people who deleted their account since are there again.",
    "Run `python manage.py migrate` if this release has migrations that are newer than the moment.",
    "Passwords, rejections and ended sessions are those of the moment again. Repeat what must hold.",
    "Run `python manage.py tidy --only uploads`: pictures uploaded since have no row. Those deleted since are missing.",
    "Imports that were under way begin again from their file.",
)


def connect() -> None:
    asks_what_is_lost.connect(what_is_lost)
    asks_what_is_next.connect(what_is_next)


def what_is_lost(using: str, since: datetime | None, **kwargs: Any) -> Sequence[str]:
    """Return what was written since then, by kinds; less if only a bookmark says when that was."""
    if since is None:
        return [UNCOUNTED]
    try:
        return [*counts(using, since), UNCOUNTED]
    except DatabaseError as error:
        # What is to be undone may be a schema in which nothing can be counted.
        return [f"What was written since, which could not be counted: {error}"]


def counts(using: str, since: datetime) -> list[str]:
    people = User.objects.using(using).filter(created_at__gte=since).count()
    entries = AuditEntry.objects.using(using).filter(created_at__gte=since).order_by()
    actions = list(entries.values_list("action").annotate(count=Count("pk")).order_by("-count", "action"))
    listed = ", ".join(f"{action} {count:,}" for action, count in actions)
    trail = f"Lines of the audit trail: {sum(count for _, count in actions):,}"
    return [f"People who registered: {people:,}", f"{trail} ({listed})" if listed else trail]


def what_is_next(using: str, **kwargs: Any) -> Sequence[str]:
    return NEXT
