"""How the admin shows the audit trail: a line in words, and the trail as a table."""

import json
from collections.abc import Iterator
from datetime import UTC
from itertools import islice
from typing import Any

from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from core.models import AuditEntry
from core.spreadsheets import in_chunks

EXPORTED = 100_000  # lines of the trail in one file
COLUMNS = (
    "id",
    "created_at",
    "actor_id",
    "actor",
    "action",
    "object_type",
    "object_id",
    "object",
    "field",
    "old",
    "new",
)
CUT = f"Only the latest {EXPORTED:,} lines are here; narrow the filters for the others."


def told(entry: AuditEntry, length: int = 120) -> SafeString:
    """The changes of a line, each as field, old and new value of up to `length` characters."""
    rows = [(field, as_text(old), as_text(new)) for field, (old, new) in entry.changes.items()]
    rows = [row for row in rows if any(row[1:])]  # what is empty before and after tells nothing
    return SafeString(render_to_string("admin/core/changes.html", {"rows": rows, "length": length}))


def as_text(value: Any) -> str:
    """A value of JSON as a person reads it; empty for none."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def table(entries: QuerySet[AuditEntry]) -> Iterator[tuple[Any, ...]]:
    """The lines in COLUMNS, the latest first, one row for each field that changed; at most EXPORTED lines."""
    lines = in_chunks(entries, newest_first=True)
    for entry in islice(lines, EXPORTED):
        moment = entry.created_at.astimezone(UTC).isoformat()
        yield from rows_of(entry, moment)
    if next(lines, None):
        yield (CUT,)


def rows_of(entry: Any, moment: str) -> Iterator[tuple[Any, ...]]:
    who = (entry.id, moment, entry.actor_id, entry.actor_username)
    what = (entry.action, entry.object_type, entry.object_id, entry.object_label)
    for field, (old, new) in (entry.changes or {"": (None, None)}).items():
        yield (*who, *what, field, as_text(old), as_text(new))
