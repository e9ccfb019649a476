"""A database as backups read and restores fill it, beside Django: SQLite in a file, or D1."""

import json
import math
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from django.db import connections

from core import private_files
from d1backend import events
from d1backend.creation import id_of
from d1backend.options import settings_of
from d1backend.protocol import encoding
from d1backend.protocol.api import Api, Statement
from d1backend.protocol.budget import Spender, spending
from d1backend.protocol.parameters import bind
from d1backend.replica.changes import MAX_TEXT, page_query
from d1backend.replica.fill import patiently
from d1backend.replica.tables import TableSchema
from d1backend.sql.values import Row, Value
from operations.backups.errors import BackupError

Rows = Sequence[Sequence[Any]]
# What a page from D1, or an INSERT there, aims at: characters, bytes. A value may have 2 MB.
_PAGE_TEXT, _INSERT_BYTES = 1_500_000, 1_400_000
# Seconds for which a call that got no answer is tried again: outages of D1 mostly end within minutes, and a restore
# that gives up must begin again with another database. After that the command ends in a sentence.
PATIENCE = 300.0
FIRST_PAGE, _LARGEST_PAGE, _GROWTH = 2_000, 50_000, 8  # rows, and how much larger the next page may be
_SQLITE_PAGE = 500  # rows


class Database(Protocol):
    """The database, read and written by one thread."""

    engine: str

    def ask(self, questions: Sequence[str]) -> list[Rows]:
        """The rows of some questions, as of one state."""

    def run(self, statements: Sequence[str]) -> None:
        """Run statements as one transaction. On D1 they may be run again: they must not mind."""

    def insert(self, table: TableSchema, rows: Iterable[Sequence[Value]]) -> None:
        """Insert rows that are not there. Foreign keys must be met by then."""

    def pages(self, table: TableSchema) -> Iterator[Sequence[Row]]:
        """The rows of a table that meet its condition, by its key."""

    def close(self) -> None: ...


class SqliteDatabase:
    """SQLite in a file. Within frozen() all that is read is of one state."""

    engine = "sqlite"

    def __init__(self, path: Path) -> None:
        private_files.make_file(path)  # SQLite itself would create it by the umask
        self._db = sqlite3.connect(path, isolation_level=None, timeout=20)

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("ROLLBACK")

    def ask(self, questions: Sequence[str]) -> list[Rows]:
        return [self._db.execute(question).fetchall() for question in questions]

    def run(self, statements: Sequence[str]) -> None:
        with self._transaction():
            for statement in statements:
                self._db.execute(statement)

    def insert(self, table: TableSchema, rows: Iterable[Sequence[Value]]) -> None:
        places = ", ".join("?" * len(table.columns))
        names = ", ".join(table.quoted_columns)
        with self._transaction():
            self._db.executemany(f"INSERT INTO {table.quoted_name} ({names}) VALUES ({places})", rows)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if self._db.in_transaction:  # a full disk has ended it already
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def pages(self, table: TableSchema) -> Iterator[Sequence[Row]]:
        names, where = ", ".join(table.quoted_columns), f"WHERE {table.only}" if table.only else ""
        cursor = self._db.execute(
            f"SELECT {names} FROM {table.quoted_name} {where} ORDER BY {table.quoted_key}"
        )
        while page := cursor.fetchmany(_SQLITE_PAGE):
            yield page


