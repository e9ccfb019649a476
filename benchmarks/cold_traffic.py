"""People who read lists and like designs at a steady rate, whatever the hosts answer."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.load import Connection
from benchmarks.workloads import Readers

READS, WRITES = 10.0, 0.2  # requests per second
CONNECTIONS = 16  # of each kind to each host, as a load balancer keeps them open
PATIENCE = 30.0  # seconds that a client waits for an answer
Window = tuple[float, float]


@dataclass(frozen=True)
class Answer:
    """One answer: when it was asked for (time.monotonic()), milliseconds, and its status; 0 for none."""

    asked: float
    milliseconds: float
    status: int

    @property
    def is_refused(self) -> bool:
        return not 200 <= self.status < 400


@dataclass
class Target:
    """A host as the load balancer knows it, started at a moment (time.monotonic(); `started_at`: time.time())."""

    url: str
    readers: Readers
    started: float
    started_at: float
    is_ready: bool = False
    ready_at: float | None = None
    went_back: int = 0  # times that it was found not ready any more
    reads: list[Answer] = field(default_factory=list)
    writes: list[Answer] = field(default_factory=list)

    def see(self, is_ready: bool) -> None:
        """Take note of an answer of its /health/ready."""
        if is_ready and self.ready_at is None:
            self.ready_at = time.monotonic()
        self.went_back += self.is_ready and not is_ready
        self.is_ready = is_ready


async def send(targets: list[Target], ended: Callable[[], bool]) -> None:
    """Send both kinds until `ended`; to hosts that are ready in turn, and to all while none is.

    `targets` may change meanwhile.
    """
    async with asyncio.TaskGroup() as group:
        for rate, kind in ((READS, "list"), (WRITES, "favourite")):
            group.create_task(send_kind(targets, kind, rate, ended))


async def send_kind(targets: list[Target], kind: str, rate: float, ended: Callable[[], bool]) -> None:
    pools: dict[str, Pool] = {}
    turn, due = 0, time.monotonic()
    async with asyncio.TaskGroup() as group:
        while not ended():
            due += 1 / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            able = [target for target in targets if target.is_ready] or targets
            target = able[turn % len(able)]
            turn += 1
            make: Callable[[], bytes] = getattr(target.readers, kind)
            found = target.reads if kind == "list" else target.writes
            if target.url not in pools:
                pools[target.url] = Pool(target.url)
            group.create_task(ask(pools[target.url], make(), due, found))


async def ask(pool: "Pool", request: bytes, due: float, found: list[Answer]) -> None:
    status = 0
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(PATIENCE):
            status = int((await pool.ask(request))[9:12])
    found.append(Answer(due, (time.monotonic() - due) * 1000, status))


class Pool:
    """Connections to one host, opened when needed and kept."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.idle: list[Connection] = []
        self.free = asyncio.Semaphore(CONNECTIONS)

    async def ask(self, request: bytes) -> bytes:
        """Return the answer. Raises OSError where the host gives none."""
        async with self.free:
            connection = await self.connection()
            try:
                answer = await connection.ask(request)
            except BaseException:
                connection.transport.close()
                raise
            self.idle.append(connection)
            return answer

    async def connection(self) -> Connection:
        while self.idle:
            connection = self.idle.pop()
            if not connection.transport.is_closing():
                return connection
        return await Connection.to(self.url)
