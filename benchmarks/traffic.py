"""Ten minutes of 1,000 users within Cloudflare's allowance of calls to D1: `make bench-traffic`.

Every user asks something each 10 s, 1 % of it writes. The proxy before D1's engine refuses what exceeds 1,200 requests
in 5 minutes, and then everything for 5 minutes, as Cloudflare does. SPEED= (5) is how much faster all of it goes: the
users, the allowance's window, and what the server does by the clock (following D1, writing views); the 50 ms to D1
stay. SIZE= designs (10,000).
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
from benchmarks.load import Line, Result
from benchmarks.workloads import Readers
from d1backend.local import D1Local
from devtools.ports import free_port

USERS, PAUSE, MINUTES = 1000, 10.0, 10
WRITING = 0.01
ALLOWED, WINDOW = 1200, 300.0  # requests in so many seconds
CONNECTIONS = 64  # what a load balancer keeps open
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
    clocks = {"REPLICA_MAX_AGE": str(2 / speed), "VIEW_FLUSH_SECONDS": str(5 / speed)}
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
    tell(result, began, calls - began, refused)
    if result.failures:
        sys.exit(f"{result.failures} requests failed: {result.statuses}\n{result.first_failure.decode()}")


async def traffic(url: str, readers: Readers, rate: float, seconds: float) -> Result:
    """Requests at random times, `rate` a second on average, whether or not the server keeps up."""
    result, chance = Result(), random.Random(1)
    waiting: asyncio.Queue[tuple[float, bytes] | None] = asyncio.Queue()

    async def serve(line: Line) -> None:
        while (one := await waiting.get()) is not None:
            result.add(one[0], await line.ask(one[1]))
        line.transport.close()

    tasks = [asyncio.create_task(serve(await Line.to(url))) for _ in range(CONNECTIONS)]
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
    work: Callable[[], bytes] = getattr(readers, name)
    return work


def tell(result: Result, began: int, calls: int, refused: int) -> None:
    allowed = ALLOWED * MINUTES * 60 / WINDOW
    sys.stdout.write(
        f"{result.count:,} requests in {result.seconds:.0f} s, {result.failures} failed; "
        f"p50 {result.percentile(50):.1f} ms, p99 {result.percentile(99):.1f} ms\n"
        f"requests to D1: {calls:,} of {allowed:,.0f} allowed, {refused} refused (and {began} to fill the replica)\n"
    )


if __name__ == "__main__":
    main()
