"""The calls to D1 of this host in the last five minutes, and what D1 said of the account, for all processes.

One file for each account, of a fixed size, in the host's folder. It is read and written under a lock, in about
0.02 ms. Without a folder that can be written, each process keeps a ledger of its own.
"""

import fcntl
import hashlib
import logging
import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger(__name__)

WINDOW, SLOT = 300, 10  # seconds
# The slot that has begun, and all that touch the five minutes before it.
SLOTS = WINDOW // SLOT + 1
CLASSES = 5
_USERS, _PROBES = 512, 4
_MAGIC = b"d1calls1"
# The magic; D1's limit of calls in the window, 0 if unknown; calls left to this host, and until when that holds.
_HEAD = struct.Struct("<8sqqd")
_CELL = struct.Struct(f"<q{CLASSES}I")  # the slot's number since 1970, and its calls by class
_USER = struct.Struct("<Qd")  # the hash of a user, and when their bucket is full again (time.time())
_USERS_AT = _HEAD.size + SLOTS * _CELL.size
SIZE = _USERS_AT + _USERS * _USER.size


# A slot's number, and its calls of each class.
Slot = tuple[int, ...]


class Page:
    """The content of a ledger, while it is locked."""

    def __init__(self, content: bytes) -> None:
        is_valid = len(content) == SIZE and content.startswith(_MAGIC)
        self._content = bytearray(content if is_valid else SIZE)
        _, self.limit, self.left, self.left_until = _HEAD.unpack_from(self._content)
        # Where it has changed; all of it when it is new.
        self._changed = [] if is_valid else [(0, SIZE)]

    def to_bytes(self) -> bytes:
        self.changes()
        return bytes(self._content)

    def changes(self) -> list[tuple[int, bytes]]:
        """The places that have changed, and what stands there now."""
        head = _HEAD.pack(_MAGIC, self.limit, self.left, self.left_until)
        if self._content[: len(head)] != head:
            self._content[: len(head)] = head
            self._changed.append((0, len(head)))
        return [(start, bytes(self._content[start : start + size])) for start, size in self._changed]

    def slots(self, now: float) -> list[Slot]:
        """The slots of the window that ends now, by number: those numbers, and their calls by class."""
        current = int(now) // SLOT
        cells = _CELL.iter_unpack(memoryview(self._content)[_HEAD.size : _USERS_AT])
        return sorted(cell for cell in cells if current - SLOTS < cell[0] <= current)

    def add(self, now: float, index: int) -> None:
        """Count a call of the class with that index."""
        slot = int(now) // SLOT
        place = _HEAD.size + slot % SLOTS * _CELL.size
        stored, *calls = _CELL.unpack_from(self._content, place)
        if stored != slot:
            calls = [0] * CLASSES
        calls[index] += 1
        _CELL.pack_into(self._content, place, slot, *calls)
        self._changed.append((place, _CELL.size))
        if now < self.left_until:
            self.left -= 1

    def full_at(self, user: str) -> float:
        """When the bucket of a user is full again (time.time()); in the past if it is."""
        key, place = self._find(user)
        stored, moment = _USER.unpack_from(self._content, place)
        return float(moment) if stored == key else 0.0

    def set_full_at(self, user: str, moment: float) -> None:
        key, place = self._find(user)
        _USER.pack_into(self._content, place, key, moment)
        self._changed.append((place, _USER.size))

    def _find(self, user: str) -> tuple[int, int]:
        """The hash of a user, and their cell; else the cell near it that may be forgotten first."""
        key = int.from_bytes(hashlib.blake2b(user.encode("utf-8", "replace"), digest_size=8).digest())
        best = None
        for i in range(_PROBES):
            place = _USERS_AT + (key + i) % _USERS * _USER.size
            stored, moment = _USER.unpack_from(self._content, place)
            if stored == key:
                return key, place
            best = min(best or (moment, place), (moment, place))
        assert best is not None
        return key, best[1]


class Ledger:
    """The ledger of an account; `folder` is the host's."""

    def __init__(self, account: str, folder: Path | None) -> None:
        name = f"d1-calls-{hashlib.sha256(account.encode()).hexdigest()[:16]}"
        self._path = None if folder is None else folder / name
        self._own, self._lock = b"", threading.Lock()
        self._has_warned = False

    @contextmanager
    def edit(self) -> Iterator[Page]:
        """The page, with no other thread or process at it. It is written at the end of the block."""
        with self._lock:
            descriptor = self._open_locked()
            try:
                page = Page(self._own if descriptor is None else self._pread(descriptor))
                yield page
                if descriptor is None:
                    self._own = page.to_bytes()
                else:
                    self._pwrite(descriptor, page.changes())
            finally:
                if descriptor is not None:
                    # To close it is not enough where the process was forked meanwhile: the child has it, too.
                    fcntl.flock(descriptor, fcntl.LOCK_UN)
                    os.close(descriptor)

    def read(self) -> Page:
        """The page as it is now; nothing is written."""
        try:
            return Page(self._own if self._path is None else self._path.read_bytes())
        except OSError:
            return Page(self._own)

    def after_fork(self) -> None:
        """Replace the lock, which a thread of the parent may hold."""
        self._lock = threading.Lock()

    def _open_locked(self) -> int | None:
        """The file, locked; None without one that can be written."""
        if self._path is None:
            return None
        descriptor = None
        try:
            descriptor = self._open(self._path)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            self._warn(error)
            if descriptor is not None:
                os.close(descriptor)
            return None
        return descriptor

    @staticmethod
    def _open(path: Path) -> int:
        flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC
        try:
            return os.open(path, flags, 0o600)
        except FileNotFoundError:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(path, flags, 0o600)

    def _pread(self, descriptor: int) -> bytes:
        try:
            return os.pread(descriptor, SIZE, 0)
        except OSError as error:
            self._warn(error)
            return self._own

    def _pwrite(self, descriptor: int, changes: list[tuple[int, bytes]]) -> None:
        try:
            for place, content in changes:
                os.pwrite(descriptor, content, place)
        except OSError as error:
            self._warn(error)

    def _warn(self, error: OSError) -> None:
        if not self._has_warned:
            self._has_warned = True
            log.warning("Calls to D1 are counted for this process alone: %s", error)
