"""What D1 keeps for its replicas: a log of changed rows, filled by triggers, and the state of that log.

`_d1_changes` holds the latest change of each row ever changed (two entries at most: the latest, and the latest that
changed more than quiet columns). `_d1_replica` holds one row: the epoch (files of another one are not continued), the
tables logged, the schema as it was when the triggers were made, and the floor (entries up to it may be missing).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from d1backend.protocol import encoding
from d1backend.protocol.api import Statement
from d1backend.sql.values import literal
from d1backend.transaction.script import stale

LOG, STATE = "_d1_changes", "_d1_replica"
# One answer brings no more changes than this, and ends with the row that passes so many characters of JSON.
MOST_CHANGES = 2000
MOST_TEXT = 2_000_000
# How many numbers back the log reaches at least: a host that missed more fills anew.
_KEPT = 100_000

_CREATE = (
    f"CREATE TABLE IF NOT EXISTS {LOG} (seq INTEGER PRIMARY KEY AUTOINCREMENT, tbl TEXT NOT NULL, "
    "key INTEGER NOT NULL, quiet INTEGER NOT NULL)",
    f"CREATE UNIQUE INDEX IF NOT EXISTS {LOG}_of ON {LOG} (tbl, key, quiet)",
    f"CREATE TABLE IF NOT EXISTS {STATE} (id INTEGER PRIMARY KEY CHECK (id = 1), epoch TEXT NOT NULL, "
    "tables TEXT NOT NULL, schema TEXT, floor INTEGER NOT NULL)",
    f"INSERT OR IGNORE INTO {STATE} (id, epoch, tables, floor) VALUES (1, '', '[]', 0)",
)
# Indexes and triggers are part of it, so that a log trigger lost with its table is noticed; so are full-text tables.
_SCHEMA = (
    "(SELECT group_concat(sql, char(10)) FROM (SELECT sql FROM sqlite_master WHERE sql IS NOT NULL "
    "AND (tbl_name IN (SELECT value FROM json_each({tables})) OR sql GLOB 'CREATE VIRTUAL TABLE*') "
    "ORDER BY type, name))"
)
# Asked for by itself, so that it is not asked again for each object of the schema.
_SCHEMA_NOW = _SCHEMA.format(tables=f"(SELECT tables FROM {STATE})")
_SEQ = f"coalesce((SELECT seq FROM sqlite_sequence WHERE name = '{LOG}'), 0)"
_NOW = "CAST(unixepoch('subsec') * 1000000 AS INTEGER)"
_STATE = f"SELECT epoch, floor, {{same}}, {_SEQ}, tables FROM {STATE}"
# The first looks at every object of the schema, the second takes it as it was.
STATE_OF_LOG = _STATE.format(same=f"{_SCHEMA_NOW} IS schema")
_STATE_BRIEFLY = _STATE.format(same="1")
VERSIONS = f"SELECT tbl, max(seq) FROM {LOG} WHERE quiet = 0 GROUP BY tbl"
DROP = (f"DROP TABLE IF EXISTS {LOG}", f"DROP TABLE IF EXISTS {STATE}")


def quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))


@dataclass(frozen=True)
class Shape:
    """A table as it is copied: the column of its INTEGER PRIMARY KEY, and all its stored columns."""

    table: str
    key: str
    columns: tuple[str, ...]

    @property
    def row(self) -> str:
        """SQL for a row as exact JSON text."""
        # With its table's name, or SQLite would take a column that is gone for a text.
        return encoding.row_of([f"{quoted(self.table)}.{quoted(column)}" for column in self.columns])


def schema_of(tables: Iterable[str]) -> str:
    """SQL for the schema of tables and of what belongs to them."""
    return _SCHEMA.format(tables=literal(json.dumps(sorted(tables))))


def install(
    tables: Iterable[str],
    made: Mapping[str, str],
    old: Iterable[str],
    seen: str | None,
    epoch: str,
    *,
    anew: bool = False,
) -> list[Statement]:
    """Statements that make the log and its triggers; run twice they do the same.

    They fail, and nothing is done, when the schema is no longer `seen`, from which the triggers were made. The epoch
    changes only when changes may have gone unlogged (the schema differs from what it was when the triggers were made),
    when other tables are logged, or with `anew`. Numbers go on from the time then, so that none comes again even if
    the log was dropped or the database restored.
    """
    listed = literal(json.dumps(sorted(tables)))
    ours = f"EXISTS (SELECT 1 FROM {STATE} WHERE epoch = {literal(epoch)})"
    changed = "1" if anew else f"schema IS NOT {_SCHEMA_NOW} OR tables IS NOT {listed}"
    same = f"SELECT CASE WHEN {schema_of(tables)} IS ?1 THEN 1 ELSE {stale('schema')} END"
    statements = [
        *_CREATE,
        f"UPDATE {STATE} SET epoch = {literal(epoch)} WHERE {changed}",
        f"INSERT INTO sqlite_sequence (name, seq) SELECT '{LOG}', 0 "
        f"WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = '{LOG}')",
        f"UPDATE sqlite_sequence SET seq = max(seq, {_NOW}) WHERE name = '{LOG}' AND {ours}",
        f"UPDATE {STATE} SET floor = CASE epoch WHEN {literal(epoch)} THEN {_SEQ} "
        f"ELSE max(floor, {_SEQ} - {_KEPT}) END",
        f"DELETE FROM {LOG} WHERE seq <= (SELECT floor FROM {STATE})",
        *(f"DROP TRIGGER IF EXISTS {quoted(name)}" for name in sorted({*old, *made})),
        *made.values(),
        f"UPDATE {STATE} SET tables = {listed}",
        f"UPDATE {STATE} SET schema = {_SCHEMA_NOW}",
    ]
    guard = (same, [seen]) if seen is not None else (same.replace("?1", "NULL"), [])
    return [guard, *((sql, []) for sql in statements)]


def trims(floor: int, seq: int) -> bool:
    """Whether the log has grown so long that installing it again is worth the while."""
    return seq - floor > 2 * _KEPT


def news(shapes: Iterable[Shape], since: int, *, schema: bool = False) -> list[Statement]:
    """Two questions: the state of the log, and the rows changed after `since` as they are now.

    `schema`: whether the schema is looked at too.
    The change `since` comes first, without its row, unless the same row has changed again.
    """
    cases = " ".join(
        f"WHEN {literal(s.table)} THEN (SELECT {s.row} FROM {quoted(s.table)} WHERE {quoted(s.key)} = c.key)"
        for s in shapes
    )
    found = (
        f"SELECT seq AS at, tbl, key, quiet, "
        f"CASE WHEN seq > CAST(?1 AS INTEGER) THEN CASE tbl {cases} END END AS text "
        f"FROM {LOG} c WHERE seq >= CAST(?1 AS INTEGER) ORDER BY seq LIMIT {MOST_CHANGES}"
    )
    state = STATE_OF_LOG if schema else _STATE_BRIEFLY
    return [(state, []), (_cut("at, tbl, CAST(key AS TEXT), quiet, text", found), [str(since)])]


def page(shape: Shape, after: int | None, limit: int) -> Statement:
    """The next rows of a table by key, as exact JSON text; fewer than `limit` when they are long or the last."""
    key = quoted(shape.key)
    start = "" if after is None else f" WHERE {key} > {literal(after)}"
    found = f"SELECT {key} AS at, {shape.row} AS text FROM {quoted(shape.table)}{start} ORDER BY {key} LIMIT {limit}"
    return _cut("text", found), []


def _cut(columns: str, found: str) -> str:
    """A SELECT that ends with the row whose `text` passes MOST_TEXT; there is always a first row."""
    before = "sum(coalesce(length(text), 0)) OVER (ORDER BY at) - coalesce(length(text), 0)"
    return (
        f"SELECT {columns} FROM (SELECT *, {before} AS before FROM ({found})) "
        f"WHERE before < {MOST_TEXT} ORDER BY at"
    )


def describe(tables: Iterable[str], search: Iterable[str]) -> list[Statement]:
    """Questions for the definitions and the columns of tables, and the settings of full-text tables."""
    names, everything = json.dumps(list(tables)), json.dumps([*tables, *search])
    return [
        (
            "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL "
            "AND tbl_name IN (SELECT value FROM json_each(?1))",
            [everything],
        ),
        (
            "SELECT m.name, x.name, upper(x.type), x.pk, x.hidden FROM sqlite_master m, pragma_table_xinfo(m.name) x "
            "WHERE m.type = 'table' AND m.name IN (SELECT value FROM json_each(?1)) ORDER BY m.name, x.cid",
            [names],
        ),
        *((f"SELECT k, v FROM {quoted(f'{name}_config')} WHERE k <> 'version'", []) for name in search),
    ]


def shapes_of(tables: Iterable[str], rows: Iterable[list[Any]], where: str) -> dict[str, Shape]:
    """The shapes of tables from what `describe` tells of their columns.

    Raises LookupError when a table is not there, ValueError when it has no INTEGER PRIMARY KEY.
    """
    found: dict[str, list[list[Any]]] = {}
    for table, *column in rows:
        found.setdefault(table, []).append(column)
    shapes = {}
    for table in tables:
        if table not in found:
            raise LookupError(f"{where} has no table {table}.")
        keys = [name for name, kind, pk, _ in found[table] if pk and kind == "INTEGER"]
        if len(keys) != 1 or sum(bool(pk) for _, _, pk, _ in found[table]) != 1:
            raise ValueError(f"Table {table} cannot be copied: it has no INTEGER PRIMARY KEY.")
        columns = tuple(name for name, _, _, hidden in found[table] if not hidden)
        shapes[table] = Shape(table, keys[0], columns)
    return shapes
