"""Bounds the memory of decoding: pictures that take much of it are decoded one at a time on this host."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from core.errors import Unavailable

BIG = 8_000_000  # pixels: Pillow keeps four bytes for each, turning or converting a picture takes it twice
PATIENCE = 30.0  # seconds
PAUSE = 0.05  # seconds
LOCK = "big-picture.lock"


@contextmanager
def decode_lock(pixels: int) -> Iterator[None]:
    """Wait until no other big picture is being decoded; small ones do not wait.

    The lock is a file's, so that it holds between processes too and goes with a process that dies.
    Raises Unavailable after 30 s.
    """
    if pixels <= BIG:
        yield
        return
    deadline = time.monotonic() + PATIENCE
    settings.DATA.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (settings.DATA / LOCK).open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Unavailable("Too many large pictures at once. Please try again.") from None
                time.sleep(PAUSE)
        yield
