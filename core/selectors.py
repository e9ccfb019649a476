"""Reads of the audit trail."""

import json

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from core.models import AuditEntry


def audit_entries(*, action: str = "", object_type: str = "", actor: str = "") -> QuerySet[AuditEntry]:
    """The audit trail, newest first. `actor` is an id or a username."""
    entries = AuditEntry.objects.order_by("-id")
    if action:
        entries = entries.filter(action=action)
    if object_type:
        entries = entries.filter(object_type=object_type)
    if actor:
        named = Q(actor_username__iexact=actor)
        # A longer number would not fit the column.
        if actor.isascii() and actor.isdecimal() and len(actor) < 18:
            named |= Q(actor_id=int(actor))
        entries = entries.filter(named)
    return entries


def entries_about(object_type: str, object_id: str) -> QuerySet[AuditEntry]:
    """The changes of one object, newest first."""
    return AuditEntry.objects.filter(object_type=object_type, object_id=object_id).order_by("-id")


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
