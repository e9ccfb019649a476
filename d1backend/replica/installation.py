"""Installs the change log and its triggers on D1, and removes them."""

import logging
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from d1backend.errors import MissingError, OperationalError
from d1backend.protocol.api import Statement
from d1backend.replica import change_log
from d1backend.replica.change_log import LogState, parse_state
from d1backend.replica.changes import NeedsRefill
from d1backend.replica.schema import (
    IncompatibleSchema,
    added_columns,
    parse_objects,
    require_log_is_complete,
)
from d1backend.replica.source import Source
from d1backend.replica.tables import Rows, TableSchema, columns_query, parse_columns, parse_defaults
from d1backend.replica.triggers import (
    INSTALLED_TRIGGERS_QUERY,
    log_triggers,
    parse_unique_indexes,
    unique_indexes_query,
)
from d1backend.retry import retry_on_conflict
from d1backend.sql.values import literal, quote_name

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class InstalledLog:
    """The log on D1 (`state` is None when there is none), its triggers, and the schema of tables."""

    state: LogState | None
    schema: str | None
    columns: Rows
    unique_indexes: Rows
    triggers: dict[str, str]


def log_is_installed(source: Source) -> bool:
    """Whether the log covers the replica's tables, and its triggers have seen every change."""
    try:
        (rows,) = source.query([(change_log.state_query(), [])])
    except MissingError:
        return False
    state = parse_state(rows)
    return state is not None and state.is_same and set(source.options.tables) <= state.tables


@retry_on_conflict
def install_log(
    source: Source,
    *,
    exact: bool = True,
    new_epoch: bool = False,
    may_begin_epoch: bool = True,
    on_change: Callable[[str], None] = lambda message: None,
) -> bool:
    """Create the log and its triggers where they are missing or differ; returns whether anything was done.

    Copies are continued when the schema is compatible with the recorded one (schema.py), and otherwise filled again,
    as with `new_epoch`. Without `may_begin_epoch`, NeedsRefill is raised in that case, and nothing is changed. With
    `exact`, tables that were logged for other settings are no longer logged. `on_change` gets a message before
    anything is changed.
    Raises LookupError for a missing table, ValueError for one without an INTEGER PRIMARY KEY, OperationalError while
    the source has the table `not_while`.
    """
    options = source.options
    tables = set(options.tables)
    installed = fetch_installed(source, tables)
    logged = installed.state.tables if installed.state else frozenset()
    if not exact and not logged <= tables:
        installed = fetch_installed(source, tables | logged)
        tables |= logged & {row[0] for row in installed.columns}
    schemas = parse_columns(sorted(tables), installed.columns, options.source)
    unique_indexes = parse_unique_indexes(installed.unique_indexes)
    triggers: dict[str, str] = {}
    for name, table in schemas.items():
        triggers |= log_triggers(table, options.counters.get(name, ()), unique_indexes.get(name, ()))
    state = installed.state
    is_same = state is not None and tables == logged and triggers == installed.triggers
    if state is not None and is_same and state.is_same and not state.needs_trim and not new_epoch:
        return False
    epoch: str | None = uuid.uuid4().hex
    unlogged: list[tuple[TableSchema, str]] = []
    if state is not None and tables == logged and not new_epoch:
        try:
            unlogged = _unlogged_rows(schemas, installed)
        except IncompatibleSchema as reason:
            if not may_begin_epoch:
                raise NeedsRefill(f"the schema on D1 has changed: {reason}") from reason
            log.warning("Every copy of %s is filled again: %s.", options.source, reason)
        else:
            epoch = None
    on_change(f"Logging changes of {', '.join(sorted(tables))}.")
    source.execute(
        change_log.install_statements(
            tables, triggers, installed.triggers, installed.schema, state, epoch=epoch, unlogged=unlogged
        )
    )
    return True


def _unlogged_rows(
    schemas: Mapping[str, TableSchema], installed: InstalledLog
) -> list[tuple[TableSchema, str]]:
    """The tables with added columns, and the conditions of the rows that a copy lacks once it has these columns.

    The old triggers do not see an update of nothing but an added column. A copy gives it its default in each row.
    Raises IncompatibleSchema when a copy cannot take the schema in place, or the log may lack other changes.
    """
    assert installed.state is not None
    old, new = parse_objects(installed.state.schema or "[]"), parse_objects(installed.schema or "[]")
    require_log_is_complete(old, new)
    defaults = parse_defaults(installed.columns)
    conditions: dict[str, list[str]] = {}
    for column in added_columns(old, new):
        default = defaults.get((column.table, column.name))
        if column.table in schemas and default is not None:
            # Another collation could take a value for the default.
            differs = f"{quote_name(column.name)} IS NOT ({default}) COLLATE BINARY"
            conditions.setdefault(column.table, []).append(differs)
    return [(schemas[name], " OR ".join(found)) for name, found in conditions.items()]


def fetch_installed(source: Source, tables: Iterable[str]) -> InstalledLog:
    """What is installed on D1 now, and the schema of tables. Raises OperationalError while it is not to be copied."""
    names = sorted(tables)
    queries: list[Statement] = [
        (
            f"SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = {literal(source.options.not_while)}",
            [],
        ),
        (f"SELECT {change_log.schema_sql(names)}", []),
        columns_query(names),
        unique_indexes_query(names),
        (INSTALLED_TRIGGERS_QUERY, []),
    ]
    state: LogState | None = None
    try:
        state_rows, *results = source.query([(change_log.state_query(), []), *queries])
        state = parse_state(state_rows)
    except MissingError:
        results = source.query(queries)
    barring, ((schema,),), columns, unique_indexes, triggers = results
    if barring:
        raise OperationalError(
            f"No copy is made while the database has the table {source.options.not_while}: what fills it has not "
            "finished."
        )
    return InstalledLog(state, schema, columns, unique_indexes, {str(name): sql for name, sql in triggers})


def drop_log(source: Source) -> None:
    """Remove the log and its triggers from D1."""
    (triggers,) = source.query([(INSTALLED_TRIGGERS_QUERY, [])])
    drops = [
        *(f"DROP TRIGGER IF EXISTS {quote_name(name)}" for name, _ in triggers),
        *change_log.DROP_STATEMENTS,
    ]
    source.execute([(sql, []) for sql in drops])
