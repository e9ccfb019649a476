"""CSV for spreadsheets: streamed, with cells that no spreadsheet runs as a formula."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import StreamingHttpResponse

# A spreadsheet runs a cell that begins like this (https://owasp.org/www-community/attacks/CSV_Injection). An
# apostrophe makes it text. A cell that has one already gets a second one, so that an import restores it.
# So it does to a text that reads like the error of a formula.
ERROR = r"#(?:N/A|NV|REF!|BEZUG!|VALUE!|WERT!|DIV/0!|NAME\?|NUM!|ZAHL!|NULL!|SPILL!|CALC!|UNCALCULATED!|#+)"
RUN = rf"(?:[=+\-@＝＋－＠\t\r\n]|{ERROR}\Z)"
FORMULA = re.compile(rf"'*{RUN}")
MARKED_FORMULA = re.compile(rf"'+{RUN}")
CHUNK = 500  # rows

Cells = dict[str | None, Any]  # a row by column; a text beside the columns is under None
Row = TypeVar("Row", bound=Model)


def as_cell(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = "" if value is None else str(value)
    return f"'{text}" if FORMULA.match(text) else text


def of_cell(cell: str) -> str:
    """Return the text of a cell that as_cell made."""
    return cell[1:] if MARKED_FORMULA.match(cell) else cell


def in_chunks(rows: QuerySet[Row], *, newest_first: bool = False) -> Iterator[Row]:
    """Yield the rows ordered by id, read 500 at a time.

    This bounds the memory on every engine, and the size of a response of D1, which has no cursors.
    """
    order, after = ("-pk", "pk__lt") if newest_first else ("pk", "pk__gt")
    rows = rows.order_by(order)
    chunk = list(rows[:CHUNK])
    while chunk:
        yield from chunk
        chunk = list(rows.filter(**{after: chunk[-1].pk})[:CHUNK]) if len(chunk) == CHUNK else []


def download(name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """Return a CSV file that streams these rows.

    It begins with a byte order mark. Without it Excel does not recognise UTF-8.
    """

    def lines() -> Iterator[str]:
        writer = csv.writer(Echo())
        yield "\ufeff" + writer.writerow(header)
        for row in rows:
            yield writer.writerow([as_cell(value) for value in row])

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response["Cache-Control"] = "no-store"
    return response


class Echo:
    """A file-like object whose `write` returns the line, which csv.writer returns in turn."""

    def write(self, line: str) -> str:
        return line
