"""This host's copy of D1, where there is one: what reads choose between, and how it is."""

import math
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection

from d1backend import replica

REPLICA: str = settings.REPLICA_ALIAS
T = TypeVar("T")
CLOCKS = 5.0  # seconds that the clocks of two hosts may differ by


def is_used() -> bool:
    return REPLICA in settings.DATABASES


def alias_for(*tables: str) -> str:
    """The database to read these tables from, for those whose plain reads leave the copy alone (users)."""
    if not is_used() or connection.in_atomic_block:
        return DEFAULT_DB_ALIAS
    return replica.alias_for(REPLICA, *tables)


def may_lack(moment: float) -> bool:
    """Whether what another host wrote at that moment (seconds, time.time()) may not have come here yet."""
    if not is_used():
        return False
    age = replica.status(REPLICA)["age"]
    return age is not None and time.time() - age < moment + CLOCKS


def or_exactly(ask: Callable[[], T]) -> T:
    """What `ask` finds in this host's copy; where that is nothing, what it finds on D1: it may be that new."""
    found = ask()
    if found or not is_used():
        return found
    with replica.on_primary():
        return ask()


def outage() -> int | None:
    """Whole seconds after which D1 is worth a try while it is known to be away; None while it is not."""
    wait = replica.outage(REPLICA) if is_used() else None
    return None if wait is None else math.ceil(wait) or 1


def status() -> dict[str, Any]:
    """d1backend.replica.status(), with `late`: whether the copy is older than it may be, though it was wanted now."""
    replica.alias_for(REPLICA)  # as a read does, it brings the copy forward
    found = replica.status(REPLICA)
    late = found["age"] is None or found["age"] > settings.DATABASES[REPLICA]["OPTIONS"]["max_age"]
    return {**found, "late": late}
