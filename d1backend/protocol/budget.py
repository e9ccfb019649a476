"""Who spends the account's allowance of calls to D1."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum


class Spender(Enum):
    """Who a call to D1 is for, the most important first."""

    SYNC = "sync"  # the replica's reads of the log of changes
    FILL = "fill"  # a copy that is filled from D1
    WRITE = "write"  # writes of signed-in people
    STAFF = "staff"  # the admin console
    REST = "rest"


# The class, and the user of a WRITE.
_spender: ContextVar[tuple[Spender, str]] = ContextVar("d1_spender", default=(Spender.REST, ""))


@contextmanager
def spending(spender: Spender, user: str = "") -> Iterator[None]:
    """Say who the calls to D1 in this block are for. Each `user` has a bucket of their own within the class."""
    token = _spender.set((spender, user))
    try:
        yield
    finally:
        _spender.reset(token)
