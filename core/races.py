"""Concurrent writes: one of them wins, the other runs again on what it then finds."""

import logging
from collections.abc import Callable
from contextlib import nullcontext
from itertools import count
from typing import TypeVar

from django.db import DatabaseError, IntegrityError, connection

from core.metrics.requests import CONFLICTS
from d1backend import ConditionFailed, OutcomeUnknown, SerializationFailure
from d1backend.replica import on_primary
from d1backend.retry import pause

logger = logging.getLogger(__name__)

T = TypeVar("T")
ATTEMPTS = 6


def is_lost(error: Exception) -> bool:
    """Return whether a write may have failed because another one came first. Nothing of it is stored then.

    Rows that it relied on changed (SerializationFailure), or the caller's sign-in did (ConditionFailed), or a row that
    it refers to is gone, or the row that it inserts exists (IntegrityError). If the updated row is gone, Model.save()
    raises a plain DatabaseError. If the answer to a write was lost, D1 is asked, which makes sure that it is not stored
    later either.
    """
    if isinstance(error, OutcomeUnknown):
        return is_known_unwritten(error)
    lost = SerializationFailure | ConditionFailed | IntegrityError
    return isinstance(error, lost) or type(error) is DatabaseError


def is_known_unwritten(error: OutcomeUnknown) -> bool:
    """Return whether D1 says that the write is not stored, and never will be; False if D1 cannot be asked."""
    try:
        return not error.settle()
    except OutcomeUnknown:
        return False


def repeated(call: Callable[[bool], T]) -> T:
    """Return the result of `call`. If its write lost, run it again, with reads from D1 itself.

    Passes `call` whether this is the last attempt, whose error is raised. Inside a transaction the first attempt is
    the last, because only the whole transaction can be repeated. `call` must not have committed anything that would
    then be done twice.
    """
    for attempt in count(1):
        is_last = attempt == ATTEMPTS or connection.in_atomic_block
        try:
            with on_primary() if attempt > 1 else nullcontext():
                return call(is_last)
        except DatabaseError as error:
            if is_last or not is_lost(error):
                raise
            CONFLICTS.inc()
            logger.info("a write lost against another one and runs again: %s", type(error).__name__)
        pause(attempt)
    raise AssertionError
