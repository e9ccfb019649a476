"""The tables that a replica copies: their key and columns, and the queries that read these from D1's schema."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import cached_property

from d1backend.protocol import encoding
from d1backend.protocol.api import Statement
from d1backend.replica.schema import Objects, parse_objects
from d1backend.sql.values import quote_name

# The rows of one result, as D1's JSON holds them.
Rows = Sequence[list[Any]]
# One value of SQLite, and one row.
Value = str | int | float | bytes | None
Row = tuple[Value, ...]


@dataclass(frozen=True)
class TableSchema:
    """A table as it is copied: the column of its INTEGER PRIMARY KEY, all its stored columns, and the rows to copy.

    `only` is a condition in SQL over one row, which the copied rows meet; empty for all rows. `counters` are columns
    whose changes are noted for many rows at once (counters.py), as the settings name them.

    The properties are Django's cached ones: those of functools hold a lock in Python 3.11, which a fork may copy.
    """

    name: str
    key: str
    columns: tuple[str, ...]
    only: str = ""
    counters: tuple[str, ...] = ()

    @cached_property
    def quoted_name(self) -> str:
        return quote_name(self.name)

    @cached_property
    def quoted_key(self) -> str:
        return quote_name(self.key)

    @cached_property
    def quoted_columns(self) -> tuple[str, ...]:
        return tuple(map(quote_name, self.columns))

    @cached_property
    def row_sql(self) -> str:
        """SQL for a row as exact JSON text."""
        return self._as_json(self.quoted_columns)

    @cached_property
    def quoted_counters(self) -> tuple[str, ...]:
        return tuple(quote_name(column) for column in self.columns if column in self.counters)

    @cached_property
    def counts_sql(self) -> str:
        """SQL for the key and the counters of a row as exact JSON text."""
        return self._as_json((self.quoted_key, *self.quoted_counters))

    def _as_json(self, columns: Iterable[str]) -> str:
        # Without the table's name, SQLite would take the quoted name of a dropped column for a string.
        return encoding.row_of([f"{self.quoted_name}.{column}" for column in columns])


@dataclass(frozen=True)
class Shape:
    """What a copy holds of D1's schema: its number in the log, and the tables.

    `version` is the version of the database's schema (protocol/schema_version.py) when it was last compared.
    """

    number: int
    version: str | None
    tables: Mapping[str, TableSchema]


@dataclass(frozen=True)
class SourceSchema:
    """The schema of the source, and the position of its change log (`epoch`, `seq`, the `anchor` of that entry).

    `text` is the schema as the log records it, with its `number`; `version` that of the database's whole schema.
    `search` holds the settings of each FTS5 table.
    """

    epoch: str
    seq: int
    number: int
    version: str | None
    text: str
    tables: dict[str, TableSchema]
    search: dict[str, list[tuple[str, Value]]]
    anchor: str | None = None

    @cached_property
    def objects(self) -> Objects:
        return parse_objects(self.text)


def columns_query(tables: Iterable[str]) -> Statement:
    """A query for the columns of tables; parse_columns() reads its result."""
    return (
        "SELECT m.name, x.name, upper(x.type), x.pk, x.hidden, x.dflt_value "
        "FROM sqlite_master m, pragma_table_xinfo(m.name) x "
        "WHERE m.type = 'table' AND m.name IN (SELECT value FROM json_each(?1)) ORDER BY m.name, x.cid",
        [json.dumps(list(tables))],
    )


def search_settings_query(search_table: str) -> Statement:
    """A query for the settings of an FTS5 table, such as `rank`."""
    return f"SELECT k, v FROM {quote_name(f'{search_table}_config')} WHERE k <> 'version'", []


def parse_columns(tables: Iterable[str], rows: Rows, source: str) -> dict[str, TableSchema]:
    """The schemas of tables from the result of columns_query().

    Raises LookupError for a missing table, ValueError for one without an INTEGER PRIMARY KEY.
    """
    found: dict[str, Rows] = {}
    for table, *column in rows:
        found[table] = [*found.get(table, ()), column]
    schemas = {}
    for table in tables:
        if table not in found:
            raise LookupError(f"DATABASES[{source!r}] has no table {table}: run `manage.py migrate`.")
        keys = [name for name, kind, pk, *_ in found[table] if pk and kind == "INTEGER"]
        if len(keys) != 1 or sum(bool(pk) for _, _, pk, *_ in found[table]) != 1:
            raise ValueError(f"Table {table} cannot be copied: it has no INTEGER PRIMARY KEY.")
        columns = tuple(name for name, _, _, hidden, _ in found[table] if not hidden)
        schemas[table] = TableSchema(table, keys[0], columns)
    return schemas


def parse_defaults(rows: Rows) -> dict[tuple[str, str], str]:
    """The default of each stored column, as SQL, by its table and name, from the result of columns_query()."""
    return {(table, name): dflt or "NULL" for table, name, _, _, hidden, dflt in rows if not hidden}
