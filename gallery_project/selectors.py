"""Reads of what every app shares."""

from django.db.models import Q, QuerySet

from gallery_project.models import AuditEntry


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
