"""Fills a new, empty database from a backup, and compares what it then has with what the backup says.

The database carries a marker (core/restores.py) from the first statement to the last. Rows come without triggers, which
would count what is counted already, and without the log of d1backend, which would be one more row to write for each.
"""

import io
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import chain, groupby

from django.apps import apps
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

from core import checks, restores, triggers
from d1backend import errors
from d1backend.apps import D1BackendConfig
from d1backend.archive import RowsDigest, Table, encode_rows
from d1backend.options import settings_of
from d1backend.replica.installation import install_log
from d1backend.replica.registry import host_of_source
from d1backend.replica.source import Source
from d1backend.replica.tables import TableSchema
from d1backend.sql.values import Value, literal, quote_name
from designs.triggers import SEARCHED
from operations.backups import contents, schema
from operations.backups.contents import Backup
from operations.backups.databases import PATIENCE, D1Database, SqliteDatabase, database_of
from operations.backups.errors import BackupError

Note = Callable[[str], None]
INDEXED_AT_ONCE = 10_000  # designs that one statement adds to the full-text index; D1 gives it 30 s
# Numbers of rows that no new row gets. What was made between the backup and the loss had numbers, which tokens and apps
# still name: they must not mean others.
SKIPPED = 100_000
# Tables that no token and no app names.
_INTERNAL = ("django_", "auth_", "sqlite_")
NEW_VERSION = (
    "UPDATE catalogue_version SET listing = lower(hex(randomblob(8))), "
    "content = lower(hex(randomblob(8))), recent = ''"
)
# Of likes, whose number a design carries.
MISCOUNTED = (
    "SELECT count(*) FROM designs WHERE like_count <> "
    "(SELECT count(*) FROM user_favorites WHERE design_id = designs.id)"
)


@dataclass
class Restored:
    """What a restore has done: the rows of each table, and designs whose likes the backup had counted wrongly."""

    rows: dict[str, int] = field(default_factory=dict)
    miscounted: int = 0


def restore(
    backup: Backup,
    name: str,
    note: Note,
    alias: str = DEFAULT_DB_ALIAS,
    *,
    on_begin: Callable[[], None] = lambda: None,
    on_whole: Callable[[], None] = lambda: None,
) -> Restored:
    """Fill the database with that alias from a checked backup.

    `on_begin` is called when it carries the marker, and `on_whole` when it does so no more.
    Raises BackupError: before anything is written when the database is not empty or the schema is another, and later
    when a row does not arrive. Then the marker stays. Also raises what D1 and SQLite raise.
    """
    contents.require_schema(backup, name)
    with closing(database_of(alias, note)) as database, _patient(alias):
        _require_empty(database)
        _mark(database)
        on_begin()
        with _d1backend().bare_migrations():
            call_command("migrate", database=alias, verbosity=0, interactive=False, stdout=io.StringIO())
        connections[alias].close()
        found = schema.parse(database.ask(schema.questions()))
        database.run(_emptied(found))
        restored = Restored()
        for table, rows in _tables_of(backup, found):
            database.insert(table, rows)
            note(f"{table.name}: {backup.tables[table.name].rows:,} rows")
        _index(database, backup)
        database.run(_sequences(backup))
        restored.rows = _compare(database, backup, found)
        if isinstance(database, SqliteDatabase) and database.ask(["PRAGMA foreign_key_check"])[0]:
            raise BackupError(f"{name} has rows that refer to rows which it lacks. Take another backup.")
        ((restored.miscounted,),) = database.ask([MISCOUNTED])[0]
        database.run([*_drop_triggers(), *chain.from_iterable(map(_triggers_of, triggers.apps()))])
        _require_triggers(alias)
        database.run([NEW_VERSION, f"DROP TABLE IF EXISTS {restores.MARKER}"])
        on_whole()
        # While there is the marker, it could not be: no copy begins before the database is whole.
        _install_log(alias, note)
        return restored


@contextmanager
def _patient(alias: str) -> Iterator[None]:
    """Let Django's own connection wait for D1 as the others do."""
    wrapper = connections[alias]
    before = wrapper.settings_dict
    if before["ENGINE"] == "d1backend":
        patient = settings_of(alias, before).patient(PATIENCE)
        waits = {"retries": patient.retries, "retry_budget": patient.retry_budget}
        wrapper.close()
        wrapper.settings_dict = {**before, "OPTIONS": {**before["OPTIONS"], **waits}}
    try:
        yield
    finally:
        wrapper.close()
        wrapper.settings_dict = before


def _require_empty(database: SqliteDatabase | D1Database) -> None:
    names = [name for (name,) in database.ask([schema.TABLES])[0]]
    if restores.MARKER in names:
        raise BackupError(
            "An earlier restore into this database has not finished. Make another new, empty database and restore into "
            "that: only from empty is it known that nothing is there twice."
        )
    if names:
        counts = database.ask([f"SELECT count(*) FROM {quote_name(name)}" for name in names])
        rows = sum(count for ((count,),) in counts)
        raise BackupError(
            f"The database is not empty: it has {len(names)} tables with {rows:,} rows. A restore fills a new, empty "
            "database only; make one and name it in the variables of this command."
        )


