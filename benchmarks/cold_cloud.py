"""D1 as several hosts see it: one account's allowance, an address for each host, and outages on command."""

import contextlib
import multiprocessing
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Literal

from devtools.fault_plan import SLOW_BEFORE, Fault, RateLimit, always
from devtools.fault_proxy import FaultProxy

Outage = Literal["away", "hung"]
SPAWNED = multiprocessing.get_context("spawn")


class HostLimit(RateLimit):
    """The account's allowance as one host uses it; `times` are its requests (time.monotonic()), refused ones too."""

    def __init__(self, account: RateLimit, lock: threading.Lock) -> None:
        super().__init__(account.requests, account.window)
        self.account, self.lock = account, lock
        self.times: list[float] = []

    def refuse(self) -> Fault | None:
        with self.lock:
            self.times.append(time.monotonic())
            return self.account.refuse()


@dataclass
class ColdCloud:
    """Proxies in a separate process; `urls` has one address for each host."""

    urls: list[str]
    pipe: Connection

    def begin(self, outage: Outage) -> None:
        """Let D1 be away (connections are refused) or hung (no request is answered) until end()."""
        self.call(outage)

    def end(self) -> None:
        self.call("back")

    def request_times(self) -> list[list[float]]:
        """Return when each host sent its requests (time.monotonic())."""
        return self.call("times")

    def call(self, command: str) -> list[list[float]]:
        self.pipe.send(command)
        found: list[list[float]] = self.pipe.recv()
        return found


@contextlib.contextmanager
def cold_cloud(
    upstream: str, hosts: int, latency: float, requests: int, window: float
) -> Iterator[ColdCloud]:
    """Run a proxy for each host in front of `upstream`; together they have `requests` in `window` seconds."""
    here, there = SPAWNED.Pipe()
    process = SPAWNED.Process(
        target=serve, args=(there, upstream, hosts, latency, requests, window), daemon=True
    )
    process.start()
    try:
        yield ColdCloud(here.recv(), here)
    finally:
        process.terminate()
        process.join()


def serve(
    pipe: Connection, upstream: str, hosts: int, latency: float, requests: int, window: float
) -> None:  # pragma: no cover  it runs in another process
    account, lock = RateLimit(requests, window), threading.Lock()
    limits = [HostLimit(account, lock) for _ in range(hosts)]
    with contextlib.ExitStack() as stack, contextlib.suppress(EOFError, KeyboardInterrupt):
        proxies = [stack.enter_context(FaultProxy(upstream, latency=latency, rate=limit)) for limit in limits]
        pipe.send([proxy.url for proxy in proxies])
        while True:
            command = pipe.recv()
            for proxy in proxies:
                obey(proxy, command)
            pipe.send([limit.times for limit in limits])


def obey(proxy: FaultProxy, command: str) -> None:
    if command == "away":
        proxy.go_down()
    elif command == "hung":
        proxy.plan = always(SLOW_BEFORE)
    elif command == "back":
        proxy.plan = None
        proxy.come_up()
