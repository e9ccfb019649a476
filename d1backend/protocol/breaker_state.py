"""The state of a breaker (breaker.py): closed, or open with the reason and the time of the next trial.

The processes of a host share it through two files in the host's folder. One exists while the breaker is open: its
modification time is when D1 is tried again, so a check costs one os.stat(). The other is locked by the call that tries
D1, and its modification time is when that began; the system unlocks it if the process is killed.
"""

import fcntl
import hashlib
import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

# A trial that is further away was planned before the clock went back (seconds).
LONGEST_WAIT = 60.0
AWAY, TRIAL = "d1-away-", "d1-trial-"


@dataclass(frozen=True)
class OpenState:
    """Why the breaker is open, how many trials have failed since, and when (time.time()) D1 is tried again."""

    reason: str
    failed_trials: int
    until: float

    @property
    def seconds_left(self) -> float:
        """How long until D1 is tried again; 0 when it may be tried now."""
        left = self.until - time.time()
        return left if 0.0 < left <= LONGEST_WAIT else 0.0


class BreakerState(Protocol):
    """Where the state is kept."""

    def read(self) -> OpenState | None:
        """The state while the breaker is open, None while it is closed."""

    def open(self, state: OpenState) -> None:
        """Open the breaker. Raises OSError when that cannot be stored."""

    def postpone(self, until: float) -> None:
        """Move the next trial to a later time, if the breaker is open."""

    def close(self) -> bool:
        """Close the breaker; returns whether it was open. Raises OSError when that cannot be stored."""

    @contextmanager
    def trial(self) -> Iterator[bool]:
        """Whether the caller is the one that may try D1, until the end of the block."""
        yield True

    def trial_age(self) -> float:
        """How many seconds the trial that is under way has taken so far; infinity without one."""


class StateInMemory:
    """The state of one process, for hosts without a folder."""

    def __init__(self) -> None:
        self._state: OpenState | None = None
        self._trial, self._trial_began = threading.Lock(), -float("inf")

    def read(self) -> OpenState | None:
        return self._state

    def open(self, state: OpenState) -> None:
        self._state = state

    def postpone(self, until: float) -> None:
        if (state := self._state) is not None:
            self._state = OpenState(state.reason, state.failed_trials, until)

    def close(self) -> bool:
        was_open, self._state = self._state is not None, None
        return was_open

    @contextmanager
    def trial(self) -> Iterator[bool]:
        claimed = self._trial.acquire(blocking=False)
        try:
            if claimed:
                self._trial_began = time.monotonic()
            yield claimed
        finally:
            if claimed:
                self._trial_began = -float("inf")
                self._trial.release()

    def trial_age(self) -> float:
        return time.monotonic() - self._trial_began


class StateInFiles:
    """The state that the processes of a host share; `folder` is the host's."""

    def __init__(self, identity: str, folder: Path) -> None:
        digest = hashlib.sha256(identity.encode()).hexdigest()[:16]
        self._file, self._lock = folder / f"{AWAY}{digest}", folder / f"{TRIAL}{digest}"
        self._own_trial = StateInMemory()  # where the lock cannot be opened, as on a read-only disk

    def read(self) -> OpenState | None:
        try:
            until = os.stat(self._file).st_mtime
            content = json.loads(self._file.read_text())
            return OpenState(str(content["reason"]), int(content["failed_trials"]), until)
        except OSError:
            return None
        except (ValueError, TypeError, KeyError):
            return OpenState("the state of the breaker is damaged", 0, until)

    def open(self, state: OpenState) -> None:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkstemp() makes files that only their owner may read.
        handle, name = tempfile.mkstemp(prefix=self._file.name, dir=self._file.parent)
        try:
            with open(handle, "w") as file:
                json.dump({"reason": state.reason, "failed_trials": state.failed_trials}, file)
            os.utime(name, (state.until, state.until))
            os.replace(name, self._file)
        except BaseException:
            os.unlink(name)
            raise

    def postpone(self, until: float) -> None:
        with suppress(OSError):
            os.utime(self._file, (until, until))

    def close(self) -> bool:
        try:
            os.unlink(self._file)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    @contextmanager
    def trial(self) -> Iterator[bool]:
        try:
            fd = os.open(self._lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError:
            with self._own_trial.trial() as claimed:
                yield claimed
            return
        claimed = False
        try:
            claimed = _lock_at_once(fd)
            if claimed:
                _note_time(fd, time.time())
            yield claimed
        finally:
            if claimed:
                _note_time(fd, 0.0)
            # A process that was forked meanwhile shares the lock, so closing the file does not release it.
            fcntl.flock(fd, fcntl.LOCK_UN)
            os.close(fd)

    def trial_age(self) -> float:
        try:
            age = time.time() - os.stat(self._lock).st_mtime
        except OSError:
            return self._own_trial.trial_age()
        return age if age >= 0.0 else float("inf")


def _note_time(fd: int, moment: float) -> None:
    with suppress(OSError):
        os.utime(fd, (moment, moment))


def _lock_at_once(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
