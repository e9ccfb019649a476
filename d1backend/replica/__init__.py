"""An embedded replica of tables on D1, for reads without a round trip (docs/replica.md)."""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager

from d1backend.aliases import ReadAlias
from d1backend.replica.copy import Filling
from d1backend.replica.counters import note_counts
from d1backend.replica.host import Status
from d1backend.replica.registry import host_of, read_position, reads_on_primary
from d1backend.replica.source import Source

__all__ = [
    "Filling",
    "Status",
    "alias_for",
    "note_counts",
    "on_primary",
    "outage",
    "refresh",
    "status",
    "trim_log",
    "version",
]


def status(alias: str = "replica") -> Status:
    """The state of a replica, without asking D1.

    `usable`: whether reads go to it; `age`: seconds since it was last known to be equal to D1 (it grows while nobody
    reads), None without a copy; `max_age`: how old it may get while D1 answers; `degraded`: whether D1 cannot be
    followed or there is no copy; `error`: the class of the last failure, None after a success; `filling`: while any
    process of this host fills it, `table`, its `rows` so far and in `total`, and the `fraction` (0 to 1) of all
    tables; `seq`: the last change it contains; `snapshot`: the name of the newest snapshot, and `snapshot_taken` when
    it was taken (time.time()), as far as this host knows.
    """
    return host_of(alias).status()


def outage(alias: str = "replica", *, asks: bool = False) -> float | None:
    """Seconds until D1 is tried again while it is out of reach or blocks this account; None when it can be asked.

    A caller can reject a write at once instead of preparing it in vain. After the wait the next call is sent, and its
    answer ends the outage for every process of the host. With `asks`, a D1 that is out of reach is asked whether it is
    back, which takes up to eight seconds; so no write is refused after an outage.
    """
    host = host_of(alias)
    return host.seconds_until_reached() if asks else host.seconds_until_tried()


def version(alias: str, tables: Iterable[str]) -> int:
    """A number that grows whenever one of the tables changes by more than its counters; 0 without a copy.

    Every host with the same rows returns the same number, and it never comes again for other rows. Ask for it before
    reading the rows that it identifies.
    """
    opened = host_of(alias).readable_copy()
    return 0 if opened is None else opened.copy.version(tables)


def alias_for(alias: str, *tables: str) -> str:
    """The alias to read these tables from now: the replica's when it can be read, otherwise its source's.

    For tables that the router does not route ("unrouted"): `User.objects.using(alias_for("replica", "users"))`.
    Ask for it before each read: objects read by it are taken to be as old as it.
    """
    host = host_of(alias)
    if reads_on_primary.get() or not host.can_read(frozenset(tables)):
        return host.options.source
    read = ReadAlias(alias)
    read.position = read_position(alias)
    return read


def refresh(alias: str) -> None:
    """Update the copy if it is due, as a read does, without reading from it."""
    host_of(alias).readable_copy()


def trim_log(alias: str = "replica", *, dry_run: bool = False) -> int:
    """Cut the log of changes on the source where it has grown long, as a sync does; return how many entries went.

    It keeps what a sync keeps: the entries that the newest snapshot needs, and those of hosts that follow. With
    `dry_run` it only counts. One request where there is nothing to do.
    """
    with closing(Source(host_of(alias).options, patient=True)) as source:
        count = source.count_old_entries()
        if count and not dry_run:
            source.trim_log_in_parts()
    return count


@contextmanager
def on_primary() -> Iterator[None]:
    """Send the reads of this block to the source."""
    token = reads_on_primary.set(True)
    try:
        yield
    finally:
        reads_on_primary.reset(token)
