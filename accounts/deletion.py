"""Deletion of an account by its owner, and again after a restore of the database.

Who leaves is nameless from then on, in the audit trail too. Their id is also kept outside the database
(accounts.deleted_ids), because a restore brings the account back. Deletion by staff is in accounts.services.
"""

import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.db.models import F, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from accounts import deleted_ids, services, sessions
from accounts.models import User
from accounts.removal import user_removal
from accounts.sessions import TokenRevoked
from core import audit
from core.errors import Conflict, Forbidden, Unavailable
from core.models import AuditEntry
from d1backend import SerializationFailure, retry_on_conflict
from d1backend.replica import on_primary

logger = logging.getLogger(__name__)

DELETION = "user.delete"  # the action in the audit trail
CHUNK = 500  # ids asked about at once
# A restore brings back the last key that the table gave, too.
SKIP_KEYS = "UPDATE sqlite_sequence SET seq = max(seq, %s) WHERE name = 'users'"


def account_delete(username: str, password: str, *, address: str, user_id: int | None = None) -> None:
    """Delete the account of that name, in any state, for good. With `user_id` it must be that user's.

    Raises TooMany, Forbidden (`wrong_password`), Conflict (`last_admin`), NotAuthenticated (`token_revoked`) if the
    user has just been deleted, and SerializationFailure if they have just been changed.
    """
    with sessions.attempt(address, username) as guess:
        user, hashed = sessions.user_in_replica(username, password)
        if user is None or hashed is None or not deleted_as_copied(user, hashed, user_id):
            user = sessions.user_by_credentials(username, password, hashed, guess)
            if user is None or user_id not in (None, user.pk):
                if user_id is not None and not User.objects.filter(pk=user_id).exists():
                    raise TokenRevoked
                guess.fail()
                raise Forbidden("The password is wrong.", code="wrong_password")
            try:
                delete_nameless(user, password=user.password)
            except Conflict:
                guess.succeed()
                raise
        guess.succeed()
    keep_id(user)


def deleted_as_copied(user: User, hashed: str, user_id: int | None) -> bool:
    """Delete a user as the replica has them, if the database has that hash of their password; return whether it had.

    A refusal by the copy, which may be old, is none: the database decides, and about the password first.
    """
    if user.pk is None or user_id not in (None, user.pk):
        return False
    with suppress(SerializationFailure, Conflict):
        delete_nameless(user, password=hashed)
        return True
    return False


def delete_nameless(user: User, **as_read: str) -> None:
    """Delete the user, and replace their names in the audit trail.

    Raises Conflict (`last_admin`), and SerializationFailure if the stored user is not the one that was read.
    """
    conditions = services.keep_an_admin(None, user)
    fields = ("username", "is_admin", "is_approved")
    remove_nameless(user, *conditions, **as_read, **{name: getattr(user, name) for name in fields})


def remove_nameless(user: User, *conditions: Any, **as_read: Any) -> None:
    nameless = User(pk=user.pk, username=audit.anonymous_name(user.pk))
    remove = user_removal(user)
    with transaction.atomic():
        remove(*conditions, **as_read)
        audit.anonymise(user)
        audit.record(nameless, DELETION, nameless)


def keep_id(user: User) -> None:
    """Keep the id of a user who is deleted. Where the storage is away, the next `erase_again` finds it in the trail."""
    try:
        deleted_ids.add(user.pk, timezone.now())
    except Unavailable:
        logger.exception(
            "user %d is deleted, but their id is not kept outside the database: "
            "run manage.py tidy --only deleted_accounts before a restore",
            user.pk,
        )


@dataclass
class Report:
    """The ids that erase_again has kept outside the database, and those of users whom it has deleted again."""

    kept: list[int] = field(default_factory=list)
    erased: list[int] = field(default_factory=list)
    has_admin: bool = True


@on_primary()
def erase_again(*, dry_run: bool = False) -> Report:
    """Delete whoever left by themselves and is there again, because the database was restored.

    It also keeps the ids that could not be kept when their users left. Run it after every restore, before the server
    starts; it changes nothing where there is nothing to do, and with `dry_run` nothing at all. Raises Unavailable.
    """
    report, ids = Report(), deleted_ids.all_ids()
    for entry in own_deletions():
        user_id = int(entry.object_id)
        if user_id not in ids:
            if not dry_run:
                deleted_ids.add(user_id, entry.created_at)
            report.kept.append(user_id)
    left = sorted(ids)
    ids.update(report.kept)
    if ids and not dry_run:
        with connection.cursor() as cursor:
            cursor.execute(SKIP_KEYS, [max(ids)])
    for user in restored(left if dry_run else sorted(ids)):
        if not dry_run:
            erase(user.pk)
        report.erased.append(user.pk)
    report.has_admin = User.objects.filter(is_admin=True, is_approved=True).exists()
    return report


def own_deletions() -> QuerySet[AuditEntry]:
    """The lines of users who deleted their own account."""
    lines = AuditEntry.objects.filter(action=DELETION, object_type="user")
    return lines.filter(object_id=Cast(F("actor_id"), TextField())).order_by("pk")


def restored(ids: list[int]) -> Iterator[User]:
    """Yield the users with these ids who had registered before the user of that id left."""
    for start in range(0, len(ids), CHUNK):
        for user in User.objects.filter(pk__in=ids[start : start + CHUNK]):
            if user.created_at <= deleted_ids.deleted_at(user.pk):
                yield user


@retry_on_conflict
def erase(user_id: int) -> None:
    """Delete a restored user as they had deleted themselves, also if no admin is left then."""
    user = User.objects.filter(pk=user_id).first()
    if user is not None:
        remove_nameless(user, username=user.username)
