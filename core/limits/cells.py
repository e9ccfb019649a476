"""How full limits are: one number for each limit and client, in a file that all processes of this host share.

The number is the moment at which the client has the whole limit again, in microseconds since 1970; a call moves it on
by the step in which one call comes back. It is the "theoretical arrival time" of the generic cell rate algorithm
(ITU-T I.371, annex A, virtual scheduling).
"""

import fcntl
import logging
import mmap
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from core import private_files

logger = logging.getLogger(__name__)

SECOND = 1_000_000  # microseconds
# A table of buckets with eight cells each; a cell is a key and a moment. What is full longest makes way for a new one.
BUCKETS, WAYS = 8192, 8
SIZE = BUCKETS * WAYS * 2 * 8  # bytes
STRIPES = 16  # locks, each for a part of the buckets
LONGEST_HOLD = 86_400 * SECOND  # a cell is never held for longer than its room and this


class Cell(NamedTuple):
    """One client's place in one limit of `most` calls."""

    key: int  # a hash, of 64 bits with a sign
    step: int  # microseconds in which one call comes back
    most: int

    @property
    def room(self) -> int:
        """The microseconds by which the moment may lie ahead."""
        return self.step * self.most


class Taken(NamedTuple):
    """Whether a call was counted, and how far ahead each cell's moment lies then, in microseconds."""

    allowed: bool
    ahead: list[int]


class Cells(Protocol):
    """A place where cells are kept."""

    def take(self, cells: Sequence[Cell]) -> Taken:
        """Count a call in all the cells, or in none if one of them is full."""

    def shift(self, cell: Cell, by: int = 0, least: int = 0) -> int:
        """Move the moment by so many microseconds, and to at least `least` ahead. Return how far ahead it lies."""


class HostCells:
    """Cells in a file; in the memory of this process alone if the file cannot be written.

    A process that is killed leaves whole numbers and no locks.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pid = 0
        self._opening = threading.Lock()

    def take(self, cells: Sequence[Cell]) -> Taken:
        ahead: list[int] = []
        for cell in cells:
            fits, lies = self._move(cell, cell.step, most=cell.room)
            if not fits:
                for counted in cells[: len(ahead)]:
                    self._move(counted, -counted.step)
                return Taken(False, [self.shift(one) for one in cells])
            ahead.append(lies)
        return Taken(True, ahead)

    def shift(self, cell: Cell, by: int = 0, least: int = 0) -> int:
        return self._move(cell, by, least)[1]

    def forget(self) -> None:
        """Empty the table, for tests."""
        self._open_once()
        self._map[:] = bytes(SIZE)

    def _move(self, cell: Cell, by: int, least: int = 0, most: int | None = None) -> tuple[bool, int]:
        """Move a cell's moment, unless it would lie more than `most` ahead.

        Return whether it was moved, and how far ahead it lies.
        """
        self._open_once()
        bucket = cell.key % BUCKETS
        stripe = bucket % STRIPES
        with self._locks[stripe]:
            self._flock(stripe, fcntl.LOCK_EX)
            try:
                now = time.time_ns() // 1000
                place, moment = self._find(cell.key, bucket * WAYS * 2)
                # A moment further ahead than it can be is from before the clock went back.
                lies = moment - now if now < moment <= now + cell.room + LONGEST_HOLD else 0
                new = max(lies + by, least, 0)
                if most is not None and new > most:
                    return False, lies
                if new != lies:
                    self._numbers[place + 1] = now + new
                    self._numbers[place] = cell.key
                return True, new
            finally:
                self._flock(stripe, fcntl.LOCK_UN)

    def _find(self, key: int, start: int) -> tuple[int, int]:
        """Return the place of the key and its moment; else the place in its bucket that is full first, and 0."""
        numbers = self._numbers
        oldest = start
        for place in range(start, start + WAYS * 2, 2):
            if numbers[place] == key:
                return place, numbers[place + 1]
            if numbers[place + 1] < numbers[oldest + 1]:
                oldest = place
        return oldest, 0

    def _flock(self, stripe: int, operation: int) -> None:
        if self._files:
            fcntl.flock(self._files[stripe], operation)

    def _open_once(self) -> None:
        """Open the file, in each process by itself: those that share an open file share its locks, too."""
        if self._pid != os.getpid():
            with self._opening:
                if self._pid != os.getpid():
                    self._open()
                    self._pid = os.getpid()

    def _open(self) -> None:
        self._locks = [threading.Lock() for _ in range(STRIPES)]
        self._files: list[int] = []
        try:
            private_files.make_file(self.path)
            # One open file for each stripe: flock() locks open files, and threads need their own.
            self._files = [os.open(self.path, os.O_RDWR | os.O_CLOEXEC) for _ in range(STRIPES)]
            self._reserve(self._files[0])
            self._map = mmap.mmap(self._files[0], SIZE)
        except OSError as error:
            logger.warning("limits are counted for this process alone: %s", error)
            for file in self._files:
                os.close(file)
            self._files, self._map = [], mmap.mmap(-1, SIZE)
        self._numbers = memoryview(self._map).cast("q")

    @staticmethod
    def _reserve(file: int) -> None:
        """Write the file in full, because a write to a mapped hole kills the process when the disk is full."""
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            missing = SIZE - os.fstat(file).st_size
            if missing > 0:
                os.pwrite(file, bytes(missing), SIZE - missing)
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)
