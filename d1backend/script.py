"""A transaction as a list of statements that has not been sent yet."""

from dataclasses import dataclass, field
from typing import Any

from .errors import STALE
from .http import Statement
from .sqltext import Parsed


@dataclass
class Write:
    """One statement of a transaction, with what is known and what was told about it."""

    sql: str
    bound: list[str]
    parsed: Parsed
    count: int | None = None
    last_id: int | None = None
    told: bool = False
    told_id: bool = False
    guard: Statement | None = None
    reserved: str | None = None

    @property
    def statement(self) -> Statement:
        return self.sql, self.bound

    def guards(self) -> list[Statement]:
        """Statements that fail the commit when what was told no longer holds."""
        if self.guard:
            return [self.guard]
        checks = []
        if self.told and self.count is not None:
            checks.append(f"changes() = {self.count}")
        if self.told_id and self.last_id is not None:
            checks.append(f"last_insert_rowid() = {self.last_id}")
        if not checks:
            return []
        return [(f"SELECT CASE WHEN {' AND '.join(checks)} THEN 1 ELSE {stale(self.parsed.table)} END", [])]


def stale(table: str | None) -> str:
    """SQL that fails with word of the table that changed."""
    name = "".join(c for c in table or "" if c.isalnum() or c in "_- ")
    return f"json_extract('{{}}', '{STALE} {name}')"


@dataclass
class Mark:
    """A savepoint: how long the script was, and the keys that would come next."""

    name: str
    length: int
    next_keys: dict[str, int]


@dataclass
class Script:
    """The statements of one transaction, its savepoints, and what its rehearsals have shown."""

    writes: list[Write] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    proven: int = 0
    next_keys: dict[str, int] = field(default_factory=dict)
    used_keys: dict[tuple[str, str], int] = field(default_factory=dict)
    answers: dict[tuple[str, tuple[str, ...]], list[tuple[Any, ...]]] = field(default_factory=dict)

    def add(self, write: Write) -> None:
        self.writes.append(write)
        self.answers.clear()

    def cut(self, length: int) -> None:
        if length < len(self.writes):
            del self.writes[length:]
            self.answers.clear()
        self.proven = min(self.proven, length)

    @property
    def has_schema(self) -> bool:
        return any(w.parsed.kind == "schema" or (w.parsed.table is None and not w.guard) for w in self.writes)

    @property
    def tables(self) -> frozenset[str]:
        return frozenset(w.parsed.table.lower() for w in self.writes if w.parsed.table)

    def mark(self, name: str) -> None:
        self.marks.append(Mark(name, len(self.writes), dict(self.next_keys)))

    def find(self, name: str) -> int:
        """The index of the latest savepoint of that name; raises LookupError when there is none."""
        for i in range(len(self.marks) - 1, -1, -1):
            if self.marks[i].name.lower() == name.lower():
                return i
        raise LookupError(name)

    def release(self, name: str) -> int:
        """Forget a savepoint and return the script's length at it."""
        at = self.find(name)
        length = self.marks[at].length
        del self.marks[at:]
        return length

    def back_to(self, name: str) -> None:
        at = self.find(name)
        mark = self.marks[at]
        del self.marks[at + 1 :]
        self.cut(mark.length)
        self.next_keys = dict(mark.next_keys)

    def batch(self, length: int | None = None, *, guarded: bool = False) -> list[Statement]:
        """The statements in their order, foreign keys checked at the end as Django declares them."""
        out: list[Statement] = [("PRAGMA defer_foreign_keys=on", [])]
        for write in self.writes[:length]:
            if write.sql:
                out.append(write.statement)
            if guarded:
                out.extend(write.guards())
        return out
