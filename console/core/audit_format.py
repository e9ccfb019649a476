"""Audit entries as the admin shows them: one entry as HTML, many as rows of CSV."""

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
from designs.pictures import Picture

MAX_ENTRIES = 100_000  # in one export
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
TRUNCATED = f"This file has the latest {MAX_ENTRIES:,} entries only. Narrow the filters to export older ones."

PICTURES = "image_keys"
LABELS = {PICTURES: "pictures", "is_admin": "admin", "is_editor": "editor"}

Row = tuple[str | int | None, ...]


def changes_html(entry: AuditEntry, value_length: int, shown: int | None = None) -> SafeString:
    """The changes of an entry as field, old value and new value, each cut to `value_length` characters.

    Those after the first `shown` open by a click, with fields and pictures in words; with None all is there as stored.
    """
    changes = entry.changes.items()
    if shown is not None:
        changes = {
            label_of(field): in_words(old, new) if field == PICTURES else (old, new)
            for field, (old, new) in changes
        }.items()
    rows = [(field, as_text(old), as_text(new)) for field, (old, new) in changes]
    rows = [(field, old, new) for field, old, new in rows if old or new]
    groups = [rows[:shown], rows[shown:]] if shown is not None else [rows, []]
    context = {"groups": groups, "more": len(groups[1]), "length": value_length}
    return SafeString(render_to_string("admin/core/changes.html", context))


def label_of(field: str) -> str:
    return LABELS.get(field, field.replace("_", " "))


def in_words(old: Any, new: Any) -> tuple[str, str]:
    """A change of a list of pictures: how many there were and are, and what became of them."""
    before, after = ([Picture.of(sent) for sent in pictures or []] for pictures in (old, new))
    left, came = [picture.object_key for picture in before], [picture.object_key for picture in after]
    notes = [
        f"{count} {word}"
        for count, word in ((len({*came} - {*left}), "added"), (len({*left} - {*came}), "taken out"))
        if count and before and after
    ]
    if [key for key in left if key in came] != [key for key in came if key in left]:
        notes.append("another order")
    if before and any(picture.alt != dict(before).get(picture.object_key, picture.alt) for picture in after):
        notes.append("other alternative texts")
    return counted(before), ", ".join([counted(after), *notes])


def counted(pictures: list[Picture]) -> str:
    return f"{len(pictures)} picture{'' if len(pictures) == 1 else 's'}" if pictures else ""


def as_text(value: Any) -> str:
    """A JSON value as people read it; an empty string for null."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def export_rows(entries: QuerySet[AuditEntry]) -> Iterator[Row]:
    """Rows of COLUMNS, newest entry first, one row for each changed field.

    After MAX_ENTRIES entries a last row says that the file is truncated.
    """
    newest_first = in_chunks(entries, newest_first=True)
    for entry in islice(newest_first, MAX_ENTRIES):
        yield from entry_rows(entry)
    if next(newest_first, None):
        yield (TRUNCATED,)


def entry_rows(entry: AuditEntry) -> Iterator[Row]:
    created_at = entry.created_at.astimezone(UTC).isoformat()
    who = (entry.pk, created_at, entry.actor_id, entry.actor_username)
    what = (entry.action, entry.object_type, entry.object_id, entry.object_label)
    for field, (old, new) in (entry.changes or {"": (None, None)}).items():
        yield (*who, *what, field, as_text(old), as_text(new))
