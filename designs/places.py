"""Which part of a list is asked for, and where it ends: what a cursor of the API stands for.

Most lists have an index of their order. A place in one is the values of its last row, and what follows is looked up in
the index, whatever was published, deleted or edited before it. A search has none, and each publication moves its ranks
a little; staff may move featured designs. A place there is the designs shown last, and what follows stands after their
middle in the order of now.
"""

from array import array
from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from django.db.models import BooleanField, F, Func, Value

from core import sql

SHOWN_LAST = 32  # designs


class Place(NamedTuple):
    """The end of a part of a list."""

    rows: int  # shown up to here
    key: tuple[
        str | int, ...
    ]  # the last row's values that the list is ordered by, or the ids that a search showed last


class Part(NamedTuple):
    """`size` rows from the row `start` on (0 is the first), or those that follow a place."""

    size: int
    start: int = 0
    after: Place | None = None

    @property
    def stop(self) -> int:
        return self.start + self.size


class Ids(NamedTuple):
    """The ids of a part, and its end; None if nothing follows."""

    ids: "array[int]"
    end: Place | None


class Pair(Func):
    """A row value (https://sqlite.org/rowvalue.html).

    SQLite looks the first column up in an index, and steps over equal ones by the second, which is the rowid.
    """

    arity = 2
    template = "(%(expressions)s)"


class Follows(Func):
    """Whether a row's pair of columns follows a pair of values in an order of two columns, both up or both down."""

    template = "(%(expressions)s)"
    output_field = BooleanField()

    def __init__(self, order: Sequence[str], key: Sequence[str | int]) -> None:
        self.arg_joiner = " < " if order[0].startswith("-") else " > "
        super().__init__(Pair(*(F(name) for name in columns_of(order))), Pair(*map(Value, key)))


def columns_of(order: Sequence[str]) -> list[str]:
    return [name.removeprefix("-") for name in order]


def part_of_rows(part: Part, rows: Sequence[tuple[Any, ...]]) -> Ids:
    """The part of a list of which `rows` are the part's ids with their keys, and one row more if there is one."""
    shown = rows[: part.size]
    ids = array("q", [row[0] for row in shown])
    before = part.after.rows if part.after else part.start
    end = Place(before + len(ids), stored(shown[-1][1:])) if len(rows) > len(shown) > 0 else None
    return Ids(ids, end)


def stored(key: Sequence[Any]) -> tuple[str | int, ...]:
    """A key as the database holds it."""
    return tuple(sql.stored_time(value) if isinstance(value, datetime) else value for value in key)


def part_of_whole(part: Part, found: Sequence[int]) -> Ids:
    """The part of a list without an index, of which `found` are all ids."""
    if part.after is None:
        ids, more = found[part.start : part.stop], len(found) > part.stop
        return Ids(array("q", ids), place_by_ids(part, found[: part.stop]) if ids and more else None)
    shown = part.after.key
    following = islice(found, middle(part.after, found) + 1, None)
    rest = list(islice((design_id for design_id in following if design_id not in shown), part.size + 1))
    ids = rest[: part.size]
    end = Place(part.after.rows + len(ids), (*shown, *ids)[-SHOWN_LAST:])
    return Ids(array("q", ids), end if len(rest) > len(ids) else None)


def place_by_ids(part: Part, shown: Sequence[int]) -> Place:
    """The end of a part by number of such a list, of which `shown` are the ids up to there, or the last of them."""
    return Place(part.stop, tuple(shown[-SHOWN_LAST:]))


def middle(place: Place, found: Sequence[int]) -> int:
    """The index in the middle of the designs shown last, of which an edit may have moved any.

    The index before them as it was counts as one of them: what follows it was not shown earlier, if few are found.
    """
    shown = set(place.key)
    indices = [index for index, design_id in enumerate(found) if design_id in shown]
    return sorted([place.rows - len(shown) - 1, *indices])[len(indices) // 2]
