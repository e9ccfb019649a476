"""The local copy: a SQLite file with the copied tables and, in tables of its own, how far it has come."""

import json
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

from d1backend import events
from d1backend.replica import layout, row_writes
from d1backend.replica.change_log import LogState
from d1backend.replica.changes import Change, ChangeSet, NeedsRefill, OtherSchema
from d1backend.replica.options import ReplicaOptions
from d1backend.replica.schema import of_kind, parse_objects
from d1backend.replica.schema_change import SchemaChange
from d1backend.replica.tables import Row, Shape, SourceSchema, TableSchema, Value

_STATE = "_replica_state"
_TABLES = "_replica_tables"
STATE_OF_COPY = f"SELECT epoch, seq, anchor FROM {_STATE}"
# Memory for finish_fill() (kB); 2000 else, which is SQLite's default.
_CACHE_FOR_INDEXES = 32_000
_WRITER_PATIENCE = 10.0  # seconds, for another process that writes
# A log (-wal) of so many bytes is emptied after a change; readers are waited for as long as this, in milliseconds.
_LONG_LOG, _LOG_PATIENCE = 16_000_000, 250


class Filling(TypedDict):
    """How far a fill is: the rows so far of a table and in all, and the part of all tables (0 to 1)."""

    table: str
    rows: int
    total: int
    fraction: float


