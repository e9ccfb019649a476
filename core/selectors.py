"""Reads of the audit trail."""

import json

from django.db.models import Q, QuerySet, TextField
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from core import hooks
from core.models import AuditEntry

USER = "user"  # the object_type of lines about users


def audit_entries(*, action: str = "", object_type: str = "", actor: str = "") -> QuerySet[AuditEntry]:
    """The audit trail, newest first. `actor` is an id, or a username: one of today in any form, or as in the lines."""
    entries = AuditEntry.objects.order_by("-id")
    if action:
        entries = entries.filter(action=action)
    if object_type:
        entries = entries.filter(object_type=object_type)
    if actor:
        named = Q(actor_username__iexact=actor) | Q(actor_id__in=hooks.users_named.call(actor).values("pk"))
        # A longer number would not fit the column.
        if actor.isascii() and actor.isdecimal() and len(actor) < 18:
            named |= Q(actor_id=int(actor))
        entries = entries.filter(named)
    return entries


def entries_about(object_type: str, object_id: str) -> QuerySet[AuditEntry]:
    """The changes of one object, newest first."""
    return AuditEntry.objects.filter(object_type=object_type, object_id=object_id).order_by("-id")


def entries_by(user_id: int, username: str) -> QuerySet[AuditEntry]:
    """The changes that a user made, under their name or an earlier one.

    The names come first, because they have an index, and ids do not: each change of a name has a line.
    """
    about = AuditEntry.objects.filter(object_type=USER, object_id=str(user_id))
    earlier = about.order_by().values_list(KT("changes__username__0"))
    named = Q(actor_username=username) | Q(actor_username__in=earlier)
    return AuditEntry.objects.filter(named, actor_id=user_id)


def entries_of(user_id: int, username: str) -> QuerySet[AuditEntry]:
    """The changes that a user made, and those of their account."""
    about = Q(object_type=USER, object_id=str(user_id))
    return AuditEntry.objects.filter(about | Q(pk__in=entries_by(user_id, username).values("pk")))


def mentioning(entries: QuerySet[AuditEntry], text: str) -> QuerySet[AuditEntry]:
    """Those entries that contain every word: in a name, the action, or the old and new values.

    This reads every row; docs/console.md has the costs.
    """
    entries = entries.alias(changes_text=Cast("changes", TextField()))
    for word in text.split():
        stored = json.dumps(word)[1:-1]  # as the column stores it: JSON with escapes for non-ASCII letters
        places = Q(actor_username__icontains=word) | Q(object_label__icontains=word)
        entries = entries.filter(
            places | Q(action__icontains=word) | Q(object_id=word) | Q(changes_text__icontains=stored)
        )
    return entries
