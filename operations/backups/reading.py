"""What a backup reads: on SQLite in one transaction, on D1 as of one number of its log as far as that is possible.

With a copy of D1 on this host (docs/replica.md), the copied rows come from it. One batch at the same number of the log
reads what it leaves out, and the first page of each table that it has not. Further pages follow, only of rows that were
there by then; `later` says how many seconds after the batch the last of a table was read.
"""

import heapq
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain, islice

from core import restores
from d1backend.protocol.api import Statement
from d1backend.replica.frozen_copy import FrozenCopy
from d1backend.replica.one_state import read_one_state
from d1backend.replica.registry import host_of_source
from d1backend.replica.source import Source
from d1backend.replica.tables import TableSchema
from d1backend.sql.values import Row
from operations.backups import schema
from operations.backups.databases import (
    FIRST_PAGE,
    PATIENCE,
    D1Database,
    Rows,
    SqliteDatabase,
    database_of,
    first_page,
    pages_in,
)
from operations.backups.errors import BackupError
from operations.backups.hidden import IN_RANGE, HiddenColumns
from operations.backups.schema import Migration, Schema, older_than

Note = Callable[[str], None]
Page = Sequence[Row]
_PAGE = 500  # rows


@dataclass
class Reading:
    """A database that is read for a backup. `later` grows as pages are read."""

    engine: str
    schema: Schema
    sequences: dict[str, int]
    migrations: list[Migration]
    pages: Callable[[TableSchema], Iterator[Page]]
    serial: Mapping[str, str | int] | None = None
    later: dict[str, float] = field(default_factory=dict)


@contextmanager
def reading_of(alias: str, note: Note) -> Iterator[Reading]:
    """Read the database with that alias. Raises BackupError, and what D1 and SQLite raise."""
    with closing(database_of(alias, note)) as database:
        if isinstance(database, SqliteDatabase):
            with database.frozen():
                found = _whole(database.ask(schema.questions()))
                sequences, applied = database.ask([schema.SEQUENCES, schema.APPLIED])
                yield Reading(
                    database.engine, found, _sequences(sequences), _migrations(applied), database.pages
                )
        else:
            with _D1Reader(alias, database, note).reading() as reading:
                yield reading


def _whole(described: Sequence[Rows]) -> Schema:
    """The schema of a database that no restore has left unfinished. Raises BackupError."""
    found = schema.parse(described)
    if restores.MARKER in found.others:
        raise BackupError(restores.SENTENCE)
    return found


def _sequences(rows: Rows) -> dict[str, int]:
    return {name: seq for name, seq in rows if isinstance(seq, int)}


def _migrations(rows: Rows) -> list[Migration]:
    return [(app, name) for app, name in rows]


