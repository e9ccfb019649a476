"""`make bench-traffic` runs ten minutes of 1,000 users within Cloudflare's quota of calls to D1.

Every user sends a request each 10 s; 1 % of them write. The proxy in front of D1's engine refuses the 1,201st request
within 5 minutes, and then everything for 5 minutes, like Cloudflare. SPEED= (5) accelerates the users, the window of
the quota, and the server's periodic work (following D1, writing views); the 50 ms to D1 stay. SIZE= is the number of
designs (10,000).
"""

import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import uvloop

from benchmarks import cloud, systems
from benchmarks.bench import LATENCY, host_of
from benchmarks.load import Connection, Result
from benchmarks.workloads import Readers
from d1backend.local import D1Local
from devtools.ports import free_port

USERS, PAUSE, MINUTES = 1000, 10.0, 10
WRITING = 0.01
ALLOWED, WINDOW = 1200, 300.0  # requests per seconds
CONNECTIONS = 64  # as a load balancer keeps them open
MIX = {
    "list": 35,
    "detail": 35,
    "filtered_list": 8,
    "search": 8,
    "facets": 5,
    "featured": 4,
    "favourites": 5,
}
WRITES = {"favourite": 80, "unfavourite": 15, "login": 5}


def main() -> None:
    size, speed = int(os.environ.get("SIZE") or 10_000), float(os.environ.get("SPEED") or 5)
    clocks = {"REPLICA_MAX_AGE": str(2 / speed), "VIEW_FLUSH_SECONDS": str(10 / speed)}
    with tempfile.TemporaryDirectory(prefix="gallery-traffic-") as folder, D1Local() as d1:
        data, database = Path(folder), cloud.new_database(d1)
        near = cloud.variables(database, d1.url, d1.token)
        tokens = systems.fill(size, USERS, systems.environment(data, REPLICA="off", **near))
        with cloud.proxied(d1.url, LATENCY, (ALLOWED, WINDOW / speed)) as proxy:
            far = cloud.variables(database, proxy.url, d1.token)
            port, env = free_port(), systems.environment(data, **far, **clocks)
            with systems.gallery(data, port, env) as system:
                began, _ = proxy.counts()
                seconds = MINUTES * 60 / speed
                readers = Readers(host_of(system), tokens, size)
                result = uvloop.run(traffic(system.url, readers, USERS / PAUSE * speed, seconds))
            calls, refused = proxy.counts()
    print_result(result, began, calls - began, refused)
    if result.failures:
        sys.exit(f"{result.failures} requests failed: {result.statuses}\n{result.first_failure.decode()}")


async def traffic(url: str, readers: Readers, rate: float, seconds: float) -> Result:
    """Send requests at random times, on average `rate` per second, even if the server falls behind."""
    result, chance = Result(), random.Random(1)
    waiting: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()

    async def serve(connection: Connection) -> None:
        while (one := await waiting.get()) is not None:
            result.add(one[0], await connection.ask(one[1]))
        connection.transport.close()

    tasks = [asyncio.create_task(serve(await Connection.to(url))) for _ in range(CONNECTIONS)]
    start = due = time.perf_counter()
    while due < start + seconds:
        due += chance.expovariate(rate)
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        waiting.put_nowait((due, next_request(readers, chance)()))
    for _ in tasks:
        waiting.put_nowait(None)
    await asyncio.gather(*tasks)
    result.seconds = time.perf_counter() - start
    return result


def next_request(readers: Readers, chance: random.Random) -> Callable[[], bytes]:
    shares = WRITES if chance.random() < WRITING else MIX
    (name,) = chance.choices(list(shares), list(shares.values()))
    make_request: Callable[[], bytes] = getattr(readers, name)
    return make_request


def print_result(result: Result, began: int, calls: int, refused: int) -> None:
    allowed = ALLOWED * MINUTES * 60 / WINDOW
    sys.stdout.write(
        f"{result.count:,} requests in {result.seconds:.0f} s, {result.failures} failed; "
        f"p50 {result.percentile(50):.1f} ms, p99 {result.percentile(99):.1f} ms\n"
        f"Requests to D1: {calls:,} of {allowed:,.0f} allowed, {refused} refused (and {began} to fill the replica)\n"
    )


if __name__ == "__main__":
    main()
