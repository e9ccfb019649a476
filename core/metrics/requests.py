"""Requests: how many, how long, what they asked of D1, and those that a limit refused."""

from prometheus_client import Counter, Histogram

from core.routes import method_of

# Seconds: a read of the copy takes 1 to 10 ms, a write on D1 50 to 500, an upload seconds.
BUCKETS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

REQUESTS = Counter("gallery_requests", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram(
    "gallery_request_seconds", "Seconds from request to response", ["method", "route"], buckets=BUCKETS
)
ROUND_TRIPS = Counter("gallery_database_round_trips", "Calls to D1 that requests waited for")
THROTTLED = Counter("gallery_throttled_requests", "Refusals by a limit on calls", ["limit"])
CONFLICTS = Counter("gallery_write_conflicts", "Writes that lost against another one, and ran again")
REDIS_FAILURES = Counter("gallery_redis_failures", "Times that Redis was found away")


def observe(method: str, route: str, status: int, seconds: float, round_trips: int) -> None:
    """Count one response. `route` is core.routes.route_of() of its request."""
    # A client may send any word as its method, and each label value makes a series for ever.
    known = method_of(method)
    REQUESTS.labels(known, route, str(status)).inc()
    SECONDS.labels(known, route).observe(seconds)
    if round_trips:
        ROUND_TRIPS.inc(round_trips)
