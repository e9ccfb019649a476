"""The directory of a host's copies: which copy is read, how fresh it is, who syncs it, and the last failure.

`current` holds the name of the file that is read; its modification time is the start of the last successful sync, so a
reader needs one os.stat() for both. The modification time of `dirty` is when this host last wrote something that its
copy may lack. `backoff` holds the last failure; its modification time is when D1 may be asked again. `filling` holds
how far a fill is. `snapshot` is what this host last heard of the newest snapshot; its modification time is when it asks
D1 for another. Every new copy gets a name of its own, and no file in use is ever renamed.
"""

import fcntl
import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from django.db.models import Model

from d1backend.replica.copy import Filling, ReplicaCopy
from d1backend.replica.options import ReplicaOptions

log = logging.getLogger(__name__)

# A process that has read `current` opens the file that it names within this time (seconds).
_GRACE = 60.0
_LONGEST_BACKOFF = 30.0


@dataclass(eq=False)
class OpenCopy:
    """The copy that this process reads, and the descriptor of the `current` file that named it."""

    path: Path
    fd: int
    inode: int
    copy: ReplicaCopy
    tables: frozenset[str]
    # The models that were asked for and of which the copy has all columns; it never loses one.
    readable_models: set[type[Model]] = field(default_factory=set)

    def __del__(self) -> None:
        with suppress(OSError):
            os.close(self.fd)


@dataclass(frozen=True)
class Failure:
    """The last failure: the name of its class, and how many there were in a row."""

    kind: str
    in_a_row: int


@dataclass(frozen=True)
class Snapshot:
    """The newest snapshot: where it is, the state of the copy that it holds, the digest of its manifest.

    `previous` is the name of the one before, `taken` the time in seconds since 1970, `age` in seconds.
    """

    name: str
    epoch: str
    seq: int
    digest: str
    previous: str | None
    taken: int
    age: int


@dataclass(frozen=True)
class SnapshotNote:
    """The newest snapshot as a host knows it, when it learned that, and when it asks D1 again (time.time()).

    `refused` says that the host could not use it.
    """

    newest: Snapshot | None = None
    refused: bool = False
    noted: float = 0.0
    ask_at: float = 0.0

    @property
    def refused_name(self) -> str | None:
        return self.newest.name if self.refused and self.newest is not None else None


