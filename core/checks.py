"""The system check of the triggers and full-text tables in the database (`manage.py check --database default`)."""

import sys
from collections.abc import Iterator, Sequence
from typing import TextIO

from django.apps import AppConfig
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.core.management.base import SystemCheckError
from django.db import connections, router
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from core import restores, triggers

# d1backend keeps triggers of its own for its replicas, and looks after them itself.
BACKEND_PREFIX = "_d1_"
PRESENT = (
    "SELECT name, sql FROM sqlite_master "
    "WHERE type = 'trigger' OR (type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%')"
)
HINT = "`manage.py print_triggers` prints the SQL that the code expects; freeze it in a new migration."


@register(Tags.database)
def database_triggers(
    app_configs: Sequence[AppConfig] | None = None, databases: Sequence[str] | None = None, **options: bool
) -> list[CheckMessage]:
    """Compare the triggers and full-text tables of each database with those that the code expects.

    A database with unapplied migrations of these apps passes: `migrate`, which runs this check first, makes them. So
    does one of a newer release, with a warning: after a rollback the old code serves it, and `migrate` runs.
    """
    aliases = [alias for alias in databases or () if connections[alias].vendor == "sqlite"]
    return [message for alias in aliases if is_migrated(alias) for message in found_in(alias)]


def found_in(alias: str) -> Iterator[CheckMessage]:
    """The messages about a database without unapplied migrations."""
    newer = newer_migrations(alias)
    if not newer:
        yield from differences(alias)
        return
    names = ", ".join(newer)
    yield Warning(
        f"The database {alias!r} has migrations that this code does not know: {names}. Its triggers are not compared.",
        hint="Deploy the release that made them again once it is mended.",
        id="core.W002",
    )


@register(Tags.database)
def restore_has_finished(
    app_configs: Sequence[AppConfig] | None = None, databases: Sequence[str] | None = None, **options: bool
) -> list[CheckMessage]:
    """A database that a restore has not finished is neither migrated nor served."""
    messages: list[CheckMessage] = []
    for alias in databases or ():
        if connections[alias].vendor == "sqlite":
            with connections[alias].cursor() as cursor:
                cursor.execute(restores.FIND)
                if cursor.fetchone()[0]:
                    messages.append(Error(restores.SENTENCE, id="core.E003"))
    return messages


def is_migrated(alias: str) -> bool:
    """Whether the apps that registered triggers live in this database, with all their migrations applied."""
    apps = set(triggers.apps())
    if not all(router.allow_migrate(alias, app) for app in apps):
        return False
    executor = MigrationExecutor(connections[alias])
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return apps.isdisjoint(migration.app_label for migration, _ in plan)


def newer_migrations(alias: str) -> list[str]:
    """The migrations of a newer release that were applied to the database, as app.name."""
    loader = MigrationLoader(connections[alias])
    apps = {app for app, _ in loader.disk_migrations}
    known = loader.graph.nodes.keys() | loader.disk_migrations.keys()
    return sorted(".".join(key) for key in loader.applied_migrations if key[0] in apps and key not in known)


def differences(alias: str) -> Iterator[CheckMessage]:
    """A message for each trigger or full-text table that is missing, different or stray."""
    with connections[alias].cursor() as cursor:
        cursor.execute(PRESENT)
        present = {name: sql for name, sql in cursor.fetchall() if not name.startswith(BACKEND_PREFIX)}
    expected = triggers.expected()
    for name, sql in expected.items():
        if name not in present:
            yield Error(f"{name} is missing in the database {alias!r}.", hint=HINT, id="core.E001")
        elif present[name] != sql:
            yield Error(
                f"{name} in the database {alias!r} differs from what the code expects.",
                hint=HINT,
                id="core.E002",
            )
    for name in sorted(present.keys() - expected.keys()):
        hint = "Drop it, or register it in core.triggers and create it in a migration."
        yield Warning(
            f"{name} is in the database {alias!r}, and the code does not know it.", hint=hint, id="core.W001"
        )


def check_after_migrate(
    sender: AppConfig, using: str, stderr: TextIO | None = None, **options: object
) -> None:
    """Run the check once `migrate` is done. Raises SystemCheckError, naming what is missing or different."""
    if "plan" not in options:  # `flush` sends the signal too
        return
    messages = database_triggers(databases=[using])
    if any(message.is_serious() for message in messages):
        raise SystemCheckError("\n".join(map(str, messages)))
    for message in messages:
        (stderr or sys.stderr).write(f"{message}\n")
