"""The gauges of accounts (core.metrics.gauges): who waits for approval."""

from accounts import stats
from core import replica
from core.metrics.gauges import HostGauge, Remembered

PENDING = HostGauge("gallery_pending_users", "Users who wait for approval")
PENDING_SINCE = HostGauge(
    "gallery_pending_users_since_timestamp_seconds", "Since when the first of them waits"
)

waiting = Remembered(stats.waiting, 30.0)


def read() -> None:
    """Read who waits, from the copy; where there is none that can be read, nothing: D1 is not asked for this."""
    if replica.reads_ask_d1():
        return
    found = waiting.get()
    if found is not None:
        PENDING.set(found.count)
        if found.since is not None:
            PENDING_SINCE.set(found.since.timestamp())
