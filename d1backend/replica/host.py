"""A replica as one process sees it: whether reads go to the copy now, and what its commits add to the copy.

A read costs one os.stat(). When the copy gets old, a read requests a sync; without reads D1 is not asked.
"""

import logging
import os
import sqlite3
import time
from collections.abc import Callable
from typing import TypedDict

from django.db import DatabaseError
from django.db.models import Model

from d1backend.errors import MissingError, OperationalError, OutOfReach, RateLimited
from d1backend.options import SYNC_AT
from d1backend.protocol.api import Api
from d1backend.protocol.breaker import breaker_of
from d1backend.protocol.rate_limit import Limit
from d1backend.replica.changes import ChangeSet, NeedsRefill
from d1backend.replica.copy import Filling
from d1backend.replica.directory import OpenCopy, ReplicaDirectory
from d1backend.replica.fill import Progress
from d1backend.replica.options import ReplicaOptions
from d1backend.replica.snapshot_lease import MigrationAwaited
from d1backend.replica.source import Source, settings_of_source
from d1backend.replica.sync import sync
from d1backend.replica.sync_thread import SyncThread

log = logging.getLogger(__name__)

# A fill waits for D1 this long (seconds).
_LONGEST_OUTAGE = 900.0
# A clock that went back by less than this (seconds) counts as one that did not.
_CLOCK_TOLERANCE = 0.05


class Status(TypedDict):
    """See d1backend.replica.status()."""

    usable: bool
    age: float | None
    max_age: float
    degraded: bool
    filling: Filling | None
    error: str | None
    seq: int | None
    snapshot: str | None
    snapshot_taken: float | None


