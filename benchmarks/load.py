"""A client that keeps connections busy: each sends a request, waits for the whole answer, and sends the next.

It shares the machine with what it measures, so it does no more than that; some 20 µs of CPU for each request.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

import uvloop

PATIENCE = 60.0  # seconds for the last answers
Requests = Callable[[], bytes]


@dataclass
class Result:
    """What came of a run: the milliseconds of each answer, and how often each status came."""

    seconds: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    first_failure: bytes = b""

    @property
    def count(self) -> int:
        return len(self.milliseconds)

    @property
    def rate(self) -> float:
        """Answers in a second."""
        return self.count / self.seconds

    def percentile(self, percent: float) -> float:
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]

    @property
    def failures(self) -> int:
        """Answers that were not what was asked for."""
        return sum(count for status, count in self.statuses.items() if status >= 400)


def request(
    host: str, method: str, path: str, *, token: str = "", body: bytes = b"", headers: str = ""
) -> bytes:
    """The bytes of one request; `headers` is more of them, each line ended."""
    if token:
        headers += f"Authorization: Bearer {token}\r\n"
    if body:
        headers += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n".encode() + body


class Connection(asyncio.Protocol):
    """One connection; answers need a Content-Length."""

    def __init__(self, result: Result, requests: Requests, until: float, done: asyncio.Future[None]) -> None:
        self.result, self.requests, self.until, self.done = result, requests, until, done
        self.answer = b""
        self.length = -1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own class is not a subclass
        self.send()

    def send(self) -> None:
        self.started = time.perf_counter()
        if self.started >= self.until:
            self.transport.close()
            self.done.set_result(None)
        else:
            self.transport.write(self.requests())

    def data_received(self, data: bytes) -> None:
        self.answer += data
        if self.length < 0:
            head, end, _ = self.answer.partition(b"\r\n\r\n")
            if not end:
                return
            self.length = len(head) + 4 + content_length(head)
        if len(self.answer) >= self.length:
            self.answered()

    def answered(self) -> None:
        self.result.milliseconds.append((time.perf_counter() - self.started) * 1000)
        status = int(self.answer[9:12])
        self.result.statuses[status] = self.result.statuses.get(status, 0) + 1
        if status >= 400 and not self.result.first_failure:
            self.result.first_failure = self.answer
        self.answer, self.length = b"", -1
        self.send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("The server closed a connection."))


def content_length(head: bytes) -> int:
    """Of an answer without one (304, 204): nothing follows."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def run(url: str, requests: Requests, connections: int, seconds: float) -> Result:
    """Keep so many connections busy for so long."""
    return uvloop.run(keep_busy(url, requests, connections, seconds))


async def keep_busy(url: str, requests: Requests, connections: int, seconds: float) -> Result:
    loop, result, address = asyncio.get_running_loop(), Result(), urlsplit(url)
    start = time.perf_counter()
    ends = []
    for _ in range(connections):
        done = loop.create_future()
        ends.append(done)

        def protocol(done: asyncio.Future[None] = done) -> Connection:
            return Connection(result, requests, start + seconds, done)

        await loop.create_connection(protocol, address.hostname, address.port)
    async with asyncio.timeout(seconds + PATIENCE):
        await asyncio.gather(*ends)
    result.seconds = time.perf_counter() - start
    return result
