"""What `migrate` does for replicas (handlers of Django's pre_migrate and post_migrate).

The change log follows the schema. After a migration that copies cannot take over, this host fills its own copy first
and writes a snapshot, from which the others fill theirs; until then they read the old ones (snapshot_lease.py).
"""

import logging
import sqlite3
import time
from collections.abc import Collection
from contextlib import closing
from typing import Any

from django.db import DatabaseError, connections
from django.db.migrations import Migration

from d1backend.archive import ArchiveError
from d1backend.errors import MissingError
from d1backend.protocol.budget import Spender, spending
from d1backend.replica.changes import NeedsRefill
from d1backend.replica.host import Host
from d1backend.replica.installation import install_log
from d1backend.replica.registry import host_of_source
from d1backend.replica.snapshot import SnapshotNotTaken, take_snapshot
from d1backend.replica.snapshot_lease import claim_for_migration, new_migration, release
from d1backend.replica.source import Source

log = logging.getLogger(__name__)

# Seconds between two renewals of the lease while the copy is filled.
_RENEW_EVERY = 60.0
_FAILURES = (ArchiveError, SnapshotNotTaken, NeedsRefill, sqlite3.Error, DatabaseError, OSError)
# The lease of this process's migration, by the alias of its database.
_leases: dict[str, str] = {}


def announce_migration(using: str, plan: Collection[tuple[Migration, bool]] = (), **kwargs: Any) -> None:
    """Let hosts wait for this migration if their copies do not fit the new schema; one request."""
    host = host_of_source(using)
    if host is None or host.options.snapshots is None or not plan:
        return
    holder = new_migration()
    with closing(Source(host.options, patient=True)) as source, connections[using].wrap_database_errors:
        try:
            state = claim_for_migration(source, holder)
        except MissingError:
            # This database has no log yet, so nobody has a copy.
            return
    if state.holder == holder:
        _leases[using] = holder


def install_log_after_migrate(using: str, **kwargs: Any) -> None:
    """Install the log of the replica that copies this database, if there is one, and end the migration's lease."""
    host = host_of_source(using)
    if host is None:
        return
    holder = _leases.pop(using, None)
    with closing(Source(host.options, patient=True)) as source:
        try:
            with connections[using].wrap_database_errors:
                install_log(source)
        except LookupError as error:
            log.warning("The replica %s is not installed: %s", host.options.alias, error)
        if holder is not None:
            with connections[using].wrap_database_errors:
                _end_migration(host, source, holder)


def _end_migration(host: Host, source: Source, holder: str) -> None:
    state = claim_for_migration(source, holder)
    if state.holder == holder and state.newest is not None and state.newest.epoch != state.epoch:
        try:
            _write_snapshot(host, source, holder)
        except _FAILURES as error:
            log.warning("Each host fills its copy from D1, because no snapshot was written: %s", error)
    release(source, holder)


def _write_snapshot(host: Host, source: Source, holder: str) -> None:
    renewed = time.monotonic()

    def renew(table: str, rows: int) -> None:
        nonlocal renewed
        if time.monotonic() - renewed > _RENEW_EVERY:
            claim_for_migration(source, holder)
            renewed = time.monotonic()

    def note(seconds: float, error: str) -> None:
        log.info("%s Going on in %.0f s.", error, seconds)

    with spending(Spender.FILL):
        host.fill_now(source, renew, note, holder=holder)
        taken = take_snapshot(host.directory, source, only_when_due=False, gently=False, holder=holder)
    log.info("Snapshot %s has the new schema.", taken.name)