class _D1Reader:
    """Reads D1, with this host's copy where there is one."""

    def __init__(self, alias: str, database: D1Database, note: Note) -> None:
        self._alias, self._database, self._note = alias, database, note
        self._schema = _whole(database.ask(schema.questions()))
        self._copied: Mapping[str, TableSchema] = {}
        self._hidden: dict[str, HiddenColumns] = {}
        self._first: dict[str, tuple[list[Row], bool]] = {}

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        host = host_of_source(self._alias)
        if host is None:
            answers = self._database.batch(self._statements())
            yield self._begin(answers, None)
            return
        with closing(
            Source(host.options, patient=True, on_rate_limit=self._note_wait, patience=PATIENCE)
        ) as source:
            # The first state shows what the copy has, the second is the one that is read.
            with closing(read_one_state(host, source, [], self._note, PATIENCE)[0]) as copy:
                self._describe(copy)
            copy, found = read_one_state(host, source, self._statements(), self._note, PATIENCE)
            with closing(copy):
                yield self._begin(found, copy)

    def _note_wait(self, seconds: float) -> None:
        self._note(f"D1 takes no more requests for now; going on in {seconds:.0f} s.")

    def _describe(self, copy: FrozenCopy) -> None:
        self._copied = {
            name: replace(
                table, columns=tuple(c for c in self._schema.tables[name].columns if c in table.columns)
            )
            for name, table in copy.tables.items()
            if name in self._schema.tables
        }
        for name, table in self._copied.items():
            if table.columns != self._schema.tables[name].columns:
                keys = replace(table, columns=(table.key,))
                boundaries = [
                    key
                    for place, (key,) in enumerate(chain.from_iterable(copy.pages(keys)), 1)
                    if place % IN_RANGE == 0 and isinstance(key, int)
                ]
                self._hidden[name] = HiddenColumns(self._schema.tables[name], table, boundaries)

    def _missing(self) -> dict[str, TableSchema]:
        """The tables that are not copied, and of others the rows that are not."""
        found = {}
        for name, table in self._schema.tables.items():
            copied = self._copied.get(name)
            if copied is None:
                found[name] = table
            elif copied.only:
                found[name] = replace(table, only=f"({copied.only}) IS NOT TRUE")
        return found

    def _statements(self) -> list[Statement]:
        """The questions of the batch at the number of the log that is read; _begin() reads the answers."""
        return [
            (schema.SEQUENCES, []),
            (schema.APPLIED, []),
            *map(first_page, self._missing().values()),
            *(statement for hidden in self._hidden.values() for statement in hidden.begins_with),
        ]

    def _begin(self, answers: Sequence[Rows], copy: FrozenCopy | None) -> Reading:
        rest = iter(answers)
        sequences, applied = islice(rest, 2)
        missing = self._missing()
        pages = pages_in(list(islice(rest, len(missing))), [FIRST_PAGE] * len(missing))
        self._first = {name: (rows, is_last) for name, (rows, is_last, _) in zip(missing, pages, strict=True)}
        for hidden in self._hidden.values():
            hidden.take(list(islice(rest, len(hidden.begins_with))))
        started = time.monotonic()
        reading = Reading(
            D1Database.engine,
            self._schema,
            _sequences(sequences),
            _migrations(applied),
            lambda table: self._pages(table, copy, reading, started),
            None if copy is None else {"epoch": copy.epoch, "seq": copy.seq},
        )
        return reading

    def _pages(
        self, table: TableSchema, copy: FrozenCopy | None, reading: Reading, started: float
    ) -> Iterator[Page]:
        missing, copied = self._missing().get(table.name), self._copied.get(table.name)
        hidden = self._hidden.get(table.name)
        if copied is None or copy is None:
            yield from self._from_d1(table, reading)
        elif hidden is None and missing is None:
            yield from copy.pages(copied)
        else:
            rows: Iterator[Row] = chain.from_iterable(copy.pages(copied))
            if hidden is not None:
                rows = hidden.complete(rows, self._database.batch)
            if missing is not None:
                others = chain.from_iterable(self._from_d1(missing, reading))
                rows = _merged(rows, others, table.columns.index(table.key))
            yield from _in_pages(rows)
        if not self._first.get(table.name, ((), True))[1] or (hidden is not None and hidden.is_more):
            reading.later[table.name] = round(time.monotonic() - started, 1)

    def _from_d1(self, table: TableSchema, reading: Reading) -> Iterator[Page]:
        """The rows of a table that were there at the number of the log, from D1."""
        rows, is_last = self._first[table.name]
        yield rows
        if is_last:
            return
        conditions = [table.only, older_than(reading.sequences, self._schema, table)]
        bounded = replace(table, only=" AND ".join(f"({one})" for one in conditions if one))
        yield from self._database.pages(bounded, after=rows[-1][table.columns.index(table.key)])


def _merged(rows: Iterator[Row], others: Iterator[Row], key_at: int) -> Iterator[Row]:
    """Rows of both by their key; of two with the same key the first one's."""
    last: object = None
    for row in heapq.merge(rows, others, key=lambda row: row[key_at]):
        if row[key_at] != last:
            yield row
        last = row[key_at]


def _in_pages(rows: Iterator[Row]) -> Iterator[Page]:
    while page := list(islice(rows, _PAGE)):
        yield page
