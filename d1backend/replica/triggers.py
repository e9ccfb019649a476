"""The triggers on D1 that log the changes of a table."""

import json
from collections.abc import Iterable
from typing import Any

from d1backend.protocol.api import Statement
from d1backend.replica.changes import LOG, Shape, quoted
from d1backend.sql.values import literal

_NAME = "_d1_log_"
PRESENT = f"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name GLOB '{_NAME}*'"
# The columns of a unique index, each with its collation.
Unique = list[tuple[str, str]]


def triggers(shape: Shape, quiet: Iterable[str], uniques: Iterable[Unique]) -> dict[str, str]:
    """The names and SQL of the triggers for a table."""
    own, quiet = quoted(shape.key), [c for c in shape.columns if c in set(quiet)]
    loud = ", ".join(quoted(c) for c in shape.columns if c not in quiet)
    made = {
        "insert": _trigger(shape, "AFTER INSERT", f"NEW.{own}"),
        "delete": _trigger(shape, "AFTER DELETE", f"OLD.{own}"),
        "update": _trigger(shape, f"AFTER UPDATE OF {loud}", f"NEW.{own}"),
        "move": _trigger(shape, f"AFTER UPDATE OF {own}", f"OLD.{own}", f"OLD.{own} IS NOT NEW.{own}"),
    }
    if quiet:
        columns = ", ".join(map(quoted, quiet))
        made["quiet"] = _trigger(shape, f"AFTER UPDATE OF {columns}", f"NEW.{own}", quietly=True)
    if uniques := list(uniques):
        # REPLACE deletes the rows in its way without a trigger of theirs.
        columns = ", ".join(sorted({quoted(column) for unique in uniques for column, _ in unique}))
        found = f"SELECT {own} FROM {quoted(shape.table)} WHERE {' OR '.join(map(_same, uniques))}"
        others = f"SELECT {own} FROM ({found}) WHERE {own} <> OLD.{own}"
        made["oust"] = _trigger(shape, "BEFORE INSERT", found)
        made["oust_update"] = _trigger(shape, f"BEFORE UPDATE OF {columns}", others)
    return {
        f"{_NAME}{shape.table}_{what}": f"CREATE TRIGGER {quoted(f'{_NAME}{shape.table}_{what}')} {text}"
        for what, text in made.items()
    }


def _trigger(shape: Shape, event: str, keys: str, when: str = "", *, quietly: bool = False) -> str:
    """A trigger that logs the row whose key is `keys`, or the rows whose keys that SELECT gives.

    An older entry is deleted, not replaced: the OR IGNORE of a statement would reach into its triggers.
    """
    table, select = literal(shape.table), keys if keys.startswith("SELECT") else f"SELECT {keys}"
    return (
        f"{event} ON {quoted(shape.table)} {f'WHEN {when} ' if when else ''}BEGIN "
        f"DELETE FROM {LOG} WHERE tbl = {table} AND key IN ({select}){' AND quiet = 1' if quietly else ''}; "
        f"INSERT INTO {LOG} (tbl, key, quiet) SELECT {table}, k.*, {int(quietly)} FROM ({select}) k; END"
    )


def _same(unique: Unique) -> str:
    """SQL for: a row has the values of the new one in the columns of a unique index."""
    return "({})".format(
        " AND ".join(f"{quoted(c)} = NEW.{quoted(c)} COLLATE {quoted(collation)}" for c, collation in unique)
    )


def indexes(tables: Iterable[str]) -> Statement:
    """A question for the unique indexes of tables, but for those of a part of the rows or of expressions."""
    return (
        "SELECT m.name, l.name, x.name, x.coll FROM sqlite_master m, pragma_index_list(m.name) l, "
        "pragma_index_xinfo(l.name) x WHERE m.type = 'table' AND m.name IN (SELECT value FROM json_each(?1)) "
        'AND l."unique" AND NOT l.partial AND x.key ORDER BY 1, 2, x.seqno',
        [json.dumps(list(tables))],
    )


def uniques_of(rows: Iterable[list[Any]]) -> dict[str, list[Unique]]:
    """The unique indexes by table, from what `indexes` tells."""
    found: dict[tuple[str, str], list[tuple[Any, str]]] = {}
    for table, index, column, collation in rows:
        found.setdefault((table, index), []).append((column, collation))
    uniques: dict[str, list[Unique]] = {}
    for (table, _), columns in found.items():
        if all(column is not None for column, _ in columns):
            uniques.setdefault(table, []).append(columns)
    return uniques
