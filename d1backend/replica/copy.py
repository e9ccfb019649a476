"""One generation of the local copy: a SQLite file with the tables, and in it how far it has come."""

import os
import sqlite3
import threading
from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from d1backend.replica.changes import Shape, quoted
from d1backend.replica.source import Change, Description, News, Row, UnfitError
from d1backend.sql.tokenizer import tokens_of

_STATE = "_replica_state"
_TABLES = "_replica_tables"


class Copy:
    """A connection that writes the file; used by several threads in turn."""

    def __init__(self, path: Path) -> None:
        """Open a file that is there.

        Raises sqlite3.DatabaseError when it is not one of ours.
        """
        self.path = path
        self._lock = threading.Lock()
        self._db = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            timeout=10,
            check_same_thread=False,
        )
        try:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            # So that rows that give way to others leave the full-text index too.
            self._db.execute("PRAGMA recursive_triggers=ON")
            self.epoch, self.signature = self._one(f"SELECT epoch, signature FROM {_STATE}")
            self.shapes = self._shapes()
        except sqlite3.Error:
            self._db.close()
            raise

    @classmethod
    def create(
        cls, path: Path, description: Description, signature: str, hide: dict[str, set[str]]
    ) -> "Copy":
        """Make the file with empty tables, readable by this user alone."""
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        db = sqlite3.connect(path, isolation_level=None)
        db.execute("BEGIN")
        db.execute(
            f"CREATE TABLE {_STATE} "
            "(epoch TEXT, signature TEXT, seq INTEGER, anchor TEXT, checked REAL, filled INTEGER)"
        )
        db.execute(
            f"INSERT INTO {_STATE} VALUES (?, ?, ?, NULL, 0, 0)",
            (description.epoch, signature, description.seq),
        )
        db.execute(
            f"CREATE TABLE {_TABLES} (tbl TEXT PRIMARY KEY, key TEXT, version INTEGER, after INTEGER, done INTEGER)"
        )
        definitions = {name: sql for kind, name, _, sql in description.objects if kind == "table"}
        for shape in description.shapes.values():
            db.execute(definitions[shape.table])
            for column in sorted(hide.get(shape.table, ())):
                db.execute(f"ALTER TABLE {quoted(shape.table)} DROP COLUMN {quoted(column)}")
            db.execute(f"INSERT INTO {_TABLES} VALUES (?, ?, 0, NULL, 0)", (shape.table, shape.key))
        db.execute("COMMIT")
        db.close()
        return cls(path)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def abandon(self) -> None:
        """Let nobody continue this file; who reads it reads on."""
        with self._transaction() as db:
            db.execute(f"UPDATE {_STATE} SET epoch = ''")
        self.epoch = ""

    def _one(self, sql: str, *values: Any) -> Any:
        row = self._db.execute(sql, values).fetchone()
        if row is None:
            raise sqlite3.DatabaseError(f"{self.path.name} is not a replica's file.")
        return row

    def _shapes(self) -> dict[str, Shape]:
        shapes = {}
        for table, key in self._db.execute(f"SELECT tbl, key FROM {_TABLES} ORDER BY tbl").fetchall():
            rows = self._db.execute("SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0", (table,))
            shapes[table] = Shape(table, key, tuple(name for (name,) in rows))
        return shapes

    @contextmanager
    def _transaction(self) -> Any:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    # Where it stands

    @property
    def seq(self) -> int:
        """The last change of D1's log that it holds."""
        with self._lock:
            return int(self._one(f"SELECT seq FROM {_STATE}")[0])

    @property
    def checked(self) -> float:
        """When D1's schema was last found to be that of the copy (time.time())."""
        with self._lock:
            return float(self._one(f"SELECT checked FROM {_STATE}")[0])

    @checked.setter
    def checked(self, moment: float) -> None:
        with self._transaction() as db:
            db.execute(f"UPDATE {_STATE} SET checked = ?", (moment,))

    @property
    def abandoned(self) -> bool:
        with self._lock:
            return not self._one(f"SELECT epoch FROM {_STATE}")[0]

    @property
    def filled(self) -> bool:
        with self._lock:
            return bool(self._one(f"SELECT filled FROM {_STATE}")[0])

    def version(self, tables: Iterable[str]) -> int:
        """The last change of these tables that was more than quiet."""
        with self._lock:
            found = self._db.execute(f"SELECT tbl, version FROM {_TABLES}").fetchall()
        wanted = set(tables)
        return max((version for table, version in found if table in wanted), default=0)

    # Bringing it forward

    def check(self, news: News) -> None:
        """Raises UnfitError when the changes do not continue this copy."""
        if news.epoch != self.epoch or not news.same_schema:
            raise UnfitError("the schema on D1 or what is logged has changed")
        if news.since < news.floor:
            raise UnfitError("the log on D1 no longer holds the changes since")
        with self._lock:
            seq, anchor = self._one(f"SELECT seq, anchor FROM {_STATE}")
        other = news.since == seq and None not in (anchor, news.anchor) and anchor != news.anchor
        if news.seq < news.since or other:
            raise UnfitError("the database on D1 went back in time", back=True)

    def apply(self, news: News) -> bool:
        """Take in changes that were asked for when this copy stood at `since` or later.

        Returns whether the copy holds everything up to the moment of the news now.
        Raises UnfitError when they do not continue this copy.
        """
        self.check(news)
        if not news.whole:
            return False
        with self._transaction() as db:
            (seq,) = self._one(f"SELECT seq FROM {_STATE}")
            if news.seq > seq:
                rows = {(c.table, c.key): c.row for c in news.changes if c.table in self.shapes}
                try:
                    db.execute("SAVEPOINT rows")
                    self._put(db, rows)
                except sqlite3.IntegrityError:
                    # Unique values have changed places: make room for all of them first.
                    db.execute("ROLLBACK TO rows")
                    self._replace(db, rows)
                self._note(db, news, news.changes)
        return True

    def _replace(self, db: sqlite3.Connection, rows: dict[tuple[str, int], Row | None]) -> None:
        """Write rows; others with the same unique values give way."""
        self._remove(db, rows)
        try:
            for (table, _), row in rows.items():
                if row is not None:
                    db.execute(_insert(self.shapes[table], "OR REPLACE"), row)
        except sqlite3.IntegrityError as error:
            raise UnfitError(f"a change does not fit the copy ({error})") from error

    def _remove(self, db: sqlite3.Connection, rows: Iterable[tuple[str, int]]) -> None:
        for table, key in rows:
            shape = self.shapes[table]
            db.execute(f"DELETE FROM {quoted(table)} WHERE {quoted(shape.key)} = ?", (key,))

    def _put(self, db: sqlite3.Connection, rows: dict[tuple[str, int], Row | None]) -> None:
        """Write what differs, so that triggers of the full-text index run only where text has changed."""
        self._remove(db, [at for at, row in rows.items() if row is None])
        for (table, key), row in rows.items():
            if row is None:
                continue
            shape = self.shapes[table]
            name, where = quoted(table), f"WHERE {quoted(shape.key)} = ?"
            columns = ", ".join(map(quoted, shape.columns))
            old = db.execute(f"SELECT {columns} FROM {name} {where}", (key,)).fetchone()
            if old is None:
                db.execute(_insert(shape), row)
                continue
            differing = [
                i for i, value in enumerate(row) if value != old[i] or type(value) is not type(old[i])
            ]
            if differing:
                sets = ", ".join(f"{quoted(shape.columns[i])} = ?" for i in differing)
                db.execute(f"UPDATE {name} SET {sets} {where}", (*(row[i] for i in differing), key))

    def _note(self, db: sqlite3.Connection, news: News, changes: Iterable[Change]) -> None:
        versions: dict[str, int] = {}
        for change in changes:
            if not change.quiet:
                versions[change.table] = max(change.seq, versions.get(change.table, 0))
        db.execute(f"UPDATE {_STATE} SET seq = ?, anchor = ?", (news.reached, news.last))
        db.executemany(
            f"UPDATE {_TABLES} SET version = max(version, ?) WHERE tbl = ?",
            [(at, table) for table, at in versions.items()],
        )

    # Filling it

    def position(self, table: str) -> tuple[int | None, bool]:
        """The last key filled of a table, and whether that was all."""
        with self._lock:
            after, done = self._one(f"SELECT after, done FROM {_TABLES} WHERE tbl = ?", table)
        return after, bool(done)

    def fill(self, shape: Shape, rows: list[Row], *, last: bool) -> None:
        """Take in a page of a table. Rows that a change has moved meanwhile give way; the log brings them again."""
        at = shape.columns.index(shape.key)
        with self._transaction() as db:
            db.executemany(_insert(shape, "OR REPLACE"), rows)
            after = rows[-1][at] if rows else None
            db.execute(
                f"UPDATE {_TABLES} SET after = coalesce(?, after), done = ? WHERE tbl = ?",
                (after, last, shape.table),
            )

    def catch_up(self, news: News) -> None:
        """Take in a part of the changes before anybody reads the copy."""
        self.check(news)
        with self._transaction() as db:
            rows = {(c.table, c.key): c.row for c in news.changes if c.table in self.shapes}
            self._replace(db, rows)
            self._note(db, news, ())

    def finish(self, description: Description, news: News) -> None:
        """Build indexes, full-text tables and their triggers; the copy can be read then.

        `news` are the last changes taken in, with versions.
        Raises UnfitError when rows were brought that cannot be together.
        """
        hidden = {
            table: set(description.shapes[table].columns) - set(shape.columns)
            for table, shape in self.shapes.items()
        }
        search = set(description.search)
        with self._transaction() as db:
            for kind, _, table, sql in description.objects:
                if kind == "index" and not hidden.get(table, set()) & _words(sql):
                    self._index(db, sql)
            for kind, name, _, sql in description.objects:
                if kind == "table" and name in search:
                    db.execute(sql)
                    for key, value in description.search[name]:
                        db.execute(
                            f"INSERT INTO {quoted(name)} ({quoted(name)}, rank) VALUES (?, ?)", (key, value)
                        )
                    db.execute(f"INSERT INTO {quoted(name)} ({quoted(name)}) VALUES ('rebuild')")
            for kind, _, _, sql in description.objects:
                if kind == "trigger" and search & _words(sql):
                    db.execute(sql)
            for table in self.shapes:
                at = max(news.floor, news.versions.get(table, 0))
                db.execute(f"UPDATE {_TABLES} SET version = ? WHERE tbl = ?", (at, table))
            db.execute(f"UPDATE {_STATE} SET filled = 1")

    def _index(self, db: sqlite3.Connection, sql: str) -> None:
        try:
            db.execute(sql)
        except sqlite3.IntegrityError as error:
            raise UnfitError(f"an index does not fit the rows of the copy ({error})") from error


def _insert(shape: Shape, conflict: str = "") -> str:
    columns, holders = ", ".join(map(quoted, shape.columns)), ", ".join("?" * len(shape.columns))
    return f"INSERT {conflict} INTO {quoted(shape.table)} ({columns}) VALUES ({holders})"


def _words(sql: str) -> set[str]:
    return {token.name for token in tokens_of(sql) if token.kind in ("word", "quoted")}
