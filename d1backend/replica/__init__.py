"""An embedded replica of tables on D1, for reads without a round trip (docs/replica.md)."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from d1backend.errors import RateLimited
from d1backend.replica.registry import forced, host_of

__all__ = ["alias_for", "on_primary", "outage", "status", "version"]


def status(alias: str = "replica") -> dict[str, Any]:
    """How a replica is, without asking D1.

    `usable`: whether reads go to it; `age`: seconds since it was surely equal to D1 (it grows while nobody reads), None
    when there is no copy; `degraded`: whether D1 cannot be followed or there is no copy; `error`: the kind of the last
    failure, None when all is well; `filling`: table and rows so far when this process fills it; `seq`: the last change
    it holds.
    """
    return host_of(alias).status()


def outage(alias: str = "replica") -> float | None:
    """Seconds until D1 is asked again after it failed twice in a row or answered 429; None while it can be asked.

    For who would rather refuse a write at once than have it wait for D1 in vain. Asking this asks D1 when it is due.
    """
    host = host_of(alias)
    host.ready()
    trouble = host.folder.trouble()
    if trouble.get("failures", 0) < 2 and trouble.get("kind") != RateLimited.__name__:
        return None
    return max(0.0, host.folder.resting_until() - time.time())


def version(alias: str, tables: Iterable[str]) -> int:
    """A number that grows whenever one of the tables changes by more than its quiet columns.

    It is the same on every host that holds the same rows, and never comes again for others. Ask for it before
    reading the rows it is to stand for. 0 when there is no copy to read.
    """
    host = host_of(alias)
    generation = host.generation if host.ready() else None
    return 0 if generation is None else generation.copy.version(tables)


def alias_for(alias: str, *tables: str) -> str:
    """The alias to read these tables from now: the replica's where that is usable, else its source's.

    For tables that the router leaves alone ("unrouted"): `User.objects.using(alias_for("replica", "users"))`.
    """
    host = host_of(alias)
    near = not forced.get() and host.can_read(frozenset(tables))
    return alias if near else host.options.source


@contextmanager
def on_primary() -> Iterator[None]:
    """Send the reads of this block to the source."""
    token = forced.set(True)
    try:
        yield
    finally:
        forced.reset(token)
