"""This host's copy of D1: its age, syncs and fills, and the snapshots that it is filled from."""

from typing import Any

from django.conf import settings
from prometheus_client import Counter, Histogram

from core import replica
from core.metrics.gauges import HostGauge
from d1backend import events

SYNC_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900)

SYNCS = Histogram(
    "gallery_replica_sync_seconds", "Seconds of a sync or fill", ["outcome"], buckets=SYNC_BUCKETS
)
CHANGES = Counter("gallery_replica_changes", "Changes of D1 that the copy has taken")
SNAPSHOTS = Counter("gallery_replica_snapshots", "Snapshots written, used for a fill, or refused", ["event"])

AGE = HostGauge("gallery_replica_age_seconds", "Seconds since the copy was known to equal D1")
FOLLOWS = HostGauge("gallery_replica_follows", "Whether there is a copy, and it follows D1")
FILLED = HostGauge("gallery_replica_filled_ratio", "The part of the first copy that is filled")
SNAPSHOT = HostGauge(
    "gallery_replica_snapshot_timestamp_seconds", "When the newest known snapshot was taken, or 0"
)


def count_sync(sender: type, *, outcome: str, seconds: float, **signal: Any) -> None:
    SYNCS.labels(outcome).observe(seconds)


def count_changes(sender: type, *, count: int, **signal: Any) -> None:
    CHANGES.inc(count)


def count_written(sender: type, **signal: Any) -> None:
    SNAPSHOTS.labels("written").inc()


def count_restored(sender: type, **signal: Any) -> None:
    SNAPSHOTS.labels("restored").inc()


def count_snapshot_refused(sender: type, **signal: Any) -> None:
    SNAPSHOTS.labels("refused").inc()


def listen() -> None:
    """Count from now on what d1backend signals."""
    events.sync_ended.connect(count_sync)
    events.changes_applied.connect(count_changes)
    events.snapshot_written.connect(count_written)
    events.snapshot_restored.connect(count_restored)
    events.snapshot_refused.connect(count_snapshot_refused)


def read() -> None:
    """Read the gauges, after an attempt to update the copy. Without a copy there are none."""
    if not replica.is_used():
        return
    copy = replica.status()
    if copy["age"] is not None:
        AGE.set(copy["age"])
    FOLLOWS.set(not copy["degraded"] and not copy["late"])
    fraction = copy["filling"]["fraction"] if copy["filling"] else 0.0
    FILLED.set(1.0 if copy["usable"] else fraction)
    if settings.SNAPSHOTS is not None:
        SNAPSHOT.set(copy["snapshot_taken"] or 0.0)
