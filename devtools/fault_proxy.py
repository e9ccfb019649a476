"""A proxy between a client and D1's API that fails on command, over real sockets.

In process, in a thread of its own:

    with FaultProxy(engine.url) as proxy:
        proxy.plan = [None, RESET_AFTER]           # the second request from now on fails, all others pass
        proxy.plan = every(3, FAULTS)              # or a function: (number, request) -> Fault | None
        ... proxy.url ... proxy.count, proxy.faults, proxy.connections, proxy.log

As a command, for benchmarks:

    python -m devtools.fault_proxy --upstream http://127.0.0.1:8787 --latency-ms 50 --rate 1200/300
"""

import argparse
import asyncio
import contextlib
import signal
import socket
import struct
import sys
import threading
from collections import deque
from collections.abc import Coroutine, Sequence
from urllib.parse import urlsplit

from devtools.fault_plan import PASSING, Fault, Plan, RateLimit, Request, every

_REASONS = {200: "OK", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests"}


class FaultProxy:
    """Forwards HTTP/1.1 to `upstream`, with faults by plan; `url` keeps the upstream's path."""

    def __init__(
        self, upstream: str, *, port: int = 0, latency: float = 0.0, rate: RateLimit | None = None
    ) -> None:
        parts = urlsplit(upstream)
        self._upstream = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._path = parts.path
        self.port, self.latency, self.rate = port, latency, rate
        self.count = self.connections = self.refused = 0
        self.faults: list[str] = []
        self.log: deque[tuple[Request, Fault | None]] = deque(maxlen=5000)
        self._plan: Plan | None = None
        self._clients: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._late: set[asyncio.Task[None]] = set()
        self._hanging = 0
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self._path}"

    @property
    def plan(self) -> Plan | None:
        return self._plan

    @plan.setter
    def plan(self, plan: Plan | Sequence[Fault | None] | None) -> None:
        """Set a function, or a list for the requests from now on, and reset the counts."""
        if plan is not None and not callable(plan):
            left = iter(plan)
            plan = lambda number, request: next(left, None)  # noqa: E731
        self.count = 0
        self.faults = []
        self.log.clear()
        self._plan = plan

    # Running in a separate thread

    def __enter__(self) -> "FaultProxy":
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fault-proxy", daemon=True)
        self._thread.start()
        self._do(self.start())
        return self

    def __exit__(self, *exc: object) -> None:
        self._do(self.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, coroutine: Coroutine[None, None, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    def go_down(self) -> None:
        """Refuse new connections and reset the open ones, until come_up()."""
        self._do(self._down())

    def come_up(self) -> None:
        self._do(self.start())

    def settle(self) -> None:
        """Wait until the clients of unanswered requests have left and late requests have reached the engine."""
        self._do(self._settled())

    async def _settled(self) -> None:
        while self._hanging or self._late:
            await asyncio.sleep(0.005)

    async def start(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _down(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._clients):
            _reset(writer)

    async def stop(self) -> None:
        await self._down()
        tasks = [*self._tasks, *self._late]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # Serving

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._clients.add(writer)
        self.connections += 1
        engine = _Engine(self._upstream)
        try:
            number = self.connections
            while (message := await _read(reader)) is not None:
                (method, path, _), headers, body = message
                await self._handle(Request(method, path, headers, body, number), reader, writer, engine)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._clients.discard(writer)
            self._tasks.discard(task)
            engine.close()
            writer.close()

    async def _handle(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, engine: "_Engine"
    ) -> None:
        self.count += 1
        fault = self.rate.refuse() if self.rate else None
        self.refused += fault is not None
        if fault is None and self._plan is not None:
            fault = self._plan(self.count, request)
        self.log.append((request, fault))
        if fault is not None:
            self.faults.append(fault.name)
        if self.latency:
            await asyncio.sleep(self.latency)
        if fault is None:
            writer.write(_answer(*await engine.ask(request)))
            return
        code, headers, body = await engine.ask(request) if fault.forward else (fault.status, {}, b"")
        await self._fail(fault, request, reader, writer, (code, headers, body))

    async def _fail(
        self,
        fault: Fault,
        request: Request,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        answer: tuple[int, dict[str, str], bytes],
    ) -> None:
        if isinstance(fault.answer, bytes):
            kind = "text/html" if fault.answer.startswith(b"<") else "application/json"
            writer.write(_answer(fault.status, {"content-type": kind, **dict(fault.headers)}, fault.answer))
        elif fault.answer == "truncated":
            writer.write(_answer(answer[0], answer[1], answer[2][: len(answer[2]) // 2]))
        elif fault.answer == "hang":
            self._hanging += 1
            await reader.read(1)
            self._hanging -= 1
            if fault.late is not None:
                self._later(request, fault.late)
            raise ConnectionResetError
        elif fault.answer == "drip":
            await self._drip(writer, _answer(*answer))
        else:
            if fault.answer == "cut":
                whole = _answer(*answer)
                writer.write(whole[: len(whole) - len(answer[2]) // 2 - 1])
                await writer.drain()
            _reset(writer)
            if fault.down:
                await self._down()
                await asyncio.sleep(fault.down)
                await self.start()
            raise ConnectionResetError

    async def _drip(self, writer: asyncio.StreamWriter, message: bytes) -> None:
        """Send a message a byte at a time, until the client leaves."""
        self._hanging += 1
        try:
            for byte in message:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(0.05)
        finally:
            self._hanging -= 1

    def _later(self, request: Request, seconds: float) -> None:
        async def forward() -> None:
            await asyncio.sleep(seconds)
            engine = _Engine(self._upstream)
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await engine.ask(request)
            engine.close()

        task = asyncio.get_running_loop().create_task(forward())
        self._late.add(task)
        task.add_done_callback(self._late.discard)


class _Engine:
    """One connection to the engine behind the proxy, opened at the first request."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        if self._streams is not None and self._streams[0].at_eof():
            self.close()  # the engine ends connections that were idle for long
            self._streams = None
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._address)
        reader, writer = self._streams
        headers = {k: v for k, v in request.headers.items() if k not in ("host", "accept-encoding")}
        headers |= {
            "host": f"{self._address[0]}:{self._address[1]}",
            "content-length": str(len(request.body)),
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(
            f"{request.method} {request.path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + request.body
        )
        message = await _read(reader)
        if message is None:
            raise ConnectionResetError("The engine closed the connection.")
        (_, code, _), headers, body = message
        return int(code), headers, body

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


async def _read(reader: asyncio.StreamReader) -> tuple[list[str], dict[str, str], bytes] | None:
    """Read a message: the first line's three words, the headers and the body. None at the end of the stream."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").rstrip().split("\r\n")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    words = [*first.split(" ", 2), ""][:3]
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return words, headers, await _read_chunks(reader)
    return words, headers, await reader.readexactly(int(headers.get("content-length") or 0))


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
    return b"".join(parts)


def _answer(code: int, headers: dict[str, str], body: bytes) -> bytes:
    dropped = ("content-length", "transfer-encoding", "connection", "keep-alive")
    kept = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if name.lower() not in dropped)
    head = f"HTTP/1.1 {code} {_REASONS.get(code, 'Error')}\r\n{kept}Content-Length: {len(body)}\r\n\r\n"
    return head.encode("latin-1") + body


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with a TCP reset, like a crashed peer."""
    raw = writer.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def _main(proxy: FaultProxy) -> None:
    await proxy.start()
    sys.stdout.write(f"{proxy.url}\n")
    sys.stdout.flush()
    ended = asyncio.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_number, ended.set)
    await ended.wait()
    await proxy.stop()
    sys.stderr.write(f"{proxy.count} requests on {proxy.connections} connections, {proxy.refused} refused\n")


def main() -> None:
    parser = argparse.ArgumentParser(description="A proxy to D1's API with latency, a rate limit and faults.")
    parser.add_argument("--upstream", required=True, help="the engine: http://127.0.0.1:8787")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one and prints the URL")
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--rate", type=RateLimit.parse, help="requests/seconds: 1200/300 is Cloudflare's")
    parser.add_argument("--fault-every", type=int, metavar="N", help="a fault in each Nth request")
    options = parser.parse_args()
    proxy = FaultProxy(
        options.upstream, port=options.port, latency=options.latency_ms / 1000, rate=options.rate
    )
    if options.fault_every:
        proxy.plan = every(options.fault_every, PASSING)
    asyncio.run(_main(proxy))


if __name__ == "__main__":
    main()
