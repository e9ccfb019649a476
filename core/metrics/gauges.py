"""Gauges of this host that are read when somebody asks for the metrics.

They belong to no process, so each has one value however many workers there are. An app sets its own in a function that
it adds to `core.hooks.gauges`.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import REGISTRY, Collector

from core import hooks

logger = logging.getLogger(__name__)

T = TypeVar("T")


class HostGauge:
    """A gauge that is left out of the metrics unless it was set since somebody asked."""

    def __init__(self, name: str, text: str, labels: Sequence[str] = ()) -> None:
        self.name, self.text, self.labels = name, text, labels
        self.values: dict[tuple[str, ...], float] = {}
        HOST.gauges.append(self)

    def set(self, value: float, *labels: str) -> None:
        self.values[labels] = value


class Unknown(Exception):
    """A value that could not be loaded yet, which the log said when it was tried."""


class HostCollector(Collector):
    """All gauges of the host."""

    def __init__(self) -> None:
        self.gauges: list[HostGauge] = []

    def read(self) -> None:
        """Read all gauges again. What cannot be read is logged, and left out."""
        for gauge in self.gauges:
            gauge.values.clear()
        failed = 0
        for read in hooks.gauges:
            try:
                read()
            except Unknown:
                failed += 1
            except Exception:
                # The other numbers are wanted most when something fails.
                logger.exception("a part of the metrics could not be read")
                failed += 1
        UNREADABLE.set(failed)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for gauge in self.gauges:
            if gauge.values:
                family = GaugeMetricFamily(gauge.name, gauge.text, labels=gauge.labels)
                for labels, value in gauge.values.items():
                    family.add_metric(labels, value)
                yield family


HOST = HostCollector()
UNREADABLE = HostGauge("gallery_unreadable_gauges", "Parts of these metrics that could not be read")
REGISTRY.register(HOST)


class Remembered(Generic[T]):
    """What `load` returned, which is asked again when that is older than so many seconds.

    In the `background` nobody waits for it: for what a network may delay. Until it has answered there is no value, and
    Unknown once it has failed.
    """

    def __init__(self, load: Callable[[], T], seconds: float, *, background: bool = False) -> None:
        self._load, self._seconds, self._background = load, seconds, background
        self._loading = threading.Lock()
        self.forget()

    def forget(self) -> None:
        self._value: T | None = None
        self._until = 0.0
        self._is_unknown = False

    def get(self) -> T | None:
        """Return the value; None if there is none yet.

        Raises what `load` does, or in the background Unknown, if it has never returned.
        """
        if time.monotonic() >= self._until and self._loading.acquire(blocking=False):
            if self._background:
                threading.Thread(target=self._load_quietly, name="metrics", daemon=True).start()
            else:
                self._load_once()
        if self._is_unknown:
            raise Unknown
        return self._value

    def _load_once(self) -> None:
        try:
            self._value = self._load()
            self._is_unknown = False
        finally:
            self._until = time.monotonic() + self._seconds
            self._loading.release()

    def _load_quietly(self) -> None:
        try:
            self._load_once()
        except Exception:
            self._is_unknown = self._value is None
            logger.exception("a part of the metrics could not be read")
