"""A transaction as a list of statements that has not been sent yet."""

import re
from collections import Counter
from dataclasses import dataclass, field
from enum import Flag, auto
from functools import partial
from itertools import chain

from d1backend.errors import STALE, KeyTaken, UniqueError
from d1backend.protocol.api import Statement
from d1backend.protocol.schema_version import VERSION
from d1backend.sql.catalog import Catalog
from d1backend.sql.tokenizer import Parsed
from d1backend.sql.values import Row
from d1backend.transaction import keys
from d1backend.transaction.hints import NO_HINT, Hint
from d1backend.transaction.known_rows import KnownRows
from d1backend.transaction.pending_reads import PendingReads

_COMBINES = {"with", "union", "intersect", "except"}
_PLAIN_COLUMN = re.compile(r'"([^"]+)"\."([^"]+)"')


class Known(Flag):
    """What is known of a write.

    CERTAIN: by the schema it succeeds. REHEARSED: a rehearsal has shown that it succeeds. OBSERVED: the application
    has read its row count or its last rowid, so the commit must find the same.
    """

    NOTHING = 0
    CERTAIN = auto()
    REHEARSED = auto()
    COUNT_OBSERVED = auto()
    ID_OBSERVED = auto()
    OBSERVED = COUNT_OBSERVED | ID_OBSERVED


@dataclass
class Write:
    """One statement of a transaction, its outcome as far as it is known, and a guard of its own, if it has one.

    `requires` must be true before the transaction. `reserved` is the column whose keys were reserved; `counted` is
    False when the row count is not wanted.
    """

    sql: str
    bound: list[str]
    parsed: Parsed
    count: int | None = None
    last_id: int | None = None
    known: Known = Known.NOTHING
    guard: Statement | None = None
    requires: str | None = None
    reserved: str | None = None
    counted: bool = True
    # Its place in the script.
    place: int = 0

    @property
    def statement(self) -> Statement:
        return self.sql, self.bound

    @property
    def target(self) -> frozenset[str]:
        """The table it writes, as a set of names in lower case; empty for a guard."""
        return frozenset([self.parsed.table.lower()] if self.parsed.table else [])

    @property
    def precondition(self) -> list[Statement]:
        """A statement that fails the batch, before it writes, unless `requires` is true."""
        return [(check(self.requires, self.parsed.table), [])] if self.requires else []

    def guards(self) -> list[Statement]:
        """Statements that fail the commit when what was observed no longer holds."""
        if self.guard:
            return [self.guard]
        checks = []
        if Known.COUNT_OBSERVED in self.known and self.count is not None:
            checks.append(f"changes() = {self.count}")
        if Known.ID_OBSERVED in self.known and self.last_id is not None:
            checks.append(f"last_insert_rowid() = {self.last_id}")
        if not checks:
            return []
        return [(check(" AND ".join(checks), self.parsed.table), [])]


def check(condition: str, table: str | None, why: str = STALE) -> str:
    """A SELECT that fails unless the condition is true."""
    return f"SELECT CASE WHEN {condition} THEN 1 ELSE {stale(table, why)} END"


def stale(table: str | None, why: str = STALE) -> str:
    """SQL that fails, naming the table that changed, or (CASCADES) that cannot be remade, and the schema's version."""
    name = "".join(c for c in table or "" if c.isalnum() or c in "_- ")
    return f"json_extract('{{}}', '{why} {name}@' || ifnull({VERSION}, ''))"


def _may_replace(parsed: Parsed) -> bool:
    """Whether an INSERT may take rows away, or change their keys, where it meets others."""
    return parsed.verb == "REPLACE" or "replace" in parsed.names or {"conflict", "update"} <= parsed.names


@dataclass
class Savepoint:
    """The script as it was: its length, the keys that come next and how many rows were known."""

    name: str
    length: int
    next_keys: dict[str, int]
    known_rows: int


