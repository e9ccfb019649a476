"""Restores a backup into a scratch database on SQLite, which shows that it can be restored."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, connections, router

from core.scratch import scratch_folder
from operations.backups.contents import Backup
from operations.backups.restoring import Note, Restored, restore

SCRATCH = "backup_scratch"


def verify(backup: Backup, name: str, note: Note) -> Restored:
    """Restore and compare; the scratch database is deleted. Raises what restore() raises."""
    with scratch_folder() as folder:
        options = {"timeout": 20, "transaction_mode": "IMMEDIATE", "init_command": "PRAGMA synchronous=OFF;"}
        entry = {"ENGINE": "core.sqlite", "NAME": str(folder / "scratch.sqlite3"), "OPTIONS": options}
        default = connections.settings[DEFAULT_DB_ALIAS]
        connections.settings[SCRATCH] = {**default, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False, **entry}
        try:
            with _no_routes():
                return restore(backup, name, note, SCRATCH)
        finally:
            connections[SCRATCH].close()
            del connections[SCRATCH]
            del connections.settings[SCRATCH]


@contextmanager
def _no_routes() -> Iterator[None]:
    """Let no router lead a write to the gallery's own database."""
    routers, router.routers = router.routers, []
    try:
        yield
    finally:
        router.routers = routers
