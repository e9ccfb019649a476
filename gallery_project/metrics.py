"""What Prometheus may ask of this service, summed over the worker processes of the host."""

import os

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import REGISTRY

REQUESTS = Counter("gallery_requests", "Requests answered", ["method", "status"])
SECONDS = Histogram("gallery_request_seconds", "Seconds from request to answer", ["method"])
ROUND_TRIPS = Counter("gallery_database_round_trips", "Calls to D1 made while answering requests")


def observe(method: str, status: int, seconds: float, round_trips: int) -> None:
    """Count one answer."""
    # A client may send any word as its method, and each label value is a series that stays.
    known = method if method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} else "other"
    REQUESTS.labels(known, str(status)).inc()
    SECONDS.labels(known).observe(seconds)
    if round_trips:
        ROUND_TRIPS.inc(round_trips)


def text() -> bytes:
    """All metrics in Prometheus' text format; of all workers where gunicorn set up a shared folder."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return generate_latest(registry)