@dataclass
class Script:
    """The statements of one transaction, its savepoints, and what its rehearsals have shown.

    `next_keys`: by table, the next key where the script predicts keys itself. `used_keys`: by table and key column,
    how many reserved keys were used. `known_rows`: rows that are there or not; `unchecked`: if no trigger changed that
    while the catalog was unknown. `rehearsed`: the rows of the questions that were rehearsed since the script last
    changed. `questions`: those that travel with the commit.
    """

    writes: list[Write] = field(default_factory=list)
    savepoints: list[Savepoint] = field(default_factory=list)
    next_keys: dict[str, int] = field(default_factory=dict)
    used_keys: dict[tuple[str, str], int] = field(default_factory=dict)
    known_rows: KnownRows = field(default_factory=KnownRows)
    unchecked: bool = False
    rehearsed: dict[tuple[str, tuple[str, ...]], list[Row]] = field(default_factory=dict)
    questions: PendingReads = field(default_factory=partial(PendingReads, for_commit=True))
    # The statements that change the schema, and how many statements write each table.
    _schema: list[Write] = field(default_factory=list)
    _targets: Counter[str] = field(default_factory=Counter)

    def add(self, write: Write) -> None:
        write.place = len(self.writes)
        self.writes.append(write)
        self._targets.update(write.target)
        if write.parsed.kind == "schema":
            self._schema.append(write)
        self.rehearsed.clear()

    def replace_text(self, start: int, statements: list[Statement]) -> None:
        """Give the statements from `start` on another text, when there are as many."""
        if len(statements) == len(self.writes) - start:
            for write, (sql, bound) in zip(self.writes[start:], statements, strict=True):
                write.sql, write.bound = sql, bound

    def truncate(self, length: int) -> None:
        """Drop the statements after the first `length`."""
        for write in self.writes[length:]:
            self._targets.subtract(write.target)
            if write.parsed.kind == "schema":
                self._schema.pop()
        if length < len(self.writes):
            del self.writes[length:]
            self.rehearsed.clear()

    def length_with(self, write: Write) -> int:
        """The script's length up to and with this write; 0 when the write is no longer part of it."""
        is_part = write.place < len(self.writes) and self.writes[write.place] is write
        return write.place + 1 if is_part else 0

    @property
    def has_schema(self) -> bool:
        return bool(self._schema)

    def changes_schema_of(self, table: str) -> bool:
        return any(table.lower() in write.parsed.names for write in self._schema)

    @property
    def tables(self) -> frozenset[str]:
        return frozenset(table for table, count in self._targets.items() if count)

    # Known rows and keys

    def track(self, write: Write, hint: Hint, catalog: Catalog | None) -> None:
        """Update the known rows and keys for a statement that is about to be added."""
        table = (write.parsed.table or "").lower()
        touched = write.target if catalog is None else catalog.reach(write.target)
        if table == "sqlite_sequence" or write.parsed.kind == "schema":
            self.next_keys.clear()
            self.known_rows.forget_all()
        elif write.parsed.verb in ("INSERT", "REPLACE"):
            if not hint.reserved:
                self.next_keys.pop(table, None)
            if hint is NO_HINT and _may_replace(write.parsed):
                self.known_rows.forget_tables(touched)
            else:
                self.known_rows.forget_absent(touched - {table} if hint.makes else touched)
        elif hint.keeps_keys:
            self.known_rows.forget_absent(touched - {table})
        else:
            self.known_rows.forget_tables(touched)
        if catalog is None:
            self.unchecked = True
        else:
            self.known_rows.forget_columns(catalog.lost_with(table, write.parsed.verb))
        self.known_rows.add(hint.makes)

    def check_known_rows(self, catalog: Catalog) -> None:
        """Forget the rows that triggers and cascades may have changed while the catalog was unknown."""
        for write in self.writes:
            self.known_rows.forget_tables(catalog.reach(write.target) - write.target)
            for table in write.target:
                self.known_rows.forget_columns(catalog.lost_with(table, write.parsed.verb))
        self.unchecked = False

    def add_known_rows(self, parsed: Parsed, rows: list[Row], catalog: Catalog) -> None:
        """Note the keys of rows that were read."""
        if not parsed.names.isdisjoint(_COMBINES):
            # A row may be from another table than the columns say.
            return
        for i, column in enumerate(parsed.columns or ()):
            found = _PLAIN_COLUMN.fullmatch(column.sql)
            if found and catalog.is_key(found[1], found[2]):
                self.known_rows.add(
                    (found[1].lower(), found[2], row[i]) for row in rows if isinstance(row[i], int | str)
                )

    def relevant(
        self, names: frozenset[str] | None, catalog: Catalog | None, length: int | None
    ) -> list[Write]:
        """The statements, among the first `length`, that a question about these names may depend on.

        A statement matters when it may change something that is named, by the question or by a later statement
        that matters. All of them matter when the names or the catalog are unknown, or the schema changes.
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

    def explain_collision(self, error: Exception, identity: str, writes: list[Write]) -> Exception:
        """The error to raise when a batch fails: KeyTaken when another client has written a reserved key.

        `writes` are the statements not yet known to succeed. When one of them brought a key of the application's
        own, the error stands as it is.
        """
        if not isinstance(error, UniqueError):
            return error
        suspects = [w for w in writes if error.columns.startswith(f"{w.parsed.table}.")]
        if not suspects or not all(error.columns == f"{w.parsed.table}.{w.reserved}" for w in suspects):
            return error
        table = suspects[0].parsed.table or ""
        keys.forget(identity, table.lower())
        self.next_keys.pop(table.lower(), None)
        return KeyTaken(
            f"Another client has used a key that was reserved for {table}. Run the transaction again."
        )

    # Savepoints

    def add_savepoint(self, name: str) -> None:
        self.savepoints.append(Savepoint(name, len(self.writes), dict(self.next_keys), len(self.known_rows)))

    def _find(self, name: str) -> int:
        """The index of the latest savepoint of that name; raises LookupError when there is none."""
        for i in range(len(self.savepoints) - 1, -1, -1):
            if self.savepoints[i].name.lower() == name.lower():
                return i
        raise LookupError(name)

    def length_at(self, name: str) -> int:
        return self.savepoints[self._find(name)].length

    def release(self, name: str) -> None:
        """Remove a savepoint and those after it."""
        del self.savepoints[self._find(name) :]

    def rollback_to(self, name: str) -> None:
        """Truncate the script to a savepoint, which stays."""
        at = self._find(name)
        savepoint = self.savepoints[at]
        del self.savepoints[at + 1 :]
        self.truncate(savepoint.length)
        self.next_keys = dict(savepoint.next_keys)
        self.known_rows.forget_since(savepoint.known_rows)

    # Sending

    def batch(self) -> list[Statement]:
        """All statements with their guards."""
        preconditions = {write.requires: write.precondition for write in self.writes if write.requires}
        out = [*chain.from_iterable(preconditions.values()), *without_guards([])]
        for write in self.writes:
            if write.sql:
                out.append(write.statement)
            out.extend(write.guards())
        return out


def without_guards(writes: list[Write]) -> list[Statement]:
    """The statements in order, with foreign keys checked at the end of the batch, as Django declares them."""
    return [("PRAGMA defer_foreign_keys=on", []), *(write.statement for write in writes if write.sql)]
