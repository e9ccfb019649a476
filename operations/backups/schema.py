"""The tables of a backup: those of this version's models, as a database has them, each after those it refers to."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from django.apps import apps
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Model

from core import restores
from d1backend.replica.tables import TableSchema
from d1backend.sql.values import literal, quote_name
from operations.backups.errors import BackupError

MIGRATIONS = "django_migrations"
# All tables except those of SQLite, of D1, of d1backend and of full-text indexes.
TABLES = (
    "SELECT m.name FROM sqlite_master m WHERE m.type = 'table' AND m.rootpage > 0 AND m.name NOT GLOB 'sqlite_*' "
    "AND m.name NOT GLOB '_cf_*' AND m.name NOT GLOB '_d1_*' "
    "AND m.name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow') ORDER BY m.name"
)
SEQUENCES = "SELECT name, seq FROM sqlite_sequence ORDER BY name"
APPLIED = f"SELECT app, name FROM {MIGRATIONS} ORDER BY id"

Rows = Sequence[Sequence[Any]]
Migration = tuple[str, str]  # its app and name


@dataclass(frozen=True)
class Schema:
    """The tables of this version's models in a database, parents first; `others` are its other tables.

    `references` are the columns of a table that refer to an INTEGER PRIMARY KEY, and of which table.
    """

    tables: Mapping[str, TableSchema]
    references: Mapping[str, Sequence[tuple[str, str]]]
    others: tuple[str, ...]


def expected_columns() -> dict[str, set[str]]:
    """The tables that this version keeps data in, and their columns."""
    recorded: type[Model] = MigrationRecorder.Migration
    models = [*apps.get_models(include_auto_created=True), recorded]
    return {
        model._meta.db_table: {field.column for field in model._meta.local_concrete_fields if field.column}
        for model in models
        if model._meta.managed and not model._meta.proxy
    }


def questions() -> list[str]:
    """What parse() wants answered."""
    names = f"(SELECT value FROM json_each({literal(json.dumps(sorted(expected_columns())))}))"
    of_tables = f"FROM sqlite_master m, {{}} x WHERE m.type = 'table' AND m.name IN {names} ORDER BY m.name"
    return [
        TABLES,
        f"SELECT m.name, x.name, x.pk {of_tables.format('pragma_table_xinfo(m.name)')}, x.cid",
        f'SELECT m.name, x."table", x."from", x."to" {of_tables.format("pragma_foreign_key_list(m.name)")}, x.id',
    ]


def parse(answers: Sequence[Rows]) -> Schema:
    """The schema by the answers to questions(). Raises BackupError when a table of this version is missing."""
    names, column_rows, reference_rows = answers
    columns: dict[str, list[str]] = {}
    keys: dict[str, list[str]] = {}
    for table, column, is_key in column_rows:
        columns.setdefault(table, []).append(column)
        keys.setdefault(table, []).extend([column] if is_key else [])
    if missing := sorted(expected_columns().keys() - columns.keys()):
        if (restores.MARKER,) in map(tuple, names):
            raise BackupError(restores.SENTENCE)
        raise BackupError(f"The database has no table {missing[0]}: run `manage.py migrate` first.")
    parents: dict[str, list[str]] = {table: [] for table in sorted(columns)}
    references: dict[str, list[tuple[str, str]]] = {table: [] for table in columns}
    for table, parent, column, to in reference_rows:
        parents[table].append(parent)
        if [to] == keys.get(parent):
            references[table].append((column, parent))
    tables = {
        table: TableSchema(table, keys[table][0], tuple(columns[table]))
        for table in TopologicalSorter(parents).static_order()
    }
    others = tuple(name for (name,) in names if name not in tables)
    return Schema(tables, references, others)


def older_than(bound: Mapping[str, int], schema: Schema, table: TableSchema) -> str:
    """A condition in SQL for the rows that were there, and refer to rows that were there, when keys went to `bound`."""
    limits = [(table.key, table.name), *schema.references[table.name]]
    conditions = [
        f"({quote_name(column)} IS NULL OR {quote_name(column)} <= {bound[of]})"
        for column, of in limits
        if of in bound
    ]
    return " AND ".join(conditions)


def known_migrations() -> set[Migration]:
    """The migrations of this version."""
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    return set(loader.disk_migrations)


def listed(migrations: Iterable[Migration]) -> str:
    """Migrations in words: the first three, and how many more."""
    found = [f"{app}.{name}" for app, name in sorted(migrations)]
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return f"{', '.join(found[:3])}{more}"
