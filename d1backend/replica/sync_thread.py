"""The thread of a process that syncs the copy: started by the first read that finds it old, idle without reads."""

import logging
import sqlite3
import threading
import time
from contextlib import suppress
from functools import cached_property

from django.db import DatabaseError

from d1backend import events
from d1backend.errors import OutOfReach, RateLimited
from d1backend.options import Settings
from d1backend.protocol.breaker import breaker_of
from d1backend.replica.changes import NeedsRefill
from d1backend.replica.directory import ReplicaDirectory
from d1backend.replica.snapshot_lease import MigrationAwaited
from d1backend.replica.snapshot_thread import SnapshotThread
from d1backend.replica.source import Source, settings_of_source
from d1backend.replica.sync import sync
from d1backend.waiting import about_to_wait

log = logging.getLogger(__name__)

# A read waits at most this long for a sync (seconds).
_LONGEST_WAIT = 1.0
# The pause after a failure that could not be recorded in the directory (seconds).
_PAUSE = 10.0
_FAILURES = (NeedsRefill, sqlite3.Error, DatabaseError, OSError, LookupError, ValueError)


class SyncThread:
    """Syncs the copy on request. Of several processes one syncs, and the others find the copy fresh."""

    def __init__(self, directory: ReplicaDirectory, fresh_for: float) -> None:
        """A copy younger than `fresh_for` (seconds) is not synced."""
        self._directory, self._fresh_for = directory, fresh_for
        self._max_age = directory.options.max_age
        self._snapshots = SnapshotThread(directory) if directory.options.snapshots else None
        self.reset()

    def reset(self) -> None:
        """Start without a thread, as a process that was just forked must: threads are not inherited."""
        # The class of an unexpected error, until a sync succeeds.
        self.error: str | None = None
        self._is_slow = False
        self._backoff_until = 0.0
        # Until then this host has no room for a sync in its share of D1's calls, or waits for a migration.
        self._no_room_until = 0.0
        self._source: Source | None = None
        self._starting = threading.Lock()
        self._round_ended = threading.Condition()
        self._requested = threading.Event()
        self._thread: threading.Thread | None = None
        if self._snapshots is not None:
            self._snapshots.reset()

    @property
    def in_backoff(self) -> bool:
        """Whether D1 is not to be asked now, as far as this process knows."""
        if time.time() < self._no_room_until:
            return True
        if time.time() >= self._backoff_until:
            return False
        # The failure is forgotten when a process of this host commits.
        return self.error is not None or self._directory.backoff_until() > 0.0

    @property
    def is_in_vain(self) -> bool:
        """Whether a read would wait for a sync in vain: in a backoff, and while D1 is out of reach."""
        breaker = breaker_of(*self._source_settings)
        return self.in_backoff or (breaker is not None and breaker.is_open)

    @cached_property
    def _source_settings(self) -> tuple[Settings, str]:
        return settings_of_source(self._directory.options.source)

    def request(self) -> None:
        """Ask for a sync, and return at once; does nothing during a backoff."""
        if self.in_backoff:
            return
        if self._thread is None or not self._thread.is_alive():
            with self._starting:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._run, name="d1-replica", daemon=True)
                    # A process that is about to exit cannot start threads, but its reads go on.
                    with suppress(RuntimeError):
                        self._thread.start()
        self._requested.set()

    def wait(self, since: float) -> bool:
        """Wait for a sync that begins after `since`; returns whether the copy can be read then.

        Waits a second at most, and not at all while D1 fails or has not answered the last read that waited.
        Raises WouldWait where this thread may not wait.
        """
        about_to_wait()
        until = time.monotonic() + _LONGEST_WAIT
        with self._round_ended:
            while not self._is_slow and not self.is_in_vain:
                left = until - time.monotonic()
                if left <= 0:
                    self._is_slow = True
                    break
                self._round_ended.wait(left)
                moment = self._directory.last_synced()
                if moment is None:
                    break
                if since <= moment <= time.time() or self._directory.is_fresh(self._max_age):
                    return self._directory.open_current() is not None
        return False

    def start_snapshot_when_due(self) -> None:
        """Start to write a snapshot of a copy that was just brought up to date, if one is due; returns at once."""
        if self._snapshots is not None:
            self._snapshots.start_when_due()

    def _run(self) -> None:
        while True:
            self._requested.wait(self._pause_of_fill())
            self._requested.clear()
            try:
                self._sync_when_due()
            except Exception as error:
                log.exception("The replica %s could not be synced.", self._directory.options.alias)
                self.error, self._backoff_until = type(error).__name__, time.time() + _PAUSE
            with self._round_ended:
                self._round_ended.notify_all()

    def _pause_of_fill(self) -> float | None:
        """The seconds after which a fill that failed is continued, although nobody reads; None without one."""
        if self._directory.last_synced() is not None or self._directory.read_filling() is None:
            return None
        return max(0.0, self._backoff_until - time.time(), self._no_room_until - time.time())

    def _sync_when_due(self) -> None:
        if self._read_backoff():
            return
        with self._directory.lock():
            has_copy = self._directory.open_current() is not None
            if has_copy and self._directory.is_fresh(self._fresh_for):
                self._is_slow = False
                return
            # Another process may have failed while this one waited for the lock.
            if self._read_backoff():
                return
            try:
                if self._source is None:
                    self._source = Source(self._directory.options, patient=False)
                if has_copy and (wait := self._source.seconds_to_sync()):
                    self._no_room_until = time.time() + wait
                    events.sync_ended.send(SyncThread, outcome="no_room", seconds=0.0)
                    return
                sync(self._directory, self._source)
            except MigrationAwaited as migration:
                log.info("The replica %s waits: %s", self._directory.options.alias, migration)
                self._no_room_until = time.time() + migration.seconds
            except OutOfReach as error:
                if self._directory.last_failure() is None:
                    self._record_failure(error)
                else:
                    self._backoff_until = time.time() + error.retry_after
            except _FAILURES as error:
                # That this host has no room to sync is no failure of D1: reads use the copy, and writes go on.
                if isinstance(error, RateLimited) and error.own:
                    self._no_room_until = time.time() + error.retry_after
                else:
                    self._record_failure(error)
            else:
                self._is_slow, self._backoff_until, self.error = False, 0.0, None
                self._directory.record_success()
                self.start_snapshot_when_due()

    def _read_backoff(self) -> bool:
        """Whether D1 is not to be asked now, as any process of this host has found."""
        until = self._directory.backoff_until()
        if until > time.time():
            self._backoff_until = until
        return until > time.time()

    def _record_failure(self, error: Exception) -> None:
        directory = self._directory
        if directory.last_failure() is None:
            log.warning("The replica %s cannot follow D1: %s", directory.options.alias, error)
        directory.record_failure(type(error).__name__, getattr(error, "retry_after", 0.0))
        self._backoff_until = directory.backoff_until()