def _mark(database: SqliteDatabase | D1Database) -> None:
    """Make the marker. Of two restores that begin at one time one goes on. Raises BackupError for the other."""
    mine = literal(uuid.uuid4().hex)
    database.run(
        [
            f"CREATE TABLE IF NOT EXISTS {restores.MARKER} (restore TEXT)",
            f"INSERT INTO {restores.MARKER} SELECT {mine} WHERE NOT EXISTS (SELECT 1 FROM {restores.MARKER})",
        ]
    )
    if not database.ask([f"SELECT 1 FROM {restores.MARKER} WHERE restore = {mine}"])[0]:
        raise BackupError("Another restore into this database has just begun. Wait for it.")


def _d1backend() -> D1BackendConfig:
    config = apps.get_app_config("d1backend")
    assert isinstance(config, D1BackendConfig)
    return config


def _install_log(alias: str, note: Note) -> None:
    """Let D1 log changes from now on, so that hosts can copy it. The restore is done, whatever comes of this."""
    host = host_of_source(alias)
    if host is None:
        return
    try:
        with closing(Source(host.options, patient=True, patience=PATIENCE)) as source:
            install_log(source)
    except (errors.Error, DatabaseError) as error:
        note(f"D1 does not log changes for copies yet ({error}) The first host that starts sees to it.")


def _drop_triggers() -> Iterator[str]:
    for name, sql in triggers.expected().items():
        if sql.startswith("CREATE TRIGGER"):
            yield f"DROP TRIGGER IF EXISTS {name}"


def _triggers_of(app_label: str) -> list[str]:
    return [sql for sql in triggers.of_app(app_label).values() if sql.startswith("CREATE TRIGGER")]


def _emptied(found: schema.Schema) -> list[str]:
    """Statements that take away the triggers, and the rows that migrations made."""
    children_first = reversed(list(found.tables.values()))
    deletions = [f"DELETE FROM {table.quoted_name}" for table in children_first]
    return [*_drop_triggers(), *deletions, "DELETE FROM sqlite_sequence"]


def _tables_of(backup: Backup, found: schema.Schema) -> Iterator[tuple[TableSchema, Iterator[list[Value]]]]:
    """The tables that have rows, and these, as they come in the archive."""
    for name, parts in groupby(backup.archive.parts(), key=lambda read: read[0].table):
        if name in found.tables:
            yield _as_written(backup.tables[name]), chain.from_iterable(rows for _, rows in parts)


def _as_written(table: Table) -> TableSchema:
    return TableSchema(table.name, table.key, table.columns)


def _index(database: SqliteDatabase | D1Database, backup: Backup) -> None:
    """Add the designs to the full-text index, in steps that may be run again."""
    (((last,),),) = database.ask(["SELECT coalesce(max(id), 0) FROM designs"])
    for start in range(0, last, INDEXED_AT_ONCE):
        database.run(
            [
                f"INSERT INTO designs_search (rowid, {SEARCHED}) SELECT id, {SEARCHED} FROM designs "
                f"WHERE id > {start} AND id <= {start + INDEXED_AT_ONCE} "
                "AND NOT EXISTS (SELECT 1 FROM designs_search_docsize d WHERE d.id = designs.id)"
            ]
        )


def _sequences(backup: Backup) -> list[str]:
    without = [
        name
        for name in sorted(backup.tables.keys() - backup.facts["sequences"].keys())
        if not name.startswith(_INTERNAL)
    ]
    return [
        "DELETE FROM sqlite_sequence",
        *(
            f"INSERT INTO sqlite_sequence (name, seq) VALUES ({literal(name)}, {after(name, seq)})"
            for name, seq in backup.facts["sequences"].items()
            if name in backup.tables
        ),
        # A table that had no row yet may have got some before the loss.
        f"INSERT INTO sqlite_sequence (name, seq) SELECT name, {SKIPPED} FROM sqlite_master WHERE type = 'table' "
        f"AND sql LIKE '%AUTOINCREMENT%' AND name IN ({', '.join(map(literal, without))})",
    ]


def after(table: str, seq: int) -> int:
    """The last number of a table's rows after a restore, by the one in the backup."""
    return seq if table.startswith(_INTERNAL) else seq + SKIPPED


def _compare(database: SqliteDatabase | D1Database, backup: Backup, found: schema.Schema) -> dict[str, int]:
    """The number of rows of each table, which are those of the backup in each value."""
    rows = {}
    for table in backup.tables.values():
        digest = RowsDigest()
        for page in database.pages(_as_written(table)):
            digest.add(len(page), encode_rows(page))
        if (digest.rows, digest.hexdigest()) != (table.rows, table.digest):
            raise BackupError(
                f"{table.name} has {digest.rows:,} rows that are not the {table.rows:,} of the backup. "
                "Please report this."
            )
        rows[table.name] = digest.rows
    return rows


def _require_triggers(alias: str) -> None:
    serious = [message for message in checks.differences(alias) if message.is_serious()]
    connections[alias].close()
    if serious:
        raise BackupError(f"The restored database is not as it should be: {serious[0].msg}")
