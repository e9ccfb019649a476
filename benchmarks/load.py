"""A client that keeps connections busy: each sends a request, waits for the complete answer, and sends the next.

It shares the machine with the server, so it does nothing else: about 20 µs of CPU per request.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

import uvloop

LAST_ANSWERS = 120.0  # seconds
LAST_CHUNK = b"\r\n0\r\n\r\n"
Requests = Callable[[], bytes]


@dataclass
class Result:
    """The result of a run: the milliseconds of each answer, and the number of answers by status."""

    seconds: float = 0.0
    milliseconds: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    first_failure: bytes = b""

    def add(self, asked: float, answer: bytes) -> None:
        """Record an answer to a request sent at that time (time.perf_counter())."""
        self.milliseconds.append((time.perf_counter() - asked) * 1000)
        status = int(answer[9:12])
        self.statuses[status] = self.statuses.get(status, 0) + 1
        if status >= 400 and not self.first_failure:
            self.first_failure = answer

    @property
    def count(self) -> int:
        return len(self.milliseconds)

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.count / self.seconds

    def percentile(self, percent: float) -> float:
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]

    @property
    def failures(self) -> int:
        """The number of answers with an error status."""
        return sum(count for status, count in self.statuses.items() if status >= 400)


def request(
    host: str, method: str, path: str, *, token: str = "", body: bytes = b"", headers: str = ""
) -> bytes:
    """Return the bytes of one request; `headers` are additional ones, each with its line end."""
    if token:
        headers += f"Authorization: Bearer {token}\r\n"
    if body:
        headers += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n".encode() + body


class Connection(asyncio.Protocol):
    """A kept connection with one request at a time."""

    waiting: asyncio.Future[bytes] | None = None
    is_chunked = False
    is_last = False  # the server ends the connection after this answer

    @classmethod
    async def to(cls, url: str) -> "Connection":
        address = urlsplit(url)
        host, port = address.hostname or "", address.port or 80
        _, connection = await asyncio.get_running_loop().create_connection(cls, host, port)
        return connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own class is not a subclass

    async def ask(self, request: bytes) -> bytes:
        """Return the complete answer. Raises ConnectionError if the server closes the connection before."""
        self.answer, self.length = b"", -1
        self.waiting = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self.waiting

    def data_received(self, data: bytes) -> None:
        self.answer += data
        if self.length < 0:
            head, end, _ = self.answer.partition(b"\r\n\r\n")
            if not end:
                return
            self.length = len(head) + 4 + content_length(head)
            # gunicorn sends so what has no Content-Length, as the 503 of a host that fills its copy.
            head = head.lower()
            self.is_chunked = b"transfer-encoding: chunked" in head
            self.is_last = b"connection: close" in head
        is_whole = self.answer.endswith(LAST_CHUNK) if self.is_chunked else len(self.answer) >= self.length
        if is_whole and self.waiting and not self.waiting.done():
            self.waiting.set_result(self.answer)

    def connection_lost(self, error: Exception | None) -> None:
        if self.waiting and not self.waiting.done():
            self.waiting.set_exception(error or ConnectionError("The server closed the connection."))


def content_length(head: bytes) -> int:
    """Return the length of the body; 0 for an answer without the header (304, 204)."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def run(url: str, requests: Requests, connections: int, seconds: float) -> Result:
    """Keep that many connections busy for that many seconds."""
    return uvloop.run(keep_busy(url, requests, connections, seconds))


async def keep_busy(url: str, requests: Requests, connections: int, seconds: float) -> Result:
    result, start = Result(), time.perf_counter()

    async def be_busy(connection: Connection) -> None:
        while (asked := time.perf_counter()) < start + seconds:
            result.add(asked, await connection.ask(requests()))
            if connection.is_last:
                connection.transport.close()
                connection = await Connection.to(url)
        connection.transport.close()

    opened = [await Connection.to(url) for _ in range(connections)]
    start = time.perf_counter()
    async with asyncio.timeout(seconds + LAST_ANSWERS):
        await asyncio.gather(*(be_busy(one) for one in opened))
    result.seconds = time.perf_counter() - start
    return result
