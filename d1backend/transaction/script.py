"""A transaction as a list of statements that has not been sent yet."""

import re
from dataclasses import dataclass, field
from typing import Any

from d1backend.errors import STALE, KeyTaken, UniqueError
from d1backend.protocol.api import Statement
from d1backend.sql.catalog import Catalog
from d1backend.sql.tokenizer import Parsed
from d1backend.transaction import keys

_PLAIN_COLUMN = re.compile(r'"([^"]+)"\."([^"]+)"')
Known = tuple[str, str, Any]


@dataclass(frozen=True)
class Hint:
    """What a compiler knows of the statement it is about to run.

    `reserved` is the column whose keys were reserved, `count` the row count, `makes` the rows (table, column, value)
    that are there once it has run, `returning` the end of its text whose answer is known; `columns` are those it
    writes, when their values are plain, `nulls` those of them that get a NULL; `ignoring` passes over rows that break a
    constraint; `chosen` says that the application chose the keys, so that they may be taken.
    """

    reserved: str | None = None
    count: int | None = None
    makes: frozenset[Known] = frozenset()
    keeps_keys: bool = False
    returning: str = ""
    columns: frozenset[str] | None = None
    nulls: frozenset[str] = frozenset()
    ignoring: bool = False
    chosen: bool = False


@dataclass
class Write:
    """One statement of a transaction, with what is known and what was told about it.

    It is `sure` when the schema says that it runs, `proven` when a rehearsal has shown it.
    """

    sql: str
    bound: list[str]
    parsed: Parsed
    count: int | None = None
    last_id: int | None = None
    told: bool = False
    told_id: bool = False
    guard: Statement | None = None
    reserved: str | None = None
    sure: bool = False
    proven: bool = False

    @property
    def statement(self) -> Statement:
        return self.sql, self.bound

    @property
    def target(self) -> frozenset[str]:
        """The table it writes, as a set of names in lower case; empty for a guard."""
        return frozenset([self.parsed.table.lower()] if self.parsed.table else [])

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


def stale(table: str | None, why: str = STALE) -> str:
    """SQL that fails with word of the table that changed, or of why it cannot be remade."""
    name = "".join(c for c in table or "" if c.isalnum() or c in "_- ")
    return f"json_extract('{{}}', '{why} {name}')"


@dataclass
class Mark:
    """A savepoint: how long the script was, the keys that would come next and the rows known to be there."""

    name: str
    length: int
    next_keys: dict[str, int]
    known: set[Known]


