"""The gauges of the catalogue (core.metrics.gauges): designs by status."""

from core import replica
from core.metrics.gauges import HostGauge, Remembered
from designs import totals
from designs.fields import Status
from designs.models import ValueTotal

DESIGNS = HostGauge("gallery_designs", "Designs", ["status"])


def count() -> dict[str, int]:
    """The number of designs by status, as triggers keep it."""
    none = dict.fromkeys(Status.values, 0)
    return none | dict(ValueTotal.objects.filter(field=totals.ALL).values_list("status", "count"))


by_status = Remembered(count, 30.0)


def read() -> None:
    """Read the designs from the copy; where there is none that can be read, nothing: D1 is not asked for this."""
    if not replica.reads_ask_d1():
        for status, number in (by_status.get() or {}).items():
            DESIGNS.set(number, status)
