"""The metrics for Prometheus, summed over the worker processes of this host."""

import os

from django.dispatch import Signal
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import REGISTRY

from core import replica
from d1backend.protocol.api import Api, request_sent

REQUESTS = Counter("gallery_requests", "Requests answered", ["method", "status"])
SECONDS = Histogram("gallery_request_seconds", "Seconds from request to response", ["method"])
ROUND_TRIPS = Counter("gallery_database_round_trips", "Calls to D1 that requests waited for")
D1_REQUESTS = Counter(
    "gallery_d1_requests", "Calls to D1, those of the replica and of view counters included"
)
REPLICA_AGE = Gauge(
    "gallery_replica_age_seconds",
    "Seconds since the replica was known to equal D1",
    multiprocess_mode="mostrecent",
)
REPLICA_FOLLOWS = Gauge(
    "gallery_replica_follows", "Whether there is a replica that follows D1", multiprocess_mode="mostrecent"
)


def observe(method: str, status: int, seconds: float, round_trips: int) -> None:
    """Count one response."""
    # A client may send any word as its method, and each label value makes a series for ever.
    known = method if method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} else "other"
    REQUESTS.labels(known, str(status)).inc()
    SECONDS.labels(known).observe(seconds)
    if round_trips:
        ROUND_TRIPS.inc(round_trips)


def count_d1_request(sender: type[Api], **signal: Signal) -> None:
    D1_REQUESTS.inc()


request_sent.connect(count_d1_request)


def text() -> bytes:
    """Return all metrics in Prometheus' text format; those of all workers if gunicorn set up a shared folder."""
    if replica.is_used():
        copy = replica.status()
        REPLICA_AGE.set(float("nan") if copy["age"] is None else copy["age"])
        REPLICA_FOLLOWS.set(not copy["degraded"] and not copy["late"])
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return generate_latest(registry)
