"""Writes that meet: one of them wins, the other is run again and answers what it then finds."""

import logging
from collections.abc import Callable
from contextlib import nullcontext
from itertools import count
from typing import TypeVar

from django.db import DatabaseError, IntegrityError, connection

from d1backend import SerializationFailure
from d1backend.replica import on_primary
from d1backend.retry import pause

logger = logging.getLogger(__name__)

T = TypeVar("T")
ATTEMPTS = 6


def is_lost(error: Exception) -> bool:
    """Whether a write may have failed because another one came first; nothing of it is stored then.

    Rows that it relied on changed (SerializationFailure), or what it refers to is gone, or what it makes is there
    (IntegrityError). That the row itself is gone Model.save() tells by a bare DatabaseError.
    """
    return isinstance(error, SerializationFailure | IntegrityError) or type(error) is DatabaseError


def repeated(call: Callable[[bool], T]) -> T:
    """Answer what `call` answers; where its write lost, run it again, with all that it reads read from D1 itself.

    `call` is told whether this is its last chance; the error of that is raised. Inside a transaction the first is
    the last, because only the whole of it can be repeated. What runs again must not have committed anything that
    would then be done twice.
    """
    for attempt in count(1):
        is_last = attempt == ATTEMPTS or connection.in_atomic_block
        try:
            with on_primary() if attempt > 1 else nullcontext():
                return call(is_last)
        except DatabaseError as error:
            if is_last or not is_lost(error):
                raise
            logger.info("a write met another one and is run again: %s", type(error).__name__)
        pause(attempt)
    raise AssertionError
