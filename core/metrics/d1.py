"""Calls to D1: counted by what d1backend signals, and this host's share of the account's allowance."""

from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from prometheus_client import Counter, Histogram

from core.metrics.gauges import HostGauge
from core.metrics.requests import BUCKETS
from d1backend import events
from d1backend.options import settings_of
from d1backend.protocol.breaker import breaker_of
from d1backend.protocol.budget import budget_of
from d1backend.protocol.rate_limit import Limit

REQUESTS = Counter("gallery_d1_requests", "Requests to D1", ["spender", "outcome"])
SECONDS = Histogram("gallery_d1_request_seconds", "Seconds of a request to D1", ["spender"], buckets=BUCKETS)
ROWS_READ = Counter("gallery_d1_rows_read", "Rows read that D1 bills")
ROWS_WRITTEN = Counter("gallery_d1_rows_written", "Rows written that D1 bills")
REPEATED = Counter("gallery_d1_repeated_requests", "Requests that were sent again", ["reason"])
REFUSED = Counter("gallery_d1_refused_calls", "Calls that were not sent", ["reason", "spender"])
OUTAGES = Counter("gallery_d1_outages", "Times that D1 was found out of reach")
UNKNOWN = Counter("gallery_d1_unknown_outcomes", "Writes of which it was not known whether they were done")
SETTLED = Counter("gallery_d1_settled_outcomes", "What D1 said of such a write", ["result"])

OUT_OF_REACH = HostGauge("gallery_d1_out_of_reach", "Whether D1 was out of reach when it was last asked")
BLOCKED = HostGauge(
    "gallery_d1_blocked_seconds", "Seconds for which D1 takes no call of the account, after a 429"
)
SHARE = HostGauge("gallery_d1_share_calls", "Calls that this host may make in five minutes")
LEFT = HostGauge("gallery_d1_left_calls", "Calls of its share that this host has left")
USED = HostGauge("gallery_d1_used_calls", "Calls of this host in the last five minutes", ["spender"])


def count_request(sender: type, *, spender: str, outcome: str, seconds: float, **signal: Any) -> None:
    REQUESTS.labels(spender, outcome).inc()
    SECONDS.labels(spender).observe(seconds)


def count_rows(sender: type, *, rows_read: int, rows_written: int, **signal: Any) -> None:
    ROWS_READ.inc(rows_read)
    ROWS_WRITTEN.inc(rows_written)


def count_repeated(sender: type, *, reason: str, **signal: Any) -> None:
    REPEATED.labels(reason).inc()


def count_refused(sender: type, *, reason: str, spender: str, **signal: Any) -> None:
    REFUSED.labels(reason, spender).inc()


def count_outage(sender: type, **signal: Any) -> None:
    OUTAGES.inc()


def count_unknown(sender: type, **signal: Any) -> None:
    UNKNOWN.inc()


def count_settled(sender: type, *, applied: bool | None, **signal: Any) -> None:
    SETTLED.labels({True: "done", False: "not_done", None: "unknown"}[applied]).inc()


def listen() -> None:
    """Count from now on what d1backend signals."""
    events.request_ended.connect(count_request)
    events.rows_billed.connect(count_rows)
    events.request_repeated.connect(count_repeated)
    events.call_refused.connect(count_refused)
    events.outage_began.connect(count_outage)
    events.outcome_lost.connect(count_unknown)
    events.outcome_settled.connect(count_settled)


def read() -> None:
    """Read the gauges, from files of this host. Without D1 there are none."""
    entry = connections.settings[DEFAULT_DB_ALIAS]
    if entry["ENGINE"] != "d1backend":
        return
    settings = settings_of(DEFAULT_DB_ALIAS, entry)
    breaker = breaker_of(settings, entry["NAME"])
    OUT_OF_REACH.set(breaker is not None and breaker.is_out_of_reach)
    BLOCKED.set(Limit.of(settings).seconds_left())
    budget = budget_of(settings)
    used = budget.used_by()
    for spender, calls in used.items():
        USED.set(calls, spender.value)
    if budget.share:
        SHARE.set(budget.share)
        LEFT.set(max(0, budget.share - sum(used.values())))
