"""The replica: this host's copy of D1, if there is one. What reads choose between, and its state."""

import math
import mmap
import time
from collections.abc import Callable
from typing import NamedTuple, TypedDict, TypeVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection, router

from core.models import AppSetting
from d1backend import replica

REPLICA: str = settings.REPLICA_ALIAS
T = TypeVar("T")
CLOCKS = 30.0  # seconds that the clocks of two hosts may differ by
# Whether this host was ready once: a byte that a server shares with all workers it forks, also with later ones.
_was_ready = mmap.mmap(-1, 1)
_fills_itself = False


class Status(TypedDict):
    """d1backend.replica.status(), and whether the replica is late."""

    usable: bool
    age: float | None  # seconds since it was known to equal D1
    degraded: bool
    filling: replica.Filling | None  # how far the fill of this host is
    error: str | None
    snapshot_taken: (
        float | None
    )  # when the newest snapshot was taken (time.time()), as far as this host knows
    late: bool  # older than max_age, although it has just been updated


class Readiness(NamedTuple):
    """Whether this host can answer reads, and the part of its copy that is filled (0 to 1)."""

    ready: bool
    progress: float


def is_used() -> bool:
    return REPLICA in settings.DATABASES


def alias_for(*tables: str) -> str:
    """Return the database to read these tables from. For tables that the router leaves on D1 (users)."""
    if not is_used() or connection.in_atomic_block:
        return DEFAULT_DB_ALIAS
    return replica.alias_for(REPLICA, *tables)


def reads_ask_d1() -> bool:
    """Return whether reads go to D1 itself: there is no replica, or it cannot be read."""
    return (
        hasattr(connection, "round_trips")
        and router.db_for_read(AppSetting, values_only=True) == DEFAULT_DB_ALIAS
    )


def may_be_old() -> bool:
    """Return whether reads come from a copy, which may be older than what another host wrote."""
    return is_used() and not reads_ask_d1()


def may_lack(moment: float) -> bool:
    """Return whether the replica may lack what another host wrote at that moment (seconds, time.time())."""
    if not is_used():
        return False
    age = replica.status(REPLICA)["age"]
    return age is not None and time.time() - age < moment + CLOCKS


def or_exactly(ask: Callable[[], T]) -> T:
    """Return what `ask` finds in the replica, else on D1: the row may be too new for the replica."""
    found = ask()
    if found or not is_used():
        return found
    with replica.on_primary():
        return ask()


def outage() -> int | None:
    """Return the whole seconds until D1 is tried again while it is away; None if it is not, or is back."""
    wait = replica.outage(REPLICA, asks=True) if is_used() else None
    return None if wait is None else math.ceil(wait) or 1


def status() -> Status:
    """Return the state of the replica, after an attempt to update it."""
    replica.refresh(REPLICA)
    found = replica.status(REPLICA)
    late = found["age"] is None or found["age"] > found["max_age"]
    return Status(
        usable=found["usable"],
        age=found["age"],
        degraded=found["degraded"],
        filling=found["filling"],
        error=found["error"],
        snapshot_taken=found["snapshot_taken"],
        late=late,
    )


def readiness() -> Readiness:
    """Return whether this host is ready, and the progress of its fill. Reads local files only; never asks D1."""
    if is_ready():
        return Readiness(True, 1.0)
    filling = replica.status(REPLICA)["filling"]
    return Readiness(False, filling["fraction"] if filling else 0.0)


def is_ready() -> bool:
    """Return whether this host can answer reads.

    A host that was ready once stays ready: a refill reads from the old copy, and without one reads go to D1.
    """
    if not is_used() or _was_ready[0]:
        return True
    if replica.status(REPLICA)["usable"]:
        _was_ready[0] = 1
    return bool(_was_ready[0])


def fill_first() -> None:
    """Let this process, and those it forks, serve nothing before the copy can be read. For a server that fills it."""
    global _fills_itself
    _fills_itself = not settings.SERVE_WHILE_FILLING


def is_filling_first() -> bool:
    """Return whether requests must wait until the copy can be read."""
    return _fills_itself and not is_ready()
