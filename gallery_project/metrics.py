"""Metrics of the server: what runs, its memory, and what its workers are busy with."""

from collections.abc import Collection
from typing import Protocol

from django.conf import settings
from django.db import connection
from prometheus_client import Counter, Gauge

from core.metrics.gauges import HostGauge
from gallery_project import memory

BUILD = HostGauge("gallery_build_info", "What runs here; always 1", ["version", "database", "storage"])
MEMORY = HostGauge(
    "gallery_memory_used_bytes", "Memory in use where the least is left: of this container or machine"
)
MEMORY_LIMIT = HostGauge("gallery_memory_limit_bytes", "How much memory there is")

STARTS = Counter("gallery_worker_starts", "Workers that have started")
REFUSALS = Counter(
    "gallery_worker_refusals", "Requests that a worker answered by itself", ["method", "route", "status"]
)
THREADS = Gauge("gallery_worker_threads", "Threads that run requests", multiprocess_mode="livesum")
BUSY = Gauge("gallery_worker_threads_busy", "Threads that run a request now", multiprocess_mode="livesum")
QUEUED = Gauge(
    "gallery_worker_requests_queued", "Requests that wait for a thread", multiprocess_mode="livesum"
)
CONNECTIONS = Gauge("gallery_worker_connections", "Open connections", multiprocess_mode="livesum")


class Held(Protocol):
    """A connection of a worker."""

    busy: bool


def read() -> None:
    storage = settings.STORAGES["default"]["BACKEND"].rsplit(".", 1)[-1]
    BUILD.set(1, settings.VERSION, connection.display_name, storage)
    found = memory.usage()
    if found is not None:
        MEMORY.set(found[0])
        MEMORY_LIMIT.set(found[1])


def note_worker(connections: Collection[Held], threads: int) -> None:
    """Note what a worker is busy with: called about once a second."""
    handed = sum(conn.busy for conn in connections)  # to a thread, or to the queue before them
    THREADS.set(threads)
    BUSY.set(min(handed, threads))
    QUEUED.set(max(0, handed - threads))
    CONNECTIONS.set(len(connections))
