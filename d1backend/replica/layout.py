"""The tables of a copy: created empty, and completed by indexes and full-text tables once they have their rows."""

import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from d1backend.replica.changes import NeedsRefill
from d1backend.replica.options import ReplicaOptions
from d1backend.replica.schema import Objects, SchemaObject, of_kind
from d1backend.replica.tables import TableSchema, Value
from d1backend.sql.tokenizer import tokens_of
from d1backend.sql.values import quote_name

_UNPACKED = quote_name("_replica_unpacked")
# The bytes of entries that FTS5 collects before it writes them: with more it writes fewer parts, which it merges later.
_HASH_FOR_REBUILD, _HASH = 32_000_000, 1024 * 1024
# An index of plain columns, as Django creates it.
_NAME = r'"(?:[^"]|"")+"'
_INDEX_COLUMN = re.compile(rf"({_NAME})( DESC)?")
_INDEX = re.compile(
    rf"(?P<start>CREATE INDEX {_NAME} ON {_NAME} )\((?P<columns>{_NAME}(?: DESC)?(?:, {_NAME}(?: DESC)?)*)\)"
)


def create_table(
    db: sqlite3.Connection, table: TableSchema, definition: str, options: ReplicaOptions
) -> None:
    """Create a table as D1 defines it, without hidden columns; a compact one only with columns and key, for the fill.

    Raises LookupError or ValueError when the table cannot be compact.
    """
    db.execute(definition)
    for column in sorted(set(options.hide.get(table.name, ())) & set(table.columns)):
        db.execute(f"ALTER TABLE {table.quoted_name} DROP COLUMN {quote_name(column)}")
    if packed_by := options.compact.get(table.name):
        columns = _columns(db, table)
        if missing := sorted(set(packed_by) - set(columns)):
            raise LookupError(
                f"Table {table.name} cannot be compact by {', '.join(missing)}: no such column."
            )
        if "COLLATE" in {token.upper for token in tokens_of(definition)}:
            raise ValueError(f"Table {table.name} cannot be compact: it has a column with a collation.")
        columns[table.key] = f"{table.quoted_key} INTEGER PRIMARY KEY"
        db.execute(f"DROP TABLE {table.quoted_name}")
        db.execute(f"CREATE TABLE {table.quoted_name} ({', '.join(columns.values())})")


def pack(db: sqlite3.Connection, table: TableSchema, packed_by: Sequence[str]) -> None:
    """Store a table in the order of the columns that identify a row, with its key as the only index.

    Raises NeedsRefill when the rows break a unique index.
    """
    name, order = table.quoted_name, ", ".join(map(quote_name, packed_by))
    definitions = _columns(db, table)
    columns = ", ".join(map(quote_name, definitions))
    db.execute(f"ALTER TABLE {name} RENAME TO {_UNPACKED}")
    db.execute(
        f"CREATE TABLE {name} ({', '.join(definitions.values())}, PRIMARY KEY ({order})) WITHOUT ROWID"
    )
    try:
        db.execute(f"INSERT INTO {name} ({columns}) SELECT {columns} FROM {_UNPACKED} ORDER BY {order}")
    except sqlite3.IntegrityError as error:
        raise NeedsRefill(f"{table.name} does not fit its compact layout ({error})") from error
    # Indexes and full-text tables, which come later, use its pages.
    db.execute(f"DROP TABLE {_UNPACKED}")
    db.execute(
        f"CREATE UNIQUE INDEX {quote_name(f'_replica_key_{table.name}')} ON {name} ({table.quoted_key})"
    )


def _columns(db: sqlite3.Connection, table: TableSchema) -> dict[str, str]:
    """The columns of a table in the copy, and their definitions without constraints."""
    query = "SELECT name, type, dflt_value FROM pragma_table_xinfo(?) WHERE hidden = 0"
    return {
        name: f"{quote_name(name)} {kind}{f' DEFAULT {default}' if default is not None else ''}"
        for name, kind, default in db.execute(query, (table.name,))
    }