class ReplicaCopy:
    """A connection that writes the file; its threads take turns."""

    def __init__(self, path: Path) -> None:
        """Open an existing file.

        Raises sqlite3.DatabaseError when the file is not a replica's.
        """
        self.path = path
        self._lock = threading.Lock()
        self._db = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            timeout=_WRITER_PATIENCE,
            check_same_thread=False,
        )
        try:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            # Without it, REPLACE would leave the text of the replaced rows in the full-text index.
            self._db.execute("PRAGMA recursive_triggers=ON")
            # What was deleted, as an ended session, leaves no bytes behind.
            self._db.execute("PRAGMA secure_delete=ON")
            self._db.execute("PRAGMA journal_size_limit=0")
            self.epoch, self.signature = self._row(f"SELECT epoch, signature FROM {_STATE}")
            self._shape = self._read_shape()
        except sqlite3.Error:
            self._db.close()
            raise

    @classmethod
    def create(cls, path: Path, schema: SourceSchema, options: ReplicaOptions) -> "ReplicaCopy":
        """Create the file with empty tables; only this user can read it.

        Raises LookupError or ValueError when a table cannot be stored as the options say.
        """
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        db = sqlite3.connect(path, isolation_level=None)
        try:
            db.execute("BEGIN")
            db.execute(
                f"CREATE TABLE {_STATE} (epoch TEXT, signature TEXT, seq INTEGER, anchor TEXT, checked REAL, "
                "filled INTEGER, number INTEGER, version TEXT, schema TEXT)"
            )
            db.execute(
                f"INSERT INTO {_STATE} VALUES (?, ?, ?, ?, 0, 0, ?, ?, ?)",
                (
                    *(schema.epoch, options.signature, schema.seq, schema.anchor),
                    *(schema.number, schema.version, schema.text),
                ),
            )
            db.execute(
                f"CREATE TABLE {_TABLES} (tbl TEXT PRIMARY KEY, key TEXT, only_rows TEXT, packed_by TEXT, "
                "counters TEXT, version INTEGER, after INTEGER, done INTEGER, rows INTEGER, total INTEGER)"
            )
            definitions = of_kind(schema.objects, "table")
            for name, table in schema.tables.items():
                layout.create_table(db, table, definitions[name].sql, options)
                packed_by = json.dumps(options.compact[name]) if name in options.compact else None
                counters = json.dumps(options.counters.get(name, ()))
                db.execute(
                    f"INSERT INTO {_TABLES} VALUES (?, ?, ?, ?, ?, 0, NULL, 0, 0, NULL)",
                    (name, table.key, options.only.get(name, ""), packed_by, counters),
                )
            db.execute("COMMIT")
        except BaseException:
            path.unlink()
            raise
        finally:
            db.close()
        return cls(path)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def mark_obsolete(self) -> None:
        """Mark this copy as obsolete: no process continues it. Open readers keep working."""
        with self._transaction() as db:
            db.execute(f"UPDATE {_STATE} SET epoch = ''")
        self.epoch = ""

    def _row(self, sql: str, *values: Value) -> Row:
        row: Row | None = self._db.execute(sql, values).fetchone()
        if row is None:
            raise sqlite3.DatabaseError(f"{self.path.name} is not a replica's file.")
        return row

    def _state(self, column: str) -> Value:
        with self._lock:
            return self._row(f"SELECT {column} FROM {_STATE}")[0]

    def _read_shape(self) -> Shape:
        """The shape in the file, read as one state of it."""
        self._db.execute("BEGIN")
        try:
            number, version = self._row(f"SELECT number, version FROM {_STATE}")
            return Shape(int(number or 0), None if version is None else str(version), read_tables(self._db))
        finally:
            self._db.execute("COMMIT")

    def shape(self) -> Shape:
        """What the file holds of D1's schema now: another process may have changed it."""
        with self._lock:
            now = self._row(f"SELECT number, version FROM {_STATE}")
            if now != (self._shape.number, self._shape.version):
                self._shape = self._read_shape()
            return self._shape

    @property
    def tables(self) -> Mapping[str, TableSchema]:
        """The tables as this process knows them. Columns may have been added since."""
        return self._shape.tables

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    # State

    @property
    def seq(self) -> int:
        """The last change of D1's log that this copy contains."""
        return int(self._state("seq") or 0)

    @property
    def schema_checked_at(self) -> float:
        """When D1's schema was last compared with that of the copy and was the same (time.time())."""
        return float(self._state("checked") or 0)

    def note_schema(self, moment: float, version: str | None) -> None:
        """Record that D1's schema was compared at that moment, when its version was this."""
        with self._transaction() as db:
            db.execute(f"UPDATE {_STATE} SET checked = ?, version = ?", (moment, version))

    @property
    def is_obsolete(self) -> bool:
        """Whether a process has marked it so; `epoch` is empty once this one knows."""
        if self.epoch and not self._state("epoch"):
            self.epoch = ""
        return not self.epoch

    @property
    def is_filled(self) -> bool:
        return bool(self._state("filled"))

    def version(self, tables: Iterable[str]) -> int:
        """The last change of these tables by more than counters."""
        with self._lock:
            versions = self._db.execute(f"SELECT tbl, version FROM {_TABLES}").fetchall()
        wanted = set(tables)
        return max((version for table, version in versions if table in wanted), default=0)

    # Changes

    def require_continues(self, change_set: ChangeSet) -> None:
        """Raise NeedsRefill when the changes do not continue this copy, whatever the schema is."""
        if change_set.state.epoch != self.epoch:
            raise NeedsRefill("the schema on D1 or what is logged has changed")
        if change_set.since < change_set.state.floor:
            raise NeedsRefill("the log on D1 no longer holds the changes since")
        with self._lock:
            seq, anchor = self._row(f"SELECT seq, anchor FROM {_STATE}")
        anchors = {anchor, change_set.anchor} - {None}
        if change_set.seq < change_set.since or (change_set.since == seq and len(anchors) > 1):
            raise NeedsRefill("the database on D1 went back in time", restored=True)

    def change_to(self, state: LogState, options: ReplicaOptions) -> SchemaChange:
        """How this copy takes over the schema of the log; raises NeedsRefill when it cannot."""
        shape, old = self.shape(), str(self._state("schema"))
        return SchemaChange(shape, parse_objects(old), state, options)

    def apply(self, change_set: ChangeSet, change: SchemaChange | None = None) -> bool:
        """Apply changes that were read when this copy had reached `since` or more, and the schema they were read for.

        Returns whether the copy now contains everything up to the moment of the change set.
        Raises NeedsRefill when the changes do not continue this copy, OtherSchema when the schema on D1 has changed.
        """
        self.require_continues(change_set)
        if not change_set.fits:
            raise OtherSchema
        if not change_set.is_complete:
            return False
        with self._transaction() as db:
            seq, number = self._row(f"SELECT seq, number FROM {_STATE}")
            if number != (change.old_number if change else change_set.shape.number):
                # Another process has taken over a newer schema.
                return False
            if change is not None:
                change.begin(db)
            is_newer = change_set.seq > int(seq or 0)
            if is_newer:
                row_writes.write_changes(db, change_set)
                self._record_progress(db, change_set, change_set.changes)
            if change is not None:
                change.complete(db)
                self._record_schema(db, change)
        if change is not None:
            self._shape = change.shape
        self._shorten_log()
        if is_newer:
            events.changes_applied.send(ReplicaCopy, count=len(change_set.changes))
        return True

    def _shorten_log(self) -> None:
        """Empty a long log of this file. SQLite itself does so only in a moment without readers, which may never come.

        https://sqlite.org/wal.html, section 6. Where a reader takes long, the next change tries again.
        """
        log = self.path.with_name(f"{self.path.name}-wal")
        if not log.exists() or log.stat().st_size < _LONG_LOG:
            return
        with self._lock:
            self._db.execute(f"PRAGMA busy_timeout = {_LOG_PATIENCE}")
            try:
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                self._db.execute(f"PRAGMA busy_timeout = {int(1000 * _WRITER_PATIENCE)}")

    def take_over(self, change: SchemaChange) -> None:
        """Take over a newer schema while nobody reads the copy, which has no indexes yet."""
        with self._transaction() as db:
            change.begin(db)
            self._record_schema(db, change)
        self._shape = change.shape

    def _record_schema(self, db: sqlite3.Connection, change: SchemaChange) -> None:
        if read_tables(db) != change.shape.tables:
            raise NeedsRefill("the columns of the copy are not those on D1")
        db.execute(
            f"UPDATE {_STATE} SET number = ?, version = ?, schema = ?",
            (change.shape.number, change.shape.version, change.text),
        )

    def _record_progress(
        self, db: sqlite3.Connection, change_set: ChangeSet, changes: Iterable[Change]
    ) -> None:
        versions: dict[str, int] = {}
        for change in changes:
            if change.counts is None:
                versions[change.table] = max(change.seq, versions.get(change.table, 0))
        db.execute(f"UPDATE {_STATE} SET seq = ?, anchor = ?", (change_set.last_seq, change_set.next_anchor))
        db.executemany(
            f"UPDATE {_TABLES} SET version = max(version, ?) WHERE tbl = ?",
            [(version, table) for table, version in versions.items()],
        )

    # The first fill

    def fill_position(self, table: str) -> tuple[int | None, bool]:
        """The last key of a table that was filled, and whether the table is complete."""
        with self._lock:
            row = self._db.execute(f"SELECT after, done FROM {_TABLES} WHERE tbl = ?", (table,)).fetchone()
        after, done = row
        return after, bool(done)

    def insert_page(self, table: TableSchema, rows: Sequence[Sequence[Value]], *, is_last: bool) -> None:
        """Insert a page of a table.

        It replaces rows with the same unique values: they have changed since, and the log brings them again.
        """
        key_at = table.columns.index(table.key)
        with self._transaction() as db:
            db.executemany(row_writes.insert_sql(table, "OR REPLACE"), rows)
            after = rows[-1][key_at] if rows else None
            db.execute(
                f"UPDATE {_TABLES} SET after = coalesce(?, after), done = ?, rows = rows + ? WHERE tbl = ?",
                (after, is_last, len(rows), table.name),
            )

    @property
    def has_totals(self) -> bool:
        """Whether set_totals() was called."""
        with self._lock:
            return bool(self._row(f"SELECT count(total) FROM {_TABLES}")[0])

    def set_totals(self, counts: Mapping[str, int]) -> None:
        """Record how many rows each table will have, as far as is known when the fill starts."""
        with self._transaction() as db:
            totals = [(total, name) for name, total in counts.items()]
            db.executemany(f"UPDATE {_TABLES} SET total = ? WHERE tbl = ?", totals)

    def filling(self, table: str) -> Filling:
        """How far the fill is, with the figures of one table."""
        with self._lock:
            found = self._db.execute(
                f"SELECT tbl, rows, coalesce(total, rows), done FROM {_TABLES}"
            ).fetchall()
        # Rows that came or went since they were counted do not count.
        done = sum(total if is_done else min(rows, total) for _, rows, total, is_done in found)
        everything = sum(total for _, _, total, _ in found)
        rows, total = next((rows, total) for name, rows, total, _ in found if name == table)
        return Filling(table=table, rows=rows, total=total, fraction=done / everything if everything else 1.0)

    def apply_before_first_read(self, change_set: ChangeSet) -> None:
        """Apply a part of the changes while nobody reads the copy: unlike apply(), the set may be incomplete."""
        self.require_continues(change_set)
        if not change_set.fits:
            raise OtherSchema
        with self._transaction() as db:
            row_writes.replace_rows(db, change_set)
            self._record_progress(db, change_set, ())

    def finish_fill(
        self,
        search: Mapping[str, Iterable[tuple[str, Value]]],
        options: ReplicaOptions,
        change_set: ChangeSet,
    ) -> None:
        """Pack compact tables, create indexes, full-text tables and their triggers; the copy can then be read.

        `search` holds the settings of each full-text table, and `change_set` is the last one that was applied, with
        versions.
        Raises NeedsRefill when the rows break a unique index.
        """
        # Each index reads the whole table.
        self._db.execute(f"PRAGMA cache_size = -{_CACHE_FOR_INDEXES}")
        with self._transaction() as db:
            objects = parse_objects(str(self._row(f"SELECT schema FROM {_STATE}")[0]))
            packed = db.execute(
                f"SELECT tbl, packed_by FROM {_TABLES} WHERE packed_by IS NOT NULL"
            ).fetchall()
            for name, columns in packed:
                layout.pack(db, self.tables[name], json.loads(columns))
            plain = {name: table for name, table in self.tables.items() if name not in dict(packed)}
            indexes = of_kind(objects, "index").values()
            layout.create_indexes(db, indexes, plain, options.hide, options.no_index)
            layout.create_search(db, objects, search, options.no_index)
            for name in self.tables:
                version = max(change_set.state.floor, change_set.versions.get(name, 0))
                db.execute(f"UPDATE {_TABLES} SET version = ? WHERE tbl = ?", (version, name))
            db.execute(f"UPDATE {_STATE} SET filled = 1")
        with self._lock:
            self._db.execute("PRAGMA cache_size = -2000")
            # The file beside the copy is by now as long as the copy.
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def is_damage(error: BaseException) -> bool:
    """Whether the local file is damaged. Errors of D1 have no such name."""
    return getattr(error, "sqlite_errorname", "") in ("SQLITE_CORRUPT", "SQLITE_NOTADB")


def read_tables(db: sqlite3.Connection) -> dict[str, TableSchema]:
    """The tables in the file of a copy, as they were filled."""
    tables = {}
    query = f"SELECT tbl, key, only_rows, counters FROM {_TABLES} ORDER BY tbl"
    for name, key, only, counters in db.execute(query).fetchall():
        columns = db.execute("SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0", (name,))
        tables[name] = TableSchema(
            name, key, tuple(column for (column,) in columns), only, tuple(json.loads(counters))
        )
    return tables
