"""Actions on a list that was opened before colleagues changed its rows: they ask before they overwrite.

Each row carries the values that it shows of the fields that actions change.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.http import QueryDict
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.models import AuditEntry

SHOWN = "_shown"  # the name of the fields that carry what rows show
LEAVE_OUT = "_leave_out"  # sent to leave the changed rows out
LINES_READ = 500  # of the audit trail, to find who changed what

Values = Mapping[str, Any]
Shown = Mapping[str, Values]  # by primary key, as text


@dataclass(frozen=True)
class StaleRow:
    """A row with other values than the list showed: what it is now, and who made it so."""

    row: Model
    now: str
    line: AuditEntry | None


def shown_field(row: Model, names: Sequence[str]) -> SafeString:
    """The hidden field that carries the row's values."""
    carried = json.dumps([str(row.pk), {name: getattr(row, name) for name in names}])
    return format_html('<input type="hidden" name="{}" value="{}">', SHOWN, carried)


def shown_rows(sent: QueryDict) -> Shown:
    """What the rows of the list showed; what cannot be read is ignored."""
    found: dict[str, Values] = {}
    for text in sent.getlist(SHOWN):
        try:
            key, values = json.loads(text)
            found[str(key)] = dict(values)
        except (TypeError, ValueError):
            continue
    return found


def stale_among(rows: Iterable[Model], shown: Shown, wanted: Values) -> list[Model]:
    """The rows of which an action would overwrite a value that the list did not show."""

    def is_stale(row: Model) -> bool:
        seen = shown.get(str(row.pk), {})
        return any(
            name in seen and getattr(row, name) not in (seen[name], value) for name, value in wanted.items()
        )

    return [row for row in rows if is_stale(row)]


def described(rows: Sequence[Model], wanted: Values) -> list[StaleRow]:
    """The rows with what they are now, and the last line of the audit trail about it."""
    if not rows:
        return []
    lines = AuditEntry.objects.filter(
        object_type=rows[0]._meta.model_name, object_id__in=[str(row.pk) for row in rows]
    )
    last: dict[str, AuditEntry] = {}
    for line in lines.order_by("-id")[:LINES_READ]:
        if not wanted.keys().isdisjoint(line.changes):
            last.setdefault(line.object_id, line)
    return [StaleRow(row, words_of(row, wanted), last.get(str(row.pk))) for row in rows]


def words_of(row: Model, wanted: Values) -> str:
    texts = []
    for name in wanted:
        value = getattr(row, f"get_{name}_display", lambda name=name: getattr(row, name))()
        words = {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
        texts.append(f"{name.replace('_', ' ')}: {words}")
    return ", ".join(texts)


def sent_again(sent: QueryDict, rows: Iterable[Model], names: Sequence[str]) -> list[tuple[str, str]]:
    """The fields of the action, with what these rows are now, so that it is done if it is sent again."""
    now = {str(row.pk): {name: getattr(row, name) for name in names} for row in rows}
    plain = [
        (name, value)
        for name in sent
        if name not in (SHOWN, LEAVE_OUT, "csrfmiddlewaretoken")
        for value in sent.getlist(name)
    ]
    return [*plain, *((SHOWN, json.dumps(pair)) for pair in ({**shown_rows(sent), **now}).items())]


def left_out(sent: QueryDict) -> list[str]:
    """The keys of the rows to leave out, if the reader chose so."""
    return [key for key in sent.get(LEAVE_OUT, "").split(",") if key]