def create_indexes(
    db: sqlite3.Connection,
    indexes: Iterable[SchemaObject],
    tables: Mapping[str, TableSchema],
    hide: Mapping[str, Iterable[str]],
    omitted: Iterable[str],
) -> None:
    """Create those of these indexes that are of `tables`, except the omitted ones and those on hidden columns.

    Raises NeedsRefill when the rows break a unique index.
    """
    for index in indexes:
        table = tables.get(index.table)
        if table is None or index.name in set(omitted) or set(hide.get(table.name, ())) & names_in(index.sql):
            continue
        try:
            db.execute(_without_key(index.sql, table.key))
        except sqlite3.IntegrityError as error:
            raise NeedsRefill(f"an index does not fit the rows of the copy ({error})") from error


def _without_key(sql: str, key: str) -> str:
    """The definition of an index that ends with the key of its table, without it; others stay as they are.

    SQLite ends each entry of an index with the key, rising, and reads an index from both ends
    (https://sqlite.org/queryplanner.html, section 2.2). So the same orders come out of a smaller index.
    """
    found = _INDEX.fullmatch(sql)
    if found is None:
        return sql
    *columns, (last, falls) = _INDEX_COLUMN.findall(found["columns"])
    if last != quote_name(key) or not columns:
        return sql
    if falls:
        columns = [(column, "" if is_falling else " DESC") for column, is_falling in columns]
    return f"{found['start']}({', '.join(map(''.join, columns))})"


def create_search(
    db: sqlite3.Connection,
    objects: Objects,
    search: Mapping[str, Iterable[tuple[str, Value]]],
    omitted: Iterable[str],
) -> None:
    """Create the full-text tables with their settings, index the rows, then create the triggers.

    Omitted ones are created without a prefix index: they find the same, the beginning of a word a little slower.
    """
    for table in of_kind(objects, "table").values():
        if table.name in search:
            db.execute(_without_prefix_index(table.sql) if table.name in set(omitted) else table.sql)
            rebuild_search(db, table.name)
            for setting, value in search[table.name]:
                db.execute(f"{_command(table.name)}, rank) VALUES (?, ?)", (setting, value))
    for trigger in search_triggers(objects, search).values():
        db.execute(trigger.sql)


def search_triggers(objects: Objects, search: Iterable[str]) -> dict[str, SchemaObject]:
    """The triggers that write these full-text tables, by name."""
    return {
        name: trigger
        for name, trigger in of_kind(objects, "trigger").items()
        if set(search) & names_in(trigger.sql)
    }


def rebuild_search(db: sqlite3.Connection, name: str) -> None:
    """Index all text of a full-text table again."""
    db.execute(f"{_command(name)}, rank) VALUES ('hashsize', {_HASH_FOR_REBUILD})")
    db.execute(f"{_command(name)}) VALUES ('rebuild')")
    db.execute(f"{_command(name)}) VALUES ('optimize')")
    db.execute(f"{_command(name)}, rank) VALUES ('hashsize', {_HASH})")


def _command(search_table: str) -> str:
    return f"INSERT INTO {quote_name(search_table)} ({quote_name(search_table)}"


def _without_prefix_index(sql: str) -> str:
    """The definition of an FTS5 table without its option `prefix` (https://sqlite.org/fts5.html, section 4.2)."""
    tokens = tokens_of(sql)
    for comma, name, equals, value in zip(tokens, tokens[1:], tokens[2:], tokens[3:], strict=False):
        if (comma.text, name.upper, equals.text) == (",", "PREFIX", "="):
            return sql[: comma.start] + sql[value.start + len(value.text) :]
    return sql


def names_in(sql: str) -> set[str]:
    """All words and quoted names in a statement."""
    return {token.name for token in tokens_of(sql) if token.kind in ("word", "quoted")}
