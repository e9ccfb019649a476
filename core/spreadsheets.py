"""Tables for spreadsheets: CSV that is sent as it is read, in cells that no spreadsheet runs as a formula."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import StreamingHttpResponse

# A spreadsheet runs a cell that begins so (https://owasp.org/www-community/attacks/CSV_Injection). With an
# apostrophe before it, it is text; where one stands already it gets another, and comes back as it was.
FORMULA = re.compile(r"'*[=+\-@＝＋－＠\t\r\n]")
MARKED_FORMULA = re.compile(r"'+[=+\-@＝＋－＠\t\r\n]")
CHUNK = 500  # rows

Row = TypeVar("Row", bound=Model)


def as_cell(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = "" if value is None else str(value)
    return f"'{text}" if FORMULA.match(text) else text


def of_cell(cell: str) -> str:
    """The text that as_cell made this cell of."""
    return cell[1:] if MARKED_FORMULA.match(cell) else cell


def in_chunks(rows: QuerySet[Row], *, newest_first: bool = False) -> Iterator[Row]:
    """The rows in the order of their ids, read 500 at a time, each chunk from where the last one ended.

    So memory is bounded on every engine, and so is the size of one answer of D1, which has no cursors.
    """
    order, after = ("-pk", "pk__lt") if newest_first else ("pk", "pk__gt")
    rows = rows.order_by(order)
    chunk = list(rows[:CHUNK])
    while chunk:
        yield from chunk
        chunk = list(rows.filter(**{after: chunk[-1].pk})[:CHUNK]) if len(chunk) == CHUNK else []


def download(name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """A CSV file of these rows, which are written as they come.

    It begins with a byte order mark: without one Excel takes UTF-8 for the code page of its country.
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
    """A file-like object whose `write` hands back what it is given, as csv.writer does in its turn."""

    def write(self, line: str) -> str:
        return line