class ReplicaDirectory:
    """The directory as one process sees it; used by all its threads."""

    def __init__(self, options: ReplicaOptions) -> None:
        self.options = options
        self.path = options.directory
        self.current = os.fspath(self.path / "current")
        self._dirty = os.fspath(self.path / "dirty")
        self._backoff = self.path / "backoff"
        self._filling = self.path / "filling"
        self._snapshot = self.path / "snapshot"
        self._locks: set[int] = set()
        self.reset()

    def reset(self) -> None:
        """Start without an open copy, as a process that was just forked must."""
        self.opened: OpenCopy | None = None
        self.inode = -1
        self._opening = threading.Lock()
        self._delete_old_at = time.monotonic() + _GRACE

    # The lock

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Wait until no other process or thread of this host syncs or fills, and keep them out.

        Raises PermissionError when other users may write the directory.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.path.stat().st_mode & 0o022:
            raise PermissionError(
                f"Others may write {self.path}: a replica needs a directory of its own (0700)."
            )
        fd = os.open(self.path / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        self._locks.add(fd)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            # A process that was forked meanwhile shares the lock, so closing the file does not release it.
            fcntl.flock(fd, fcntl.LOCK_UN)
            self._locks.discard(fd)
            os.close(fd)

    def close_inherited_locks(self) -> None:
        """Close the lock files of the parent, in a process that was just forked."""
        for fd in self._locks:
            os.close(fd)
        self._locks.clear()

    # The copy that is read

    def open_current(self) -> OpenCopy | None:
        """The copy that `current` names now, fresh or not; None when there is none to read."""
        with suppress(OSError):
            if os.stat(self.current).st_ino == self.inode:
                return self.opened
        with self._opening:
            # Another process may replace the copy between the two steps of opening it.
            for _ in range(3):
                try:
                    # An open descriptor also keeps the inode from being reused.
                    fd = os.open(self.current, os.O_RDWR | os.O_CLOEXEC)
                except FileNotFoundError:
                    break
                inode = os.fstat(fd).st_ino
                if self.opened is not None and inode == self.inode:
                    os.close(fd)
                    return self.opened
                path = self.path / os.pread(fd, 4096, 0).decode()
                try:
                    copy = ReplicaCopy(path)
                except sqlite3.Error:
                    # Deleted for a newer one, or damaged: as an old copy it will be filled again.
                    self._expire(fd)
                    os.close(fd)
                    continue
                if copy.signature != self.options.signature:
                    # Made for other settings: it may lack a table, or have a column that is now hidden.
                    copy.close()
                    os.close(fd)
                    break
                tables = frozenset((*copy.tables, *self.options.search))
                self.opened, self.inode = OpenCopy(path, fd, inode, copy, tables), inode
                self._delete_old_at = time.monotonic() + _GRACE
                return self.opened
        self.release_copy()
        return None

    def release_copy(self) -> None:
        """Read no more from the open copy; the next read opens the current one."""
        self.opened, self.inode = None, -1

    def close_copy(self) -> bool:
        """Close the open copy until the next read; returns whether there was one."""
        opened = self.opened
        self.release_copy()
        if opened is not None:
            opened.copy.close()
        return opened is not None

    def is_current(self, opened: OpenCopy) -> bool:
        """Whether `current` still names that copy."""
        try:
            return os.stat(self.current).st_ino == opened.inode
        except OSError:
            return False

    def publish(self, file: Path) -> None:
        """Let all processes read this file; it counts as old until it is marked as fresh."""
        self._write(self.current, file.name, 0.0)
        self._filling.unlink(missing_ok=True)

    def discard(self, opened: OpenCopy) -> None:
        """Delete a damaged copy; reads go to the source until there is a new one."""
        log.error("The file of the replica %s is damaged; it is filled again.", self.options.alias)
        with suppress(FileNotFoundError):
            if os.stat(self.current).st_ino == opened.inode:
                os.unlink(self.current)
        opened.path.unlink(missing_ok=True)
        self.release_copy()

    def _delete_old_copies(self) -> None:
        """Delete all copies except the open one, a minute after it was opened. Open readers keep working."""
        if self.opened is None or time.monotonic() < self._delete_old_at:
            return
        for file in self.path.glob("replica-*"):
            if not file.name.startswith(self.opened.path.name):
                file.unlink(missing_ok=True)
        self._delete_old_at = float("inf")

    def files(self) -> list[Path]:
        return sorted(self.path.glob("replica-*.sqlite3"))

    def read_filling(self) -> Filling | None:
        """How far the fill of this host is, whichever process runs it; None when none was begun and not completed."""
        try:
            filling: Filling = json.loads(self._filling.read_text())
        except (FileNotFoundError, ValueError):
            return None
        return filling

    def write_filling(self, filling: Filling) -> None:
        self._write(self._filling, json.dumps(filling), time.time())

    # Freshness

    def last_synced(self) -> float | None:
        """A moment (time.time()) up to which the current copy contains every change; None without a copy."""
        try:
            return os.stat(self.current).st_mtime
        except OSError:
            return None

    def is_fresh(self, seconds: float) -> bool:
        """Whether the current copy is not older than this."""
        moment = self.last_synced()
        return moment is not None and 0.0 <= time.time() - moment <= seconds

    def mark_fresh(self, opened: OpenCopy, moment: float) -> None:
        """Record that the copy contains what D1 held at that moment, unless this host wrote more since."""
        fd = opened.fd
        if self.dirty_since() > moment or moment <= os.fstat(fd).st_mtime <= time.time():
            return
        os.utime(fd, (moment, moment))
        if self.dirty_since() > moment:
            # Another process became dirty between the two checks, and may have expired the copy before os.utime().
            self._expire(fd)

    def mark_old(self, opened: OpenCopy) -> None:
        """Let the copy count as older than max_age."""
        self._expire(opened.fd)

    def _expire(self, fd: int) -> None:
        moment = min(os.fstat(fd).st_mtime, time.time() - self.options.max_age)
        os.utime(fd, (moment, moment))

    def mark_dirty(self) -> None:
        """Record that this host wrote something that the copy lacks: reads wait for a sync that begins later."""
        self._touch_dirty()
        if (opened := self.open_current()) is not None:
            self.mark_old(opened)

    def _touch_dirty(self) -> None:
        now = time.time()
        try:
            os.utime(self._dirty, (now, now))
        except FileNotFoundError:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write(self._dirty, "", now)

    def dirty_since(self) -> float:
        """When this host last wrote something that the copy may lack (time.time()), 0 when never."""
        try:
            moment = os.stat(self._dirty).st_mtime
        except FileNotFoundError:
            return 0.0
        if moment > time.time():
            # The clock was set back: a sync that begins from now on is certainly later than the write.
            self._touch_dirty()
            return time.time()
        return moment

    # Failures

    def record_failure(self, kind: str, wait: float) -> None:
        """Record a failure: D1 is not asked for `wait` seconds, and longer after several failures in a row."""
        last = self.last_failure()
        in_a_row = 1 if last is None else last.in_a_row + 1
        until = time.time() + max(wait, min(_LONGEST_BACKOFF, 2.0 ** (in_a_row - 1)))
        self._write(self._backoff, json.dumps({"kind": kind, "failures": in_a_row}), until)

    def record_success(self) -> None:
        """Forget the last failure, and delete the copies that are no longer read."""
        self.forget_failure()
        self._delete_old_copies()

    def forget_failure(self) -> None:
        """End the backoff: D1 has answered."""
        if self.last_failure() is not None:
            self._backoff.unlink(missing_ok=True)
            log.info("The replica %s follows D1 again.", self.options.alias)

    def last_failure(self) -> Failure | None:
        """The last failure, or None when a sync has succeeded since."""
        try:
            content = json.loads(self._backoff.read_text())
            return Failure(content["kind"], content["failures"])
        except (FileNotFoundError, ValueError, KeyError):
            return None

    def backoff_until(self) -> float:
        """When D1 may be asked again (time.time()); 0 without a failure."""
        try:
            return self._backoff.stat().st_mtime
        except FileNotFoundError:
            return 0.0

    # Snapshots

    def note_snapshot(self, newest: Snapshot | None, wait: float, *, refused: bool = False) -> None:
        """Record the newest snapshot, None when there is none, and that D1 is asked in `wait` seconds."""
        now = time.time()
        content = {"newest": None if newest is None else asdict(newest), "refused": refused, "noted": now}
        self._write(self._snapshot, json.dumps(content), now + wait)

    def snapshot_note(self) -> SnapshotNote:
        """What this host last heard of the newest snapshot."""
        try:
            content = json.loads(self._snapshot.read_text())
            newest = None if content["newest"] is None else Snapshot(**content["newest"])
            return SnapshotNote(
                newest, bool(content["refused"]), content["noted"], self._snapshot.stat().st_mtime
            )
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return SnapshotNote()

    def _write(self, name: str | Path, text: str, moment: float) -> None:
        """Write a small file atomically; only this user can read it."""
        new = f"{name}.{os.getpid()}.{threading.get_ident()}"
        fd = os.open(new, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, text.encode())
            os.fsync(fd)
        finally:
            os.close(fd)
        os.utime(new, (moment, moment))
        os.replace(new, name)
