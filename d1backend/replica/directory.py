"""The directory of a host's copies: which one is read, how fresh it is, who is at work, what went wrong.

`current` holds the name of the file that is read; its modification time is the start of the last good sync, so that
a reader needs one os.stat() to know both. Of `missed` only the modification time counts: when this host last wrote
something that its copy may lack. `trouble` holds the last failure; its modification time is when D1 may be asked
again. Files of a new generation get a name of their own, and no file in use is ever renamed.
"""

import fcntl
import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


class Folder:
    def __init__(self, path: Path, max_age: float) -> None:
        self.path = path
        self._max_age = max_age
        self.current = os.fspath(path / "current")
        self._missed = os.fspath(path / "missed")
        self._trouble = path / "trouble"
        self._locks: set[int] = set()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Wait to be the only one of this host who syncs or fills.

        Raises PermissionError when others may write the directory.
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
            # A process forked meanwhile holds the lock too, until it is given up by name.
            fcntl.flock(fd, fcntl.LOCK_UN)
            self._locks.discard(fd)
            os.close(fd)

    def forget_locks(self) -> None:
        """In a process just forked: the locks are the parent's."""
        for fd in self._locks:
            os.close(fd)
        self._locks.clear()

    def open_current(self) -> tuple[int, Path] | None:
        """A descriptor of the pointer, which keeps its inode from being used again, and the file it names."""
        try:
            fd = os.open(self.current, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        return fd, self.path / os.pread(fd, 4096, 0).decode()

    def publish(self, file: Path) -> None:
        """Let readers go to a file; it counts as old until it is touched."""
        self._put(self.current, file.name, 0.0)

    def retract(self, inode: int) -> None:
        """Let readers go to the source, when the pointer is still that one."""
        with suppress(FileNotFoundError):
            if os.stat(self.current).st_ino == inode:
                os.unlink(self.current)

    def tidy(self, keep: Path) -> None:
        """Delete the files of other generations; who has one open reads on."""
        for file in self.path.glob("replica-*"):
            if not file.name.startswith(keep.name):
                file.unlink(missing_ok=True)

    def files(self) -> list[Path]:
        return sorted(self.path.glob("replica-*.sqlite3"))

    # Failures

    def note_trouble(self, kind: str, wait: float) -> None:
        """Remember a failure, and that D1 is not to be asked for `wait` seconds (longer for each in a row)."""
        failures = self.trouble().get("failures", 0) + 1
        until = time.time() + max(wait, min(30.0, 2.0 ** (failures - 1)))
        self._put(self._trouble, json.dumps({"kind": kind, "failures": failures}), until)

    def clear_trouble(self) -> None:
        self._trouble.unlink(missing_ok=True)

    def trouble(self) -> dict[str, Any]:
        """The last failure when there was no success since: kind, failures (how many in a row)."""
        try:
            return dict(json.loads(self._trouble.read_text()))
        except (FileNotFoundError, ValueError):
            return {}

    def resting_until(self) -> float:
        """When D1 may be asked again (time.time()); 0 when nothing is wrong."""
        try:
            return self._trouble.stat().st_mtime
        except FileNotFoundError:
            return 0.0

    def _put(self, name: str | Path, text: str, moment: float) -> None:
        """Write a small file as a whole, readable by this user alone."""
        new = f"{name}.{os.getpid()}.{threading.get_ident()}"
        fd = os.open(new, os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, text.encode())
            os.fsync(fd)
        finally:
            os.close(fd)
        os.utime(new, (moment, moment))
        os.replace(new, name)

    # Moments

    def miss(self) -> None:
        """Note that this host wrote something just now that its copy may lack."""
        now = time.time()
        try:
            os.utime(self._missed, (now, now))
        except FileNotFoundError:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._put(self._missed, "", now)

    def missed(self) -> float:
        """When that was last (time.time()), 0 when never."""
        try:
            moment = os.stat(self._missed).st_mtime
        except FileNotFoundError:
            return 0.0
        if moment > time.time():
            # The clock was set back: what begins from now on is surely later.
            self.miss()
            return time.time()
        return moment

    def confirm(self, fd: int, moment: float) -> None:
        """Note that the file behind a pointer's descriptor holds what D1 held at that moment."""
        if self.missed() > moment or moment <= os.fstat(fd).st_mtime <= time.time():
            return
        os.utime(fd, (moment, moment))
        if self.missed() > moment:
            # Missed by a neighbour between the two looks, who may have expired the pointer too early.
            self.expire(fd)

    def expire(self, fd: int) -> None:
        """Let the file behind a pointer's descriptor count as old."""
        moment = min(os.fstat(fd).st_mtime, time.time() - self._max_age)
        os.utime(fd, (moment, moment))
