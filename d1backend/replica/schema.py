"""The schema of the logged tables as D1 records it, and what of it a copy can take over in place.

A newer schema is compatible when each table has what it had, in the same words, and more columns. Indexes and triggers
may differ in any way, because a copy can build them from its rows.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from d1backend.sql.tokenizer import Token, tokens_of
from d1backend.sql.values import quote_name

LOG_TRIGGER = "_d1_log_"
_CONSTRAINTS = {"CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"}


class SchemaObject(NamedTuple):
    """A row of sqlite_master."""

    kind: str
    name: str
    table: str
    sql: str

    @property
    def quoted_name(self) -> str:
        return quote_name(self.name)

    @property
    def is_virtual(self) -> bool:
        return tokens_of(self.sql[:40])[1].upper == "VIRTUAL"


Objects = list[SchemaObject]


class IncompatibleSchema(Exception):
    """A newer schema differs in more than added columns, indexes and triggers."""


@dataclass(frozen=True)
class AddedColumn:
    """A column that a table has gained; `definition` is its SQL, the name included."""

    table: str
    name: str
    definition: str

    @property
    def quoted_table(self) -> str:
        return quote_name(self.table)

    @property
    def words(self) -> set[str]:
        return {token.upper for token in tokens_of(self.definition)}


class _Part(NamedTuple):
    """A column or a constraint of a table's definition: its tokens, and their text in SQL."""

    tokens: tuple[Token, ...]
    sql: str

    @property
    def texts(self) -> list[str]:
        return [token.text for token in self.tokens]

    @property
    def is_column(self) -> bool:
        return self.tokens[0].upper not in _CONSTRAINTS


def parse_objects(text: str) -> Objects:
    """The objects of a recorded schema (change_log.py)."""
    return [SchemaObject(*values) for values in json.loads(text)]


def added_columns(old: Objects, new: Objects) -> list[AddedColumn]:
    """The columns that tables have gained.

    Raises IncompatibleSchema when a table or a full-text table differs in anything else.
    """
    now = {found.name: found for found in new if found.kind == "table"}
    added: list[AddedColumn] = []
    for before in old:
        if before.kind != "table":
            continue
        after = now.get(before.name)
        if after is None:
            raise IncompatibleSchema(f"{before.name} is gone")
        if before.sql != after.sql:
            if before.is_virtual:
                raise IncompatibleSchema(f"{before.name} has another definition")
            added += _columns_added_to(before, after.sql)
    return added


def require_log_is_complete(old: Objects, new: Objects) -> None:
    """Raise IncompatibleSchema when changes since the older schema may be missing in the log.

    So it is when a table was remade, which drops its triggers, and when a new unique index lets REPLACE delete rows
    that the triggers do not see.
    """
    have = set(new)
    if lost := [found.name for found in old if found.name.startswith(LOG_TRIGGER) and found not in have]:
        raise IncompatibleSchema(f"the trigger {lost[0]} was dropped or changed")
    for found in have - set(old):
        words = {token.upper for token in tokens_of(found.sql)}
        if found.kind == "index" and "UNIQUE" in words and "WHERE" not in words:
            raise IncompatibleSchema(f"the index {found.name} is new and unique")


def _columns_added_to(table: SchemaObject, sql: str) -> Iterator[AddedColumn]:
    head, parts, end = _split(sql)
    old_head, left, old_end = _split(table.sql)
    if (head, end) != (old_head, old_end):
        raise IncompatibleSchema(f"{table.name} is a table of another kind")
    for part in parts:
        if left and part.texts == left[0].texts:
            left.pop(0)
        elif part.is_column:
            yield AddedColumn(table.name, part.tokens[0].name, part.sql)
        else:
            raise IncompatibleSchema(f"{table.name} has another constraint")
    if left:
        raise IncompatibleSchema(f"{table.name} has another column or constraint than {left[0].sql}")


def _split(sql: str) -> tuple[list[str], list[_Part], list[str]]:
    """The tokens of a table's definition before its parentheses, the parts within, and the tokens after them."""
    tokens = tokens_of(sql)
    first = next(i for i, token in enumerate(tokens) if token.text == "(")
    last = next(i for i, token in enumerate(tokens) if token.text == ")" and token.depth == 0)
    commas = [i for i in range(first, last) if tokens[i].text == "," and tokens[i].depth == 1]
    starts, ends = [first + 1, *(i + 1 for i in commas)], [*commas, last]
    parts = [_part(sql, tokens[start:end]) for start, end in zip(starts, ends, strict=True)]
    return [token.text for token in tokens[:first]], parts, [token.text for token in tokens[last + 1 :]]


def _part(sql: str, tokens: Sequence[Token]) -> _Part:
    last = tokens[-1]
    return _Part(tuple(tokens), sql[tokens[0].start : last.start + len(last.text)])


def of_kind(objects: Iterable[SchemaObject], kind: str) -> Mapping[str, SchemaObject]:
    """The objects of one kind by their names."""
    return {found.name: found for found in objects if found.kind == kind}
