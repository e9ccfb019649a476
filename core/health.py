"""The health of each part, asked in parallel and waited for at most 2 s."""

import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from django.core.files.storage import default_storage
from django.db import connection, connections

from core import replica

STARTED = time.monotonic()
PATIENCE = 1.8  # seconds: the answer itself must be out within 2
# A part that hangs keeps its thread until its own time-out; a few may, without holding up the next question.
POOL = ThreadPoolExecutor(max_workers=8, thread_name_prefix="health")


@dataclass(frozen=True)
class Checks:
    """What was found: the worst status, and each part's own."""

    HEALTHY: ClassVar = "healthy"
    DEGRADED: ClassVar = "degraded"
    UNHEALTHY: ClassVar = "unhealthy"

    status: str
    parts: dict[str, Any]


def run() -> Checks:
    """Ask every part. A needed part that fails, or is silent for 1.8 s, is unhealthy."""
    asked = {name: POOL.submit(timed, check) for name, check in PARTS.items()}
    wait(asked.values(), timeout=PATIENCE)
    parts: dict[str, Any] = {name: outcome(future) for name, future in asked.items()}
    statuses = {part["status"] for part in parts.values()}
    worst = next(s for s in (Checks.UNHEALTHY, Checks.DEGRADED, Checks.HEALTHY) if s in statuses)
    parts["memory"] = memory()
    parts["uptime"] = round(time.monotonic() - STARTED, 1)
    return Checks(worst, parts)


def timed(check: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    start = time.perf_counter()
    found = check()
    latency = round((time.perf_counter() - start) * 1000, 2)
    return {"status": Checks.HEALTHY, "latency_ms": latency, **found}


def outcome(future: Future[dict[str, Any]]) -> dict[str, Any]:
    """A part's finding; of a failure only its kind, since its message may name a host."""
    if not future.done():
        future.cancel()
        return {"status": Checks.UNHEALTHY, "latency_ms": None, "error": "no answer in time"}
    if (error := future.exception()) is not None:
        return {"status": Checks.UNHEALTHY, "latency_ms": None, "error": type(error).__name__}
    return future.result()


def database() -> dict[str, Any]:
    """With a copy to read from, a database that is away is degraded; without one, reads of it cost more."""
    if not replica.is_used():
        return asked()
    copy = replica.status()
    if not copy["usable"]:
        return {**asked(), "status": Checks.DEGRADED, "replica": {"age_s": None, "filling": copy["filling"]}}
    found = {"engine": connection.display_name, "replica": {"age_s": round(copy["age"], 1)}}
    if copy["degraded"] or copy["late"]:
        found |= {"status": Checks.DEGRADED, "error": copy["error"] or "no answer in time"}
    return found


def asked() -> dict[str, Any]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    finally:
        connections.close_all()
    return {"engine": connection.display_name}


def storage() -> dict[str, Any]:
    default_storage.exists("health")
    return {"backend": type(default_storage._wrapped).__name__}  # type: ignore[attr-defined]


PARTS: dict[str, Callable[[], dict[str, Any]]] = {"database": database, "storage": storage}


def memory() -> dict[str, Any]:
    """The resident set of this process: now, by Linux's /proc; elsewhere its peak, by getrusage(2)."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        size = int(statm.read_text().split()[1]) * resource.getpagesize()
    else:
        unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, the BSDs kilobytes
        size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return {"status": Checks.HEALTHY, "rss_mb": round(size / 1024**2, 1)}
