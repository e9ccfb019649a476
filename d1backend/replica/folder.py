"""The directory of a host's copies: which one is read, how fresh it is, who is at work, what went wrong.

`current` holds the name of the file that is read; its modification time is the start of the last good sync, so that
a reader needs one os.stat() to know both. `trouble` holds the last failure; its modification time is when D1 may be
asked again. Files of a new generation get a name of their own, and no file in use is ever renamed.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any


class Folder:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.current = os.fspath(path / "current")
        self._trouble = path / "trouble"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Wait to be the only one of this host who syncs or fills."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(self.path / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

    def open_current(self) -> tuple[int, Path] | None:
        """A descriptor of the pointer, which keeps its inode from being used again, and the file it names."""
        try:
            fd = os.open(self.current, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        return fd, self.path / os.pread(fd, 4096, 0).decode()

    def publish(self, file: Path) -> None:
        """Let readers go to a file; it counts as old until it is touched."""
        new = self.path / f"current.{os.getpid()}"
        new.unlink(missing_ok=True)
        fd = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        os.write(fd, file.name.encode())
        os.fsync(fd)
        os.close(fd)
        os.utime(new, (0, 0))
        os.replace(new, self.current)

    def retract(self) -> None:
        """Let readers go to the source."""
        with suppress(FileNotFoundError):
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
        new = self.path / f"trouble.{os.getpid()}"
        new.write_text(json.dumps({"kind": kind, "failures": failures}))
        os.utime(new, (until, until))
        os.replace(new, self._trouble)

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


def touch(fd: int, moment: float) -> None:
    """Note that the file behind a pointer's descriptor holds what D1 held at that moment."""
    if not moment <= os.fstat(fd).st_mtime <= time.time():
        os.utime(fd, (moment, moment))


def expire(fd: int, max_age: float) -> None:
    """Let the file behind a pointer's descriptor count as old."""
    moment = min(os.fstat(fd).st_mtime, time.time() - max_age)
    os.utime(fd, (moment, moment))
