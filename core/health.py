"""The health of each part, checked in parallel within 2 s."""

import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TypeVar

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection, connections

from core import replica
from core.json_types import JsonObject
from core.logs.current import in_request

T = TypeVar("T")
STARTED = time.monotonic()
PROBE = 4096  # bytes, a block of most file systems
PATIENCE = 1.8  # seconds, so that the response is sent within 2
# A part that hangs keeps its thread until its own timeout. Spare threads keep the next check from waiting for it.
POOL = ThreadPoolExecutor(max_workers=8, thread_name_prefix="health")


@dataclass(frozen=True)
class Checks:
    """The worst status, and each part's own."""

    HEALTHY: ClassVar = "healthy"
    DEGRADED: ClassVar = "degraded"
    UNHEALTHY: ClassVar = "unhealthy"

    status: str
    parts: JsonObject


def run() -> Checks:
    """Check every part. A part that fails, or does not respond within 1.8 s, is unhealthy."""
    asked = {name: POOL.submit(in_request(timed), check) for name, check in PARTS.items()}
    wait(asked.values(), timeout=PATIENCE)
    found = {name: outcome(future) for name, future in asked.items()}
    statuses = {part["status"] for part in found.values()}
    worst = next(s for s in (Checks.UNHEALTHY, Checks.DEGRADED, Checks.HEALTHY) if s in statuses)
    parts: JsonObject = {**found, "memory": memory(), "uptime": round(time.monotonic() - STARTED, 1)}
    return Checks(worst, parts)


def answer_in_time(ask: Callable[[], T]) -> T | None:
    """Return what a question returns; None if it fails or takes more than 1.8 s."""
    future = POOL.submit(ask)
    wait([future], timeout=PATIENCE)
    if not future.done():
        future.cancel()
        return None
    return None if future.exception() is not None else future.result()


def timed(check: Callable[[], JsonObject]) -> JsonObject:
    start = time.perf_counter()
    found = check()
    latency = round((time.perf_counter() - start) * 1000, 2)
    return {"status": Checks.HEALTHY, "latency_ms": latency, **found}


def outcome(future: Future[JsonObject]) -> JsonObject:
    """Return the result of a check; for a failure only its class, because its message may name a host."""
    if not future.done():
        future.cancel()
        return {"status": Checks.UNHEALTHY, "latency_ms": None, "error": "no answer in time"}
    if (error := future.exception()) is not None:
        return {"status": Checks.UNHEALTHY, "latency_ms": None, "error": type(error).__name__}
    return future.result()


def database() -> JsonObject:
    """Check the database. With a replica to read from, a database that is away counts as degraded."""
    if not replica.is_used():
        return ask_database()
    copy = replica.status()
    if not copy["usable"]:
        # A SELECT here would let anyone spend the requests that the fill needs.
        return {
            "engine": connection.display_name,
            "status": Checks.UNHEALTHY if copy["error"] else Checks.DEGRADED,
            "replica": {"age_s": None, "filling": copy["filling"] and copy["filling"]["fraction"]},
        }
    found: JsonObject = {
        "engine": connection.display_name,
        "replica": {"age_s": round(copy["age"] or 0.0, 1)},
    }
    if copy["degraded"] or copy["late"]:
        found |= {"status": Checks.DEGRADED, "error": copy["error"] or "no answer in time"}
    return found


def ask_database() -> JsonObject:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    finally:
        connections.close_all()
    return {"engine": connection.display_name}


def storage() -> JsonObject:
    default_storage.exists("health")
    return {"backend": type(default_storage._wrapped).__name__}  # type: ignore[attr-defined]


def data() -> JsonObject:
    """Write into the folder DATA, which this host's caches, copy and images need."""
    try:
        with tempfile.TemporaryFile(dir=settings.DATA) as file:
            file.write(bytes(PROBE))
    except OSError as error:
        return {"status": Checks.UNHEALTHY, "error": os.strerror(error.errno or 0)}
    return {}


PARTS: dict[str, Callable[[], JsonObject]] = {"database": database, "storage": storage, "data": data}


def memory() -> JsonObject:
    """Return the resident set of this process: now, from Linux's /proc; elsewhere its peak, by getrusage(2)."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        size = int(statm.read_text().split()[1]) * resource.getpagesize()
    else:
        unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, the BSDs kilobytes
        size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return {"status": Checks.HEALTHY, "rss_mb": round(size / 1024**2, 1)}
