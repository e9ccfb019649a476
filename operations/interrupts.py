"""Ctrl-C and SIGTERM end a command in one sentence, after it has cleared away what it made."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from django.core.management.base import CommandError


@contextmanager
def stoppable(sentence: Callable[[], str]) -> Iterator[None]:
    """Raise CommandError, with that sentence, when the block is stopped by either signal."""
    is_main = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, _interrupt) if is_main else None
    try:
        yield
    except KeyboardInterrupt:
        raise CommandError(sentence()) from None
    finally:
        if is_main:
            signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
