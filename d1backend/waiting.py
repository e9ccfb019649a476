"""Work that may neither wait for D1 nor take long: a server's loop gives a thread what it cannot do at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_may_not_wait: ContextVar[bool] = ContextVar("d1_may_not_wait", default=False)


class WouldWait(BaseException):
    """What runs here would wait for another host, and must not. Nothing was changed: it can run again elsewhere.

    No Exception, so that nothing on the way takes it for a failure of D1.
    """


class WouldTakeLong(WouldWait):
    """What runs here has long work of its own to do, this once."""


@contextmanager
def without_waiting() -> Iterator[None]:
    """In this block, by this thread, about_to_wait() and about_to_take_long() raise."""
    token = _may_not_wait.set(True)
    try:
        yield
    finally:
        _may_not_wait.reset(token)


def about_to_wait() -> None:
    """To be called before anything that waits for another host. Raises WouldWait inside without_waiting()."""
    if _may_not_wait.get():
        raise WouldWait


def about_to_take_long() -> None:
    """To be called before work that keeps the processor for long. Raises WouldTakeLong inside without_waiting()."""
    if _may_not_wait.get():
        raise WouldTakeLong
