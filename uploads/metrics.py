"""Metrics of images: calls to their store, and the memory in which they are decoded."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from prometheus_client import Counter, Histogram

from core.metrics.requests import BUCKETS

F = TypeVar("F", bound=Callable[..., Any])

STORE_SECONDS = Histogram(
    "gallery_store_call_seconds",
    "Seconds of a call to the image store",
    ["operation", "outcome"],
    buckets=BUCKETS,
)
DECODING_WAIT = Histogram(
    "gallery_decoding_wait_seconds", "Seconds until a picture found memory to be decoded in", buckets=BUCKETS
)
DECODING_REFUSED = Counter(
    "gallery_decoding_refused", "Pictures refused because no memory was free to decode them"
)


def measured(operation: str) -> Callable[[F], F]:
    """Let a method of a store be counted and timed under the name of an operation."""

    def decorate(method: F) -> F:
        @wraps(method)
        def call(*args: Any, **kwargs: Any) -> Any:
            start, outcome = time.perf_counter(), "failed"
            try:
                found = method(*args, **kwargs)
                outcome = "missing" if found is None and operation == "get" else "done"
                return found
            finally:
                STORE_SECONDS.labels(operation, outcome).observe(time.perf_counter() - start)

        return call  # type: ignore[return-value]

    return decorate
