"""Reads of what every app shares."""

import json

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast

from core.models import AuditEntry


def audit_entries(*, action: str = "", object_type: str = "", actor: str = "") -> QuerySet[AuditEntry]:
    """The trail, newest first; `actor` is an id or a username."""
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
    """What was done to one object, the latest first."""
    return AuditEntry.objects.filter(object_type=object_type, object_id=object_id).order_by("-id")


def mentioning(entries: QuerySet[AuditEntry], text: str) -> QuerySet[AuditEntry]:
    """Those in which every word stands: in a name, the action, or what changed from what to what.

    Every line is looked at; see docs/console.md for what that costs.
    """
    entries = entries.alias(told=Cast("changes", TextField()))
    for word in text.split():
        stored = json.dumps(word)[1:-1]  # as the column has it: JSON, its letters beyond ASCII escaped
        places = Q(actor_username__icontains=word) | Q(object_label__icontains=word)
        entries = entries.filter(
            places | Q(action__icontains=word) | Q(object_id=word) | Q(told__icontains=stored)
        )
    return entries
