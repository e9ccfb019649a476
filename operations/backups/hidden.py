"""The columns of a copied table that the copy lacks, such as password hashes, read from D1 by ranges of the key."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from d1backend.protocol import encoding
from d1backend.protocol.api import Statement
from d1backend.replica.changes import page_query
from d1backend.replica.tables import TableSchema
from d1backend.sql.values import Row, quote_name
from operations.backups.databases import Rows

# Rows of a range, and ranges of one batch: about a kilobyte a row at most, so two megabytes an answer, as D1 permits.
IN_RANGE, AT_ONCE = 1_000, 16
# More than a range can have: rows that came since the ranges were made are in the last one.
_LIMIT = 50_000


class HiddenColumns:
    """Completes the rows of the copy. Ranges beyond the first batch are read as their rows come."""

    def __init__(self, table: TableSchema, copied: TableSchema, boundaries: Sequence[int]) -> None:
        """`boundaries` are keys of the copy, IN_RANGE rows from each other."""
        self.names = tuple(name for name in table.columns if name not in copied.columns)
        self._table, self._copied = table, copied
        self._ranges = list(zip([None, *boundaries], [*boundaries, None], strict=True))
        self._answers: list[Rows] = []

    @property
    def begins_with(self) -> list[Statement]:
        """The questions that belong into the batch of the state that is read; take() reads their answers."""
        return [self._question(*one) for one in self._ranges[:AT_ONCE]]

    @property
    def is_more(self) -> bool:
        """Whether ranges are left for later."""
        return len(self._ranges) > AT_ONCE

    def take(self, answers: Sequence[Rows]) -> None:
        self._answers = list(answers)

    def complete(self, rows: Iterable[Row], ask: Callable[[list[Statement]], list[Rows]]) -> Iterator[Row]:
        """Whole rows of those that the copy has, in the order of their keys.

        A row that is no longer on D1 gets empty texts: whoever it is of has deleted their account since.
        """
        at = {name: place for place, name in enumerate((*self._copied.columns, *self.names))}
        order = [at[name] for name in self._table.columns]
        key_at = at[self._table.key]
        nothing, number, found = ("",) * len(self.names), -1, dict[object, Row]()
        for row in rows:
            while number < 0 or (
                self._ranges[number][1] is not None and row[key_at] > self._ranges[number][1]
            ):
                number += 1
                found = self._read(number, ask)
            whole = (*row, *found.get(row[key_at], nothing))
            yield tuple(whole[place] for place in order)

    def _read(self, number: int, ask: Callable[[list[Statement]], list[Rows]]) -> dict[object, Row]:
        if number >= AT_ONCE and number % AT_ONCE == 0:
            self._answers = ask([self._question(*one) for one in self._ranges[number : number + AT_ONCE]])
        answer, self._answers[number % AT_ONCE] = self._answers[number % AT_ONCE], ()
        rows = encoding.rows([text for (text,) in answer])
        return {row[0]: row[1:] for row in rows}

    def _question(self, above: int | None, to: int | None) -> Statement:
        key = quote_name(self._table.key)
        limits = [
            *([] if above is None else [f"{key} > {above}"]),
            *([] if to is None else [f"{key} <= {to}"]),
        ]
        part = TableSchema(
            self._table.name, self._table.key, (self._table.key, *self.names), " AND ".join(limits)
        )
        return page_query(part, None, _LIMIT)
