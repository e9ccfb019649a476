"""The thread of a process that writes a snapshot when one is due; syncs and reads go on meanwhile."""

import atexit
import logging
import sqlite3
import threading
import time
import uuid
from contextlib import closing, suppress

from django.db import DatabaseError
from django.utils.connection import ConnectionDoesNotExist

from d1backend.archive import ArchiveError
from d1backend.protocol.budget import Spender, spending
from d1backend.replica.change_log import SNAPSHOT_AFTER
from d1backend.replica.directory import ReplicaDirectory
from d1backend.replica.snapshot import SnapshotNotTaken, take_snapshot
from d1backend.replica.snapshot_lease import release
from d1backend.replica.source import Source

log = logging.getLogger(__name__)

# Seconds between two looks at what this host knows of the newest snapshot.
_LOOK_EVERY = 60.0
# Seconds until D1 is asked again after a failure.
_AFTER_FAILURE = 600.0
# Seconds that a process which ends lets a snapshot take.
_AT_EXIT = 5.0
_FAILURES = (ArchiveError, sqlite3.Error, DatabaseError, OSError)


class SnapshotThread:
    """Writes snapshots for this process. Of several hosts one writes, by a lease on D1."""

    def __init__(self, directory: ReplicaDirectory) -> None:
        self._directory = directory
        self.reset()

    def reset(self) -> None:
        """Start without a thread, as a process that was just forked must."""
        atexit.unregister(self.end)
        self._thread: threading.Thread | None = None
        self._holder = ""
        self._is_unfinished = self._is_ending = False
        self._starting = threading.Lock()
        self._look_at = 0.0

    def start_when_due(self) -> None:
        """Start the thread if this host should ask D1 for the lease; its copy was just brought up to date."""
        if time.monotonic() < self._look_at:
            return
        with self._starting:
            if time.monotonic() < self._look_at:
                return
            self._look_at = time.monotonic() + _LOOK_EVERY
            if (self._thread is not None and self._thread.is_alive()) or not self._is_due():
                return
            self._holder = uuid.uuid4().hex
            self._thread = threading.Thread(target=self._run, name="d1-snapshot", daemon=True)
            with suppress(RuntimeError):
                self._thread.start()
                atexit.unregister(self.end)
                atexit.register(self.end)

    def end(self) -> None:
        """Give the lease back, as the process ends before the snapshot is complete.

        Commands end while their thread has just begun, and the storage may need threads, which can no longer start.
        Otherwise nobody writes a snapshot until the lease ends.
        """
        self._is_ending = True
        if self._thread is not None:
            self._thread.join(_AT_EXIT)
        if not self._is_unfinished:
            return
        with suppress(*_FAILURES, ConnectionDoesNotExist):
            with closing(Source(self._directory.options, patient=False)) as source, spending(Spender.SYNC):
                release(source, self._holder)
            note = self._directory.snapshot_note()
            self._directory.note_snapshot(note.newest, 0.0, refused=note.refused)

    def _is_due(self) -> bool:
        """Whether this host should ask: D1 decides."""
        note, opened, now = self._directory.snapshot_note(), self._directory.open_current(), time.time()
        # A note of the future is of a clock that was set back since.
        if not note.noted <= now < note.ask_at:
            return True
        if note.newest is None or opened is None or note.noted + _AFTER_FAILURE > now:
            return False
        copy = opened.copy
        return copy.epoch != note.newest.epoch or copy.seq - note.newest.seq >= SNAPSHOT_AFTER

    def _may_ask(self) -> bool:
        """Whether this process asks D1, and no other of its host meanwhile."""
        with self._directory.lock():
            is_due = self._is_due()
            if is_due:
                note = self._directory.snapshot_note()
                self._directory.note_snapshot(note.newest, _AFTER_FAILURE, refused=note.refused)
            return is_due

    def _run(self) -> None:
        alias = self._directory.options.alias
        try:
            if not self._may_ask():
                return
            self._is_unfinished = True
            with closing(Source(self._directory.options, patient=False)) as source, spending(Spender.SYNC):
                taken = take_snapshot(self._directory, source, holder=self._holder)
        except SnapshotNotTaken as reason:
            self._is_unfinished = False
            log.debug("No snapshot of the replica %s is taken: %s.", alias, reason)
        except _FAILURES as error:
            level = logging.DEBUG if self._is_ending else logging.WARNING
            log.log(level, "The snapshot of the replica %s failed: %s.", alias, error)
        except Exception:
            log.exception("The snapshot of the replica %s failed.", alias)
        else:
            self._is_unfinished = False
            log.info("Snapshot %s of the replica %s is complete.", taken.name, alias)