class Host:
    """One replica in this process; used by all its threads."""

    def __init__(self, options: ReplicaOptions) -> None:
        self.options = options
        self.directory = ReplicaDirectory(options)
        self._fresh_for = options.max_age * SYNC_AT
        self.sync_thread = SyncThread(self.directory, self._fresh_for)
        self._current = self.directory.current
        self._clock = _clock_difference()

    def reset(self) -> None:
        """Start again, as a process that was just forked must."""
        self.directory.reset()
        self.sync_thread.reset()
        self._clock = _clock_difference()

    # Reads

    def ensure_fresh(self) -> bool:
        """Whether reads go to the copy now; waits briefly for a sync when the copy is too old and D1 answers."""
        try:
            stat = os.stat(self._current)
        except OSError:
            self.directory.release_copy()
            self.sync_thread.request()
            return False
        if stat.st_ino != self.directory.inode and self.directory.open_current() is None:
            self.sync_thread.request()
            return False
        now = time.time()
        is_young = 0.0 <= now - stat.st_mtime < self._fresh_for
        if is_young and now - time.monotonic() > self._clock - _CLOCK_TOLERANCE:
            return True
        return self._sync_and_wait(now)

    def _sync_and_wait(self, now: float) -> bool:
        """Request a sync, and wait for it when the copy is too old.

        An old copy is still read when D1 does not answer, and while a new one is filled beside it. The exception is a
        copy that may lack a write of this host while the last request to D1 succeeded: then reads go to D1.
        """
        clock = now - time.monotonic()
        if clock <= self._clock - _CLOCK_TOLERANCE and (opened := self.directory.opened) is not None:
            log.warning("The clock went back: the age of the replica %s is not known.", self.options.alias)
            self.directory.mark_old(opened)
        self._clock = clock
        self.sync_thread.request()
        opened = self.directory.opened
        # A fill takes longer than a read may wait. What this process knows takes no lock, which a sync may hold.
        if opened is not None and not opened.copy.epoch:
            return True
        if self.directory.is_fresh(self.options.max_age) or self.sync_thread.wait(now):
            return True
        moment = self.directory.last_synced()
        if moment is None:
            return False
        d1_fails = self.sync_thread.is_in_vain or self.directory.last_failure() is not None
        return d1_fails or moment >= self.directory.dirty_since() or self._is_replaced()

    def _is_replaced(self) -> bool:
        """Whether a new copy is filled beside this one: for minutes, in which each read at D1 would delay the fill."""
        opened = self.directory.opened
        return opened is not None and opened.copy.is_obsolete

    def readable_copy(self) -> OpenCopy | None:
        """The copy that reads go to now, or None when they go to the source."""
        return self.directory.opened if self.ensure_fresh() else None

    def can_read(self, tables: frozenset[str]) -> bool:
        """Whether these tables can be read from the copy now."""
        opened = self.readable_copy()
        return opened is not None and tables <= opened.tables

    def can_read_model(self, model: type[Model]) -> bool:
        """Whether the copy can be read now and has all columns of a model."""
        opened = self.readable_copy()
        if opened is None:
            return False
        if model not in opened.readable_models:
            if not _has_columns(opened, model):
                return False
            opened.readable_models.add(model)
        return True

    def sync_now(
        self, source: Source, progress: Progress | None = None, *, holder: str | None = None
    ) -> None:
        """Sync or fill the copy in this thread; raises what sync() raises."""
        with self.directory.lock():
            sync(self.directory, source, progress, holder=holder)

    def fill_now(
        self,
        source: Source,
        progress: Progress,
        waiting: Callable[[float, str], None],
        *,
        holder: str | None = None,
        patience: float = _LONGEST_OUTAGE,
    ) -> None:
        """Sync or fill the copy in this thread; a fill that has begun goes on while D1 is away.

        It also waits while another host migrates, if it is not the `holder` of that migration's lease. `waiting` is
        called before each wait with its seconds and the error. Raises what sync() raises, before a fill
        has begun, and when no page has come for `patience` seconds.
        """
        came = time.monotonic()

        def note(table: str, rows: int) -> None:
            nonlocal came
            came = time.monotonic()
            progress(table, rows)

        while True:
            try:
                self.sync_now(source, note, holder=holder)
            except MigrationAwaited as migration:
                waiting(migration.seconds, str(migration))
                time.sleep(migration.seconds)
            except OperationalError as error:
                is_passing = not isinstance(error, MissingError) and not hasattr(error, "sqlite_errorname")
                has_begun = self.directory.read_filling() is not None
                if not (is_passing and has_begun) or time.monotonic() - came > patience:
                    raise
                self.directory.record_failure(type(error).__name__, 0.0)
                wait = max(0.0, self.directory.backoff_until() - time.time())
                waiting(wait, str(error))
                time.sleep(wait)
            else:
                self.directory.record_success()
                return

    # Commits of this process

    def apply_commit(self, opened: OpenCopy, change_set: ChangeSet) -> None:
        """Apply the changes that a writing batch returned; when they do not fit, reads wait for a sync."""
        self.directory.forget_failure()
        try:
            is_complete = opened.copy.apply(change_set)
        except (NeedsRefill, sqlite3.Error) as error:
            log.info("A commit's changes did not fit the replica %s: %s.", self.options.alias, error)
            is_complete = False
        # A copy that was published meanwhile may lack this commit, so it is not marked as fresh.
        if is_complete and self.directory.is_current(opened):
            self.directory.mark_fresh(opened, change_set.started)
            # A host that writes without a pause has no other sync.
            self.sync_thread.start_snapshot_when_due()
        else:
            self.directory.mark_dirty()

    # Health

    def seconds_until_tried(self) -> float | None:
        """How many seconds until D1 is tried again; None when a call would be sent now."""
        settings, database = settings_of_source(self.options.source)
        if blocked := Limit.of(settings).seconds_left():
            return blocked
        breaker = breaker_of(settings, database)
        return None if breaker is None else breaker.seconds_left()

    def seconds_until_reached(self) -> float | None:
        """Like seconds_until_tried(), after asking a D1 that is out of reach whether it is back."""
        settings, database = settings_of_source(self.options.source)
        if not Limit.of(settings).seconds_left():
            api = Api(settings)
            try:
                api.reach(database)
            except (OutOfReach, RateLimited) as error:
                return error.retry_after
            except DatabaseError:
                pass  # D1 answers, with an error that the caller's own request will meet
            finally:
                api.close()
        return self.seconds_until_tried()

    def status(self) -> Status:
        """See d1backend.replica.status()."""
        moment, failure = self.directory.last_synced(), self.directory.last_failure()
        opened = self.directory.open_current()
        copy = None if opened is None else opened.copy
        snapshot = self.directory.snapshot_note().newest
        error = self.sync_thread.error if failure is None else failure.kind
        return {
            "usable": copy is not None,
            "age": None if copy is None or moment is None else max(0.0, time.time() - moment),
            "max_age": self.options.max_age,
            "degraded": error is not None or copy is None or copy.is_obsolete,
            "filling": self.directory.read_filling(),
            "error": error,
            "seq": None if copy is None else copy.seq,
            "snapshot": None if snapshot is None else snapshot.name,
            "snapshot_taken": None if snapshot is None else float(snapshot.taken),
        }


def _has_columns(opened: OpenCopy, model: type[Model]) -> bool:
    """Whether the copy has a model's table and all its columns: code and copy may be of different releases."""
    name = model._meta.db_table
    table = opened.copy.shape().tables.get(name)
    if table is None:
        return name in opened.tables
    return {f.column for f in model._meta.local_concrete_fields} <= set(table.columns)


def _clock_difference() -> float:
    """Becomes smaller when the system's clock is set back."""
    return time.time() - time.monotonic()
