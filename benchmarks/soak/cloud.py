"""D1 and the store behind proxies in a process of their own, which fail on command."""

import contextlib
import itertools
import math
import multiprocessing
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection

from benchmarks.bench import LATENCY
from benchmarks.soak.schedule import OUTAGE
from devtools import fault_plan as plans
from devtools.fault_plan import Fault, Plan, RateLimit, Request
from devtools.fault_proxy import FaultProxy
from devtools.prod_like import ALLOWANCE, WINDOW, answer_of_cloudflare
from devtools.store_proxy import StoreProxy, no_fault

SPAWNED = multiprocessing.get_context("spawn")
# The engine gets some of them all the same: before its answer is lost, or late.
HUNG = (plans.SLOW_BEFORE, plans.SLOW_AFTER, plans.SLOW_LATE)
FAILED = (plans.SERVER_ERROR_BEFORE, plans.SERVER_ERROR_AFTER)
STORE_FAULTS = {"refused": "cut", "hung": "hang", "429": "throttle", "500": "refuse"}


@dataclass
class SoakCloud:
    """The addresses of D1 and of the store as the service sees them."""

    d1_url: str
    store_url: str
    pipe: Connection

    def fail(self, place: str, kind: str) -> None:
        """Let a place fail in that way until it is "back"."""
        self.call(f"{place} {kind}")

    def lift_allowance(self) -> None:
        """Let D1 take any number of requests from now on."""
        self.call("allowance")

    def counts(self) -> tuple[int, int]:
        """Return the requests to D1 so far, and how many of them the allowance refused."""
        return self.call("counts")

    def call(self, command: str) -> tuple[int, int]:
        self.pipe.send(command)
        found: tuple[int, int] = self.pipe.recv()
        return found


@contextlib.contextmanager
def soak_cloud(engine: str, token: str, store: str) -> Iterator[SoakCloud]:
    """Run the proxies in front of D1's engine, which takes `token`, and of the S3 server."""
    here, there = SPAWNED.Pipe()
    process = SPAWNED.Process(target=serve, args=(there, engine, token, store), daemon=True)
    process.start()
    try:
        d1_url, store_url = here.recv()
        yield SoakCloud(d1_url, store_url, here)
    finally:
        process.terminate()
        process.join()


def serve(
    pipe: Connection, engine: str, token: str, store_url: str
) -> None:  # pragma: no cover  it runs in another process
    rate = RateLimit(ALLOWANCE, WINDOW)
    store = StoreProxy(store_url)
    with (
        FaultProxy(engine, latency=LATENCY, rate=rate) as d1,
        contextlib.suppress(EOFError, KeyboardInterrupt),
    ):
        account = Account(token)
        d1.plan = account.answer
        pipe.send((d1.url, store.endpoint))
        while True:
            place, _, kind = pipe.recv().partition(" ")
            if place == "d1":
                fail_d1(d1, account, kind)
            elif place == "store":
                fail_store(store, kind)
            elif place == "allowance":
                d1.rate = None
            pipe.send((d1.count, d1.refused))


@dataclass
class Account:
    """Cloudflare's account before the engine; `failing` decides first what becomes of a request."""

    token: str
    failing: Plan | None = None

    def answer(self, number: int, request: Request) -> Fault | None:
        fault = self.failing(number, request) if self.failing else None
        return fault or answer_of_cloudflare(request, self.token)


def fail_d1(proxy: FaultProxy, account: Account, kind: str) -> None:
    account.failing = plan_of(kind, time.monotonic() + OUTAGE)
    if kind == "refused":
        proxy.go_down()
    elif kind == "back":
        proxy.come_up()


def plan_of(kind: str, until: float, now: Callable[[], float] = time.monotonic) -> Plan | None:
    """Return what D1 does to each request until that moment; None where no request reaches it, or all is well."""
    if kind == "429":
        return lambda number, request: plans.rate_limited(str(max(1, math.ceil(until - now()))))
    if kind in ("hung", "500"):
        turn = itertools.cycle(HUNG if kind == "hung" else FAILED)
        return lambda number, request: next(turn)
    return None


def fail_store(proxy: StoreProxy, kind: str) -> None:
    if kind == "back":
        proxy.fault = no_fault
        proxy.released.set()
        proxy.come_up()
        return
    fault = STORE_FAULTS[kind]
    proxy.released.clear()
    proxy.fault = lambda method, path: fault
    if kind == "refused":
        proxy.go_down()