class D1Database:
    """A database on D1. Waits while the limit on calls, or this host's share of it, is used up, and for an outage."""

    engine = "d1"

    def __init__(self, alias: str, note: Callable[[str], None]) -> None:
        """`note` gets a line before each wait."""
        entry = connections[alias].settings_dict
        settings = settings_of(alias, entry).patient(PATIENCE)
        self._note = note
        events.request_repeated.connect(self._note_repetition)
        self._api = Api(
            settings,
            waiting=lambda seconds: note(f"D1 takes no more requests for now; going on in {seconds:.0f} s."),
        )
        self._database = id_of(settings, str(entry["NAME"]))

    def close(self) -> None:
        events.request_repeated.disconnect(self._note_repetition)
        self._api.close()

    def _note_repetition(self, sender: type, *, reason: str, **signal: Any) -> None:
        if reason in ("unsent", "lost"):
            self._note("D1 gave no answer; asking again.")

    def batch(self, statements: list[Statement], *, writes: bool = False) -> list[Rows]:
        with spending(Spender.FILL):
            send = partial(self._api.batch, self._database, statements, writes=writes)
            return [result["rows"] for result in patiently(send)]

    def ask(self, questions: Sequence[str]) -> list[Rows]:
        return self.batch([(question, []) for question in questions])

    def run(self, statements: Sequence[str]) -> None:
        self.batch([(statement, []) for statement in statements], writes=True)

    def insert(self, table: TableSchema, rows: Iterable[Sequence[Value]]) -> None:
        names = ", ".join(table.quoted_columns)
        # A batch whose answer was lost is sent again.
        into = f"INSERT OR IGNORE INTO {table.quoted_name} ({names})"
        values = ", ".join(f"json_extract(value, '$[{place}]')" for place in range(len(table.columns)))
        for part in _parts(rows):
            if isinstance(part, str):
                self.batch([(f"{into} SELECT {values} FROM json_each(?1)", [part])], writes=True)
            else:
                places = ", ".join(["%s"] * len(part))
                self.batch([bind(f"{into.replace('%', '%%')} VALUES ({places})", part)], writes=True)

    def pages(
        self, table: TableSchema, after: int | str | None = None, limit: int = FIRST_PAGE
    ) -> Iterator[Sequence[Row]]:
        """See Database.pages(). Only the rows after the key `after`; the first page has at most `limit` rows."""
        key_at = table.columns.index(table.key)
        while True:
            ((rows, is_last, size),) = pages_in(self.batch([first_page(table, limit, after)]), [limit])
            if rows:
                yield rows
            if is_last:
                return
            after = rows[-1][key_at]
            limit = max(1, min(_LARGEST_PAGE, limit * _GROWTH, len(rows) * _PAGE_TEXT // max(size, 1)))


def first_page(table: TableSchema, limit: int = FIRST_PAGE, after: int | str | None = None) -> Statement:
    """A question to D1 for the first rows of a table, after a key; pages_in() reads the answer."""
    return page_query(table, after, limit)


def pages_in(answers: Sequence[Rows], limits: Sequence[int]) -> Iterator[tuple[list[Row], bool, int]]:
    """Of each page its rows, whether it is the last of its table, and its characters."""
    for answer, limit in zip(answers, limits, strict=True):
        texts = [text for (text,) in answer]
        size = sum(map(len, texts))
        yield encoding.rows(texts), len(texts) < limit and size < MAX_TEXT, size


def _parts(rows: Iterable[Sequence[Value]]) -> Iterator[str | Sequence[Value]]:
    """Rows as JSON texts of many; a row that JSON in SQLite does not hold exactly comes by itself."""
    encoded: list[str] = []
    size = 0
    for row in rows:
        if any(map(_is_odd, row)):
            yield row
            continue
        text = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
        length = len(text) if text.isascii() else len(text.encode())
        if encoded and size + length > _INSERT_BYTES:
            yield f"[{','.join(encoded)}]"
            encoded, size = [], 0
        encoded.append(text)
        size += length + 1
    if encoded:
        yield f"[{','.join(encoded)}]"


def _is_odd(value: Value) -> bool:
    if isinstance(value, str):
        return "\0" in value
    return isinstance(value, bytes) or (isinstance(value, float) and not math.isfinite(value))


def database_of(alias: str, note: Callable[[str], None]) -> SqliteDatabase | D1Database:
    """The database with that alias. Raises BackupError for another engine."""
    wrapper = connections[alias]
    if wrapper.settings_dict["ENGINE"] == "d1backend":
        return D1Database(alias, note)
    if wrapper.vendor == "sqlite":
        return SqliteDatabase(Path(str(wrapper.settings_dict["NAME"])))
    raise BackupError(f"Backups are of SQLite and D1, and this database is on {wrapper.display_name}.")
