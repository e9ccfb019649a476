"""Reads the columns of one row of the seed, and notes what it must change."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from operations.seed import values
from operations.seed.report import LeftOut, quoted
from operations.seed.source import Row, Value
from operations.seed.values import text_of

T = TypeVar("T")


class Reader:
    """One row by the names of its columns. A column that the seed does not have is empty."""

    def __init__(self, row: Row, changes: list[str], now: datetime) -> None:
        self.row, self.changes, self.now = row, changes, now

    def get(self, column: str) -> Value:
        return self.row.get(column)

    def key(self) -> int:
        """The id of the row. Raises LeftOut."""
        return self.reference("id", "its id")

    def reference(self, column: str, what: str) -> int:
        """An id. Raises LeftOut."""
        value = self.get(column)
        try:
            return values.identity(value)
        except ValueError:
            raise LeftOut(f"{what} is no whole number from 1 on: {quoted(text_of(value))}.") from None

    def text(self, column: str, most: int | None = None) -> str:
        """The text, cut after `most` characters."""
        text = text_of(self.get(column))
        if most is None or len(text) <= most:
            return text
        self.changes.append(f"{column} has {len(text)} characters, and is cut after {most}.")
        return text[:most].rstrip()

    def flag(self, column: str, *, default: bool = False) -> bool:
        """Whether the column is on; off, with a note, if it cannot be read."""
        value = self.get(column)
        return default if value is None else self.read(column, values.flag, False, "taken as off")

    def count(self, column: str) -> int:
        """A number of at least 0; 0, with a note, if it cannot be read."""
        return 0 if self.get(column) in (None, "") else self.read(column, values.whole, 0, "taken as 0")

    def moment(self, column: str) -> datetime | None:
        """A time; none if it is empty, and with a note if it cannot be read."""
        return self.read(column, values.moment, None, "left empty")

    def dates(self) -> tuple[datetime, datetime]:
        """`created_at` and `updated_at`; of one that is empty the other, and of both the time of the adoption."""
        updated = self.moment("updated_at")
        created = self.moment("created_at")
        if created is None:
            created = updated or self.now
            self.changes.append(f"created_at is empty, and becomes {created:%Y-%m-%d %H:%M:%S}.")
        return created, updated or created

    def read(self, column: str, parse: Callable[[Value], T], otherwise: T, how: str) -> T:
        value = self.get(column)
        try:
            return parse(value)
        except ValueError:
            self.changes.append(f"{column} is {quoted(text_of(value))}, which cannot be read, and is {how}.")
            return otherwise
