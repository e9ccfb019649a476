"""Bounds the memory of decoding: this host decodes large images one at a time."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from core.errors import Unavailable

BIG = 8_000_000  # pixels: Pillow keeps four bytes for each, twice that while it turns or converts an image
PATIENCE = 30.0  # seconds
PAUSE = 0.05  # seconds
LOCK = "big-picture.lock"


@contextmanager
def decode_lock(pixels: int) -> Iterator[None]:
    """Wait until no other large image is being decoded. Small images do not wait.

    The lock is on a file, so it holds between processes and ends with a process that dies.
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
                    raise Unavailable("Too many large images at once. Please try again.") from None
                time.sleep(PAUSE)
        yield
