"""D1 for benchmarks: its engine on this machine, and a proxy that adds the distance to Cloudflare."""

import asyncio
import contextlib
import multiprocessing
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection

from d1backend.local import D1Local
from d1backend.options import Settings
from d1backend.protocol.api import Api
from devtools.fault_plan import RateLimit
from devtools.fault_proxy import FaultProxy

ACCOUNT = "benchmark"
SPAWNED = multiprocessing.get_context("spawn")


@dataclass
class Proxy:
    """A proxy in a separate process, so that it does not slow the client down."""

    url: str
    pipe: Connection

    def counts(self) -> tuple[int, int]:
        """Return the number of requests so far, and of those refused by the quota."""
        self.pipe.send(None)
        found: tuple[int, int] = self.pipe.recv()
        return found


@contextlib.contextmanager
def proxied(upstream: str, latency: float, quota: tuple[int, float] | None = None) -> Iterator[Proxy]:
    """Run a proxy in front of `upstream` that adds `latency` seconds; `quota` is (requests, seconds)."""
    here, there = SPAWNED.Pipe()
    process = SPAWNED.Process(target=serve, args=(there, upstream, latency, quota), daemon=True)
    process.start()
    try:
        yield Proxy(here.recv(), here)
    finally:
        process.terminate()
        process.join()


def serve(
    pipe: Connection, upstream: str, latency: float, quota: tuple[int, float] | None
) -> None:  # pragma: no cover  it runs in another process
    rate = RateLimit(*quota) if quota else None
    proxy = FaultProxy(upstream, latency=latency, rate=rate)

    def answer() -> None:
        pipe.recv()
        pipe.send((proxy.count, proxy.refused))

    async def main() -> None:
        await proxy.start()
        pipe.send(proxy.url)
        asyncio.get_running_loop().add_reader(pipe.fileno(), answer)
        await asyncio.Event().wait()

    with contextlib.suppress(EOFError, KeyboardInterrupt):
        asyncio.run(main())


def new_database(d1: D1Local, name: str = "benchmark") -> str:
    """Create an empty database and return its id."""
    return Api(Settings(account_id=ACCOUNT, api_token=d1.token, base_url=d1.url)).create(name)


def variables(database: str, url: str, token: str) -> dict[str, str]:
    """Return the environment that connects a server to a database on D1 at the address `url`."""
    return {
        "CLOUDFLARE_ACCOUNT_ID": ACCOUNT,
        "CLOUDFLARE_D1_DATABASE_ID": database,
        "CLOUDFLARE_API_TOKEN": token,
        "CLOUDFLARE_D1_BASE_URL": url,
    }
