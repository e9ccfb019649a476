"""One budget of memory for decoding pictures, from which all processes of this host draw.

Each holder has a file in DATA/decoding that it keeps locked, with the bytes in its name. A lock ends with its process,
so what a dead one held is free. Who finds no room waits in a queue: one waits for room, the others for its place.
"""

import ctypes
import fcntl
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TypeVar

from django.conf import settings

from core import private_files
from core.errors import Unavailable
from uploads.metrics import DECODING_REFUSED, DECODING_WAIT

PATIENCE = 20.0  # seconds
PAUSE = 0.05  # seconds
RETRY_AFTER = 10  # seconds
MOST_WAITING = 2  # threads of a process: the others answer reads
SMALL = 8  # who needs less than an eighth of the budget does not queue behind a large picture
TRIMMED = 16 * 1024**2  # bytes: glibc keeps what is freed of smaller blocks

Found = TypeVar("Found")
waiting = threading.BoundedSemaphore(MOST_WAITING)


@contextmanager
def decoding(size: int) -> Iterator[None]:
    """Hold `size` bytes of this host's budget while the block runs.

    Every decoder draws from it, with the most that it will hold at any time (uploads.pipeline.costs). Do not nest it:
    who holds some and waits for more could wait for ever. Raises Unavailable if no room is found within 20 s, or at
    once if two threads of this process are waiting already, or if `size` is more than the budget.
    """
    grant = taken(size)
    try:
        yield
    except BaseException as error:
        # Its traceback would keep the pictures for longer than the budget counts them.
        traceback.clear_frames(error.__traceback__)
        raise
    finally:
        if size > TRIMMED:
            give_back_freed_memory()
        Path(grant.name).unlink(missing_ok=True)
        grant.close()


def taken(size: int) -> IO[bytes]:
    """Return the locked file of `size` bytes of the budget. Raises Unavailable."""
    started = time.perf_counter()
    grant = found_room(size)
    DECODING_WAIT.observe(time.perf_counter() - started)
    return grant


def found_room(size: int) -> IO[bytes]:
    folder = budget_folder()
    with (folder / "queue").open("ab") as turn:
        if size <= settings.DECODING_MEMORY // SMALL or locked(turn):
            grant = grant_of(size, folder)
            if grant is not None:
                return grant
        if size > settings.DECODING_MEMORY or not waiting.acquire(blocking=False):
            raise busy()
        try:
            deadline = time.monotonic() + PATIENCE
            until(lambda: locked(turn) or None, deadline)
            return until(lambda: grant_of(size, folder), deadline)
        finally:
            waiting.release()


def until(look: Callable[[], Found | None], deadline: float) -> Found:
    """Return what `look` finds. Raises Unavailable at the deadline."""
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise busy()
        time.sleep(PAUSE)
    return found


def busy() -> Unavailable:
    DECODING_REFUSED.inc()
    return Unavailable("This host is busy with other pictures. Please try again.", retry_after=RETRY_AFTER)


def budget_folder() -> Path:
    folder: Path = settings.DATA / "decoding"
    private_files.make_folder(folder)
    return folder


def memory_held() -> int:
    """Return the bytes of the budget that are held now."""
    folder = budget_folder()
    with (folder / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return held(folder)


def grant_of(size: int, folder: Path) -> IO[bytes] | None:
    """Return the locked file of `size` bytes; None if the budget has no room for them."""
    with (folder / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if held(folder) + size > settings.DECODING_MEMORY:
            return None
        grant = (folder / f"{size}.{uuid.uuid4().hex}").open("xb")
        fcntl.flock(grant, fcntl.LOCK_EX)
        return grant


def held(folder: Path) -> int:
    """Return the bytes that live holders have, and remove the files of dead ones."""
    total = 0
    for path in folder.glob("*.*"):
        with suppress(FileNotFoundError), path.open("rb") as file:
            if locked(file):
                path.unlink()
            else:
                total += int(path.stem)
    return total


def locked(file: IO[bytes]) -> bool:
    """Lock the file; return whether nobody else has it locked."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def give_back_freed_memory() -> None:
    """Return the freed memory of this process to the system, where the C library is glibc (malloc_trim(3))."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
