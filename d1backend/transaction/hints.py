"""What a compiler knows of a statement; it travels with the statement's text to the cursor."""

from dataclasses import dataclass
from typing import Self

from d1backend.sql.values import Value

# A row that is there: its table in lower case, a column and the value in it.
KnownRow = tuple[str, str, Value]


@dataclass(frozen=True)
class Hint:
    """What is known of a statement before it runs.

    `count`: its row count. `counted`: False when the row count is not wanted.
    `reserved`: the column whose keys were reserved. `chosen`: the application chose the keys, so they may be taken.
    `makes`: the rows that are there once it has run. `keeps_keys`: it deletes no row and changes no key.
    `returning`: the end of its text, a RETURNING whose values are known.
    `columns`: the columns it writes, when their values are plain; `nulls`: those of them that get a NULL.
    `ignoring`: rows that break a constraint are skipped.
    `requires`: SQL that must be true before the transaction, or the statement fails with SerializationFailure.
    """

    count: int | None = None
    counted: bool = True
    reserved: str | None = None
    chosen: bool = False
    makes: frozenset[KnownRow] = frozenset()
    keeps_keys: bool = False
    returning: str = ""
    columns: frozenset[str] | None = None
    nulls: frozenset[str] = frozenset()
    ignoring: bool = False
    requires: str | None = None


NO_HINT = Hint()


class HintedSQL(str):
    """A statement with its hint.

    Django hands the text on unchanged, through its own cursor and through execute wrappers. A wrapper that writes
    another text drops the hint, and the statement is then run as one of which nothing is known.
    """

    hint: Hint

    def __new__(cls, sql: str, hint: Hint = NO_HINT) -> Self:
        hinted = super().__new__(cls, sql)
        hinted.hint = hint
        return hinted


def hint_of(sql: str) -> Hint:
    return sql.hint if isinstance(sql, HintedSQL) else NO_HINT
