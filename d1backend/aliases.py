"""Aliases that say how old an object is: Django hands them from its router to the object, and back when it is saved.

To Django they are the alias, a str. `Model._state.db` keeps the one that the router returned for the read, so an object
knows the state of the replica it was read from (docs/decisions/0007-whole-saves-are-compared-with-the-log.md).
"""

from typing import Protocol

from d1backend.sql.values import Value


class Position(Protocol):
    """A state of the database that an object was read from."""

    def unchanged(self, table: str, key: Value) -> str:
        """SQL that is true while the row with that key is as it was in this state."""


class ReadAlias(str):
    """The alias that objects are read by.

    `position` is the state that they are from; None when it needs no check. `earlier` is the state of the other fields
    of the object that this read is for.
    """

    position: Position | None = None
    earlier: Position | None = None

    def note_partial_read(self) -> None:
        """Only some fields are read, so the object stays as old as the others."""
        self.position = self.earlier or self.position


class GuardedAlias(ReadAlias):
    """The alias that one object is saved by; its row must be as it was in `position` when it is saved whole."""

    tables: frozenset[str] = frozenset()
    key: Value = None

    def condition(self, table: str, key: Value) -> str | None:
        """SQL that must be true before this row is overwritten, or None."""
        if self.position is None or table not in self.tables or key != self.key:
            return None
        return self.position.unchanged(table, key)

    def end(self) -> None:
        """The object was saved, so it is as new as its row."""
        self.position = None