@dataclass
class Script:
    """The statements of one transaction, its savepoints, and what its rehearsals have shown.

    `next_keys` holds the next key by table where the script reckons them itself, `used_keys` how many reserved
    keys were used by table and key column, `known` rows that are there.
    """

    writes: list[Write] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    next_keys: dict[str, int] = field(default_factory=dict)
    used_keys: dict[tuple[str, str], int] = field(default_factory=dict)
    known: set[Known] = field(default_factory=set)
    answers: dict[tuple[str, tuple[str, ...]], list[tuple[Any, ...]]] = field(default_factory=dict)

    def add(self, write: Write) -> None:
        self.writes.append(write)
        self.answers.clear()

    def replace(self, start: int, statements: list[Statement]) -> None:
        """Put other text for the statements from `start` on, when there are as many."""
        if len(statements) == len(self.writes) - start:
            for write, (sql, bound) in zip(self.writes[start:], statements, strict=True):
                write.sql, write.bound = sql, bound

    def cut(self, length: int) -> None:
        """Drop the statements after the first `length`."""
        if length < len(self.writes):
            del self.writes[length:]
            self.answers.clear()

    def length_with(self, write: Write) -> int:
        """The script's length up to this write, 0 when it is no part of it any more."""
        return next((i + 1 for i, w in enumerate(self.writes) if w is write), 0)

    @property
    def has_schema(self) -> bool:
        return any(w.parsed.kind == "schema" for w in self.writes)

    def changes_schema_of(self, table: str) -> bool:
        return any(w.parsed.kind == "schema" and table.lower() in w.parsed.names for w in self.writes)

    @property
    def tables(self) -> frozenset[str]:
        return frozenset().union(*(write.target for write in self.writes))

    # What is known of rows and keys

    def note(self, write: Write, hint: Hint, touched: frozenset[str]) -> None:
        """Bring what is known of keys and rows up to date with a statement that is about to be added.

        `touched` are the tables it may change, through triggers and cascades too.
        """
        table = (write.parsed.table or "").lower()
        if table == "sqlite_sequence" or write.parsed.kind == "schema":
            self.next_keys.clear()
            self.known.clear()
        elif write.parsed.verb in ("INSERT", "REPLACE"):
            if not hint.reserved:
                self.next_keys.pop(table, None)
        elif not hint.keeps_keys:
            self.known = {k for k in self.known if k[0] not in touched}
        self.known |= hint.makes

    def know_rows(self, parsed: Parsed, rows: list[tuple[Any, ...]]) -> None:
        """Rows were read that the commit will find again."""
        for i, column in enumerate(parsed.columns or ()):
            if found := _PLAIN_COLUMN.fullmatch(column.sql):
                self.known |= {
                    (found[1].lower(), found[2], row[i]) for row in rows if isinstance(row[i], int | str)
                }

    def knows(self, table: str, column: str, values: list[Any]) -> bool:
        return all((table.lower(), column, value) in self.known for value in values)

    def relevant(
        self, names: frozenset[str] | None, catalog: Catalog | None, length: int | None
    ) -> list[Write]:
        """The statements, of the first `length`, that what stands under these names may depend on, in their order.

        A statement matters when it may change something that is named, by the question or by a later statement
        that matters. All of them do when the names or the catalog are not known, or the schema changes.
        """
        writes = self.writes[:length]
        if names is None or catalog is None or self.has_schema:
            return writes
        needed, found = set(names), list[Write]()
        for write in reversed(writes):
            touched = catalog.reach(write.target)
            if not needed.isdisjoint(touched):
                needed |= touched | write.parsed.names
                found.append(write)
        return found[::-1]

    def collision(self, error: Exception, identity: str, writes: list[Write]) -> Exception:
        """What the error of a batch of these statements means: a reserved key that someone else has written is no
        fault of the application's data.

        It is told from a key that the application wrote itself by the statements not yet known to succeed.
        """
        if not isinstance(error, UniqueError):
            return error
        suspects = [w for w in writes if error.columns.startswith(f"{w.parsed.table}.")]
        if not suspects or not all(error.columns == f"{w.parsed.table}.{w.reserved}" for w in suspects):
            return error
        table = suspects[0].parsed.table or ""
        keys.forget(identity, table.lower())
        self.next_keys.pop(table.lower(), None)
        return KeyTaken(f"A key reserved for {table} was used by someone else. Run it again.")

    # Savepoints

    def mark(self, name: str) -> None:
        self.marks.append(Mark(name, len(self.writes), dict(self.next_keys), set(self.known)))

    def _find(self, name: str) -> int:
        """The index of the latest savepoint of that name; raises LookupError when there is none."""
        for i in range(len(self.marks) - 1, -1, -1):
            if self.marks[i].name.lower() == name.lower():
                return i
        raise LookupError(name)

    def length_at(self, name: str) -> int:
        return self.marks[self._find(name)].length

    def release(self, name: str) -> None:
        """Forget a savepoint, and those after it."""
        del self.marks[self._find(name) :]

    def back_to(self, name: str) -> None:
        """Cut the script back to a savepoint, which stays."""
        at = self._find(name)
        mark = self.marks[at]
        del self.marks[at + 1 :]
        self.cut(mark.length)
        self.next_keys, self.known = dict(mark.next_keys), set(mark.known)

    # Sending

    def batch(self) -> list[Statement]:
        """All statements with their guards."""
        out = rehearsed([])
        for write in self.writes:
            if write.sql:
                out.append(write.statement)
            out.extend(write.guards())
        return out


def rehearsed(writes: list[Write]) -> list[Statement]:
    """Statements in their order without guards, foreign keys checked at the end as Django declares them."""
    return [("PRAGMA defer_foreign_keys=on", []), *(write.statement for write in writes if write.sql)]
