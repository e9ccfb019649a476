"""Ctrl-C, SIGTERM and a closed terminal end a command in one sentence, after it has cleared away what it made."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from django.core.management.base import CommandError


@contextmanager
def stoppable(sentence: Callable[[], str]) -> Iterator[None]:
    """Raise CommandError, with that sentence, when one of these signals stops the block, or nobody reads its lines."""
    is_main = threading.current_thread() is threading.main_thread()
    before = {}
    for number in (signal.SIGTERM, signal.SIGHUP) if is_main else ():
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup lets a command outlive its terminal
            before[number] = signal.signal(number, _interrupt)
    try:
        yield
    except (KeyboardInterrupt, BrokenPipeError):
        raise CommandError(sentence()) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
