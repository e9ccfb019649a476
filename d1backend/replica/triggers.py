"""The triggers on D1 that log the changes of a table."""

import json
from collections.abc import Iterable

from d1backend.protocol.api import Statement
from d1backend.replica.change_log import LOG
from d1backend.replica.schema import LOG_TRIGGER
from d1backend.replica.tables import Rows, TableSchema
from d1backend.sql.values import literal, quote_name

INSTALLED_TRIGGERS_QUERY = (
    f"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name GLOB '{LOG_TRIGGER}*'"
)
# The columns of a unique index, each with its collation.
UniqueIndex = list[tuple[str, str]]


def log_triggers(
    table: TableSchema, quiet: Iterable[str], unique_indexes: Iterable[UniqueIndex]
) -> dict[str, str]:
    """The names and SQL of the triggers for a table."""
    key, quiet = table.quoted_key, [c for c in table.columns if c in set(quiet)]
    loud_columns = ", ".join(quote_name(c) for c in table.columns if c not in quiet)
    bodies = {
        "insert": _trigger(table, "AFTER INSERT", f"NEW.{key}"),
        "delete": _trigger(table, "AFTER DELETE", f"OLD.{key}"),
        "update": _trigger(table, f"AFTER UPDATE OF {loud_columns}", f"NEW.{key}"),
        "move": _trigger(table, f"AFTER UPDATE OF {key}", f"OLD.{key}", f"OLD.{key} IS NOT NEW.{key}"),
    }
    if quiet:
        columns = ", ".join(map(quote_name, quiet))
        bodies["quiet"] = _trigger(table, f"AFTER UPDATE OF {columns}", f"NEW.{key}", quietly=True)
    if indexes := list(unique_indexes):
        # REPLACE deletes conflicting rows without firing their delete triggers.
        columns = ", ".join(sorted({quote_name(column) for index in indexes for column, _ in index}))
        conflicting = f"SELECT {key} FROM {table.quoted_name} WHERE {' OR '.join(map(_same_values, indexes))}"
        others = f"SELECT {key} FROM ({conflicting}) WHERE {key} <> OLD.{key}"
        bodies["oust"] = _trigger(table, "BEFORE INSERT", conflicting)
        bodies["oust_update"] = _trigger(table, f"BEFORE UPDATE OF {columns}", others)
    named = {f"{LOG_TRIGGER}{table.name}_{event}": body for event, body in bodies.items()}
    return {name: f"CREATE TRIGGER {quote_name(name)} {body}" for name, body in named.items()}


def _trigger(table: TableSchema, event: str, keys: str, when: str = "", *, quietly: bool = False) -> str:
    """A trigger that logs the row with the key `keys`, or all rows whose keys `keys` selects."""
    select = keys if keys.startswith("SELECT") else f"SELECT {keys}"
    return (
        f"{event} ON {table.quoted_name} {f'WHEN {when} ' if when else ''}BEGIN "
        f"INSERT INTO {LOG} (tbl, key, quiet) SELECT {literal(table.name)}, k.*, {int(quietly)} "
        f"FROM ({select}) k; END"
    )


def _same_values(index: UniqueIndex) -> str:
    """SQL condition: a row has the values of the new row in the columns of a unique index."""
    return "({})".format(
        " AND ".join(
            f"{quote_name(c)} = NEW.{quote_name(c)} COLLATE {quote_name(collation)}" for c, collation in index
        )
    )


def unique_indexes_query(tables: Iterable[str]) -> Statement:
    """A query for the unique indexes of tables, without partial ones; parse_unique_indexes() reads its result."""
    return (
        "SELECT m.name, l.name, x.name, x.coll FROM sqlite_master m, pragma_index_list(m.name) l, "
        "pragma_index_xinfo(l.name) x WHERE m.type = 'table' AND m.name IN (SELECT value FROM json_each(?1)) "
        'AND l."unique" AND NOT l.partial AND x.key ORDER BY 1, 2, x.seqno',
        [json.dumps(list(tables))],
    )


def parse_unique_indexes(rows: Rows) -> dict[str, list[UniqueIndex]]:
    """The unique indexes of each table, without those on expressions."""
    found: dict[tuple[str, str], list[tuple[str | None, str]]] = {}
    for table, index, column, collation in rows:
        found.setdefault((table, index), []).append((column, collation))
    indexes: dict[str, list[UniqueIndex]] = {}
    for (table, _), columns in found.items():
        plain = [(column, collation) for column, collation in columns if column is not None]
        if len(plain) == len(columns):
            indexes.setdefault(table, []).append(plain)
    return indexes
