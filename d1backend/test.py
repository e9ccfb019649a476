"""Helpers for tests of code that uses D1."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, connections

from d1backend.base import DatabaseWrapper


@contextmanager
def assert_round_trips(expected: int, using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Fail unless the block sends exactly `expected` requests to D1 on this thread's connection."""
    connection = connections[using]
    assert isinstance(connection, DatabaseWrapper), f"DATABASES[{using!r}] is not on D1."
    before = connection.round_trips
    yield
    taken = connection.round_trips - before
    if taken != expected:
        raise AssertionError(f"{taken} round trips to D1, {expected} expected.")
