"""Help for tests of what talks to D1."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections


@contextmanager
def assert_round_trips(expected: int, using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Fail unless the block sends exactly `expected` requests to D1 on this thread's connection."""
    connection: Any = connections[using]
    before = connection.round_trips
    yield
    taken = connection.round_trips - before
    if taken != expected:
        raise AssertionError(f"{taken} round trips to D1, {expected} expected.")
