"""The change log that D1 keeps for its replicas: its tables, and the statements that install and drop it.

`_d1_changes` has an entry for each change of a row. Entries are only added, without an index or a sequence, so D1 bills
one row for each. The last one is never deleted, so that numbers grow; the first is an anchor of no table. A write of
counters has one entry, whose `key` is a JSON list of the keys of these rows (counters.py). Each entry has a random
`nonce`: after a restore of the database to an earlier time a number comes again, but with another nonce.
`_d1_replica` holds one row: the epoch (a file with another epoch is not continued), the logged tables, their schema
when the triggers were created and its number, which grows with each other schema, and the floor (entries up to this
number may be missing).
`_d1_snapshots` holds one row: the newest snapshot of the copy, and which host writes the next (snapshot_lease.py).
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from d1backend.protocol.api import Statement
from d1backend.protocol.schema_version import VERSION
from d1backend.replica.tables import Rows, Shape, TableSchema
from d1backend.sql.values import Value, literal, quote_name
from d1backend.transaction.script import stale

LOG, STATE, SNAPSHOTS = "_d1_changes", "_d1_replica", "_d1_snapshots"
# The log keeps at least this many numbers. A host that missed more refills its copy.
_KEPT = 100_000
# For the sake of the newest snapshot it keeps more, but not more than this.
_KEPT_FOR_SNAPSHOT = 500_000
# With more numbers than this since the newest snapshot, another is due.
SNAPSHOT_AFTER = _KEPT // 2

CREATE_SNAPSHOTS = (
    f"CREATE TABLE IF NOT EXISTS {SNAPSHOTS} (id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT, epoch TEXT, "
    "seq INTEGER NOT NULL DEFAULT 0, digest TEXT, previous TEXT, taken INTEGER NOT NULL DEFAULT 0, "
    "holder TEXT NOT NULL DEFAULT '', lease INTEGER NOT NULL DEFAULT 0)",
    f"INSERT OR IGNORE INTO {SNAPSHOTS} (id) VALUES (1)",
)
# 30 bits, so that JSON holds it exactly.
_NONCE = "random() & 1073741823"
_CREATE = (
    f"CREATE TABLE IF NOT EXISTS {LOG} (seq INTEGER PRIMARY KEY, tbl TEXT NOT NULL, key INTEGER NOT NULL, "
    f"nonce INTEGER NOT NULL DEFAULT ({_NONCE}))",
    f"CREATE TABLE IF NOT EXISTS {STATE} (id INTEGER PRIMARY KEY CHECK (id = 1), epoch TEXT NOT NULL, "
    "tables TEXT NOT NULL, schema TEXT, number INTEGER NOT NULL, floor INTEGER NOT NULL)",
    f"INSERT OR IGNORE INTO {STATE} (id, epoch, tables, number, floor) VALUES (1, '', '[]', 0, 0)",
    *CREATE_SNAPSHOTS,
)
# It contains indexes and triggers, so a log trigger that was dropped with its table is noticed, and full-text tables.
_SCHEMA = (
    "(SELECT json_group_array(json_array(type, name, tbl_name, sql)) FROM (SELECT * FROM sqlite_master "
    "WHERE sql IS NOT NULL AND (tbl_name IN (SELECT value FROM json_each({tables})) "
    "OR sql GLOB 'CREATE VIRTUAL TABLE*') ORDER BY type, name))"
)
# The tables come from a subquery of their own, so SQLite does not read them again for each object of the schema.
_CURRENT_SCHEMA = _SCHEMA.format(tables=f"(SELECT tables FROM {STATE})")
SEQ = f"coalesce((SELECT max(seq) FROM {LOG}), 0)"
# Where the log may be cut: what the newest snapshot needs is kept, up to a cap.
_KEPT_FROM = (
    f"min({SEQ} - {_KEPT}, max({SEQ} - {_KEPT_FOR_SNAPSHOT}, "
    f"coalesce((SELECT s.seq FROM {SNAPSHOTS} s WHERE s.epoch = {STATE}.epoch), {SEQ})))"
)
_MICROSECONDS = "CAST(unixepoch('subsec') * 1000000 AS INTEGER)"
VERSIONS_QUERY = f"SELECT tbl, max(seq) FROM {LOG} WHERE typeof(key) = 'integer' GROUP BY tbl"
DROP_STATEMENTS = (
    f"DROP TABLE IF EXISTS {LOG}",
    f"DROP TABLE IF EXISTS {STATE}",
    f"DROP TABLE IF EXISTS {SNAPSHOTS}",
)


@dataclass(frozen=True)
class LogState:
    """The state of the log: see the description of `_d1_replica` above; `seq` is the last number it gave.

    `schema` is None when the number was known to the query; `version` is that of the database's schema
    (protocol/schema_version.py), `is_same` whether the schema is the recorded one, or has the version that was known.
    """

    epoch: str
    floor: int
    is_same: bool
    seq: int
    tables: frozenset[str]
    number: int
    schema: str | None
    version: str | None

    @property
    def needs_trim(self) -> bool:
        """Whether the log has grown so long that cutting it is worth a request."""
        return self.seq - self.floor > 2 * _KEPT


def state_query(known: Shape | None = None, *, compares: bool = True) -> str:
    """A query for the state of the log, without the schema when it has the number that is known.

    With `compares` it compares every object of the schema; otherwise only the version with the known one.
    """
    is_same = f"{_CURRENT_SCHEMA} IS schema"
    schema = "schema"
    if known is not None:
        schema = f"CASE WHEN number IS NOT {known.number} THEN schema END"
        if not compares:
            is_same = f"{VERSION} IS {literal(known.version)}"
    return f"SELECT epoch, floor, {is_same}, {SEQ}, tables, number, {schema}, {VERSION} FROM {STATE}"


def parse_state(rows: Rows) -> LogState | None:
    """The result of state_query(); None when the log has no state."""
    if not rows:
        return None
    epoch, floor, is_same, seq, tables, number, schema, version = rows[0]
    return LogState(epoch, floor, bool(is_same), seq, frozenset(json.loads(tables)), number, schema, version)


def nonce_of(seq: str) -> str:
    """SQL for the nonce of the entry with a number, itself SQL: as text, NULL when the log has no such entry."""
    return f"(SELECT CAST(nonce AS TEXT) FROM {LOG} WHERE {LOG}.seq = {seq})"


def unchanged_since(epoch: str, seq: int, anchor: str | None, table: str, key: Value) -> str:
    """SQL that is true while the log shows no change of a row after `seq`, and the log is complete since then.

    `anchor` is the nonce of the entry `seq`, None when it is not known: the log still goes on from this entry.
    """
    reached = (
        f"{SEQ} >= {seq}"
        if anchor is None
        else f"EXISTS (SELECT 1 FROM {LOG} WHERE seq = {seq} AND nonce = CAST({literal(anchor)} AS INTEGER))"
    )
    return (
        f"EXISTS (SELECT 1 FROM {STATE} WHERE epoch = {literal(epoch)} AND floor <= {seq}) AND {reached} "
        f"AND NOT EXISTS (SELECT 1 FROM {LOG} WHERE tbl = {literal(table)} AND key = {literal(key)} AND seq > {seq}) "
        f"AND NOT EXISTS (SELECT 1 FROM {LOG} c NOT INDEXED, json_each(c.key) k WHERE c.seq > {seq} "
        f"AND c.tbl = {literal(table)} AND typeof(c.key) = 'text' AND k.value = {literal(key)})"
    )


def schema_sql(tables: Iterable[str]) -> str:
    """SQL for the schema of tables and of what belongs to them."""
    return _SCHEMA.format(tables=literal(json.dumps(sorted(tables))))


def install_statements(
    tables: Iterable[str],
    new_triggers: Mapping[str, str],
    old_triggers: Iterable[str],
    schema: str | None,
    state: LogState | None,
    *,
    epoch: str | None,
    unlogged: Iterable[tuple[TableSchema, str]] = (),
) -> list[Statement]:
    """Statements that create the log and its triggers, and replace a log without a state.

    The batch fails when the schema is no longer `schema`, from which the triggers were made, or the state no longer
    `state`. With an `epoch`, every copy is filled again; numbers then continue from the current time, so no number is
    given twice, even when the log was dropped or the database restored. `unlogged` are tables and conditions of the
    rows whose changes the old triggers have not seen; they are logged as if they changed now.
    """
    tables_json = literal(json.dumps(sorted(tables)))
    has_state = (
        "1"
        if state is None
        else f"EXISTS (SELECT 1 FROM {STATE} WHERE epoch = {literal(state.epoch)} AND number = {state.number})"
    )
    check = f"SELECT CASE WHEN {schema_sql(tables)} IS ?1 AND {has_state} THEN 1 ELSE {stale('schema')} END"
    statements = [
        *((f"DROP TABLE IF EXISTS {STATE}",) if state is None else ()),
        *_CREATE,
        *(begin_epoch(epoch) if epoch else ()),
        *trim_statements(),
        *(f"DROP TRIGGER IF EXISTS {quote_name(name)}" for name in sorted({*old_triggers, *new_triggers})),
        *new_triggers.values(),
        *(_log_rows(table, condition) for table, condition in unlogged),
        f"UPDATE {STATE} SET tables = {tables_json}",
        # No number comes again with another schema after a restore of the database.
        f"UPDATE {STATE} SET number = max(number + 1, {_MICROSECONDS}), schema = {_CURRENT_SCHEMA} "
        f"WHERE schema IS NOT {_CURRENT_SCHEMA}",
    ]
    guard = (check, [schema]) if schema is not None else (check.replace("?1", "NULL"), [])
    return [guard, *((sql, []) for sql in statements)]


def trim_statements() -> tuple[str, str]:
    """Statements that cut the log. They may be run more than once."""
    return (
        f"UPDATE {STATE} SET floor = max(floor, {_KEPT_FROM})",
        f"DELETE FROM {LOG} WHERE seq < (SELECT floor FROM {STATE})",
    )


def old_entries_query() -> str:
    """A query for the number of entries that trim_statements() would delete; 0 while the log need not be cut."""
    cut = f"max(floor, {_KEPT_FROM})"
    return (
        f"SELECT CASE WHEN {SEQ} - floor > {2 * _KEPT} OR EXISTS (SELECT 1 FROM {LOG} WHERE seq < floor) "
        f"THEN (SELECT count(*) FROM {LOG} WHERE seq < {cut}) ELSE 0 END FROM {STATE}"
    )


def trim_part(most: int) -> tuple[str, str, str]:
    """The same as trim_statements(), of the next `most` numbers; the last one asks whether any are left."""
    raise_floor, _ = trim_statements()
    floor = f"(SELECT floor FROM {STATE})"
    return (
        raise_floor,
        f"DELETE FROM {LOG} WHERE seq < min({floor}, (SELECT min(seq) FROM {LOG}) + {most})",
        f"SELECT EXISTS (SELECT 1 FROM {LOG} WHERE seq < {floor})",
    )


def begin_epoch(epoch: str) -> tuple[str, str, str]:
    """Statements after which every copy is filled again. They may be run more than once.

    Numbers continue from the current time, so none is given twice, even after a restore of the database.
    """
    return (
        f"UPDATE {STATE} SET epoch = {literal(epoch)}",
        f"INSERT INTO {LOG} (seq, tbl, key) SELECT max({SEQ} + 1, {_MICROSECONDS}), '', 0",
        f"UPDATE {STATE} SET floor = {SEQ}",
    )


def _log_rows(table: TableSchema, condition: str) -> str:
    """A statement that logs the rows of a table that meet a condition, as changed now."""
    return (
        f"INSERT INTO {LOG} (tbl, key) SELECT {literal(table.name)}, {table.quoted_key} "
        f"FROM {table.quoted_name} WHERE {condition}"
    )
