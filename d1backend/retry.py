"""Runs a transaction again when it lost against another one."""

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from d1backend.errors import SerializationFailure

P = ParamSpec("P")
R = TypeVar("R")
ATTEMPTS = 12


def retry_on_conflict(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function that opens its own atomic(): on a SerializationFailure it runs again, up to 12 times.

    It goes outside atomic(), because only the outermost commit fails so. The waits grow, with jitter, to 0.5 s.
    """

    @wraps(function)
    def retried(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, ATTEMPTS):
            try:
                return function(*args, **kwargs)
            except SerializationFailure:
                pause(attempt)
        return function(*args, **kwargs)

    return retried


def pause(attempt: int) -> None:
    """Wait after a lost attempt (1 is the first)."""
    time.sleep(min(0.5, 0.005 * 2**attempt) * random.uniform(0.3, 1))  # noqa: S311
