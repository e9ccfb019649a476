"""Two hundred slow clients of each kind, with two hundred lists a second beside them."""

import contextlib
import socket
import time
from collections.abc import Callable, Iterator

from tests.e2e.raw_http import Wire, chunk
from tests.wire.host import FORM, JSON, LIST, MEGABYTE, Host
from tests.wire.reads import Reading
from tests.wire.table import Table

CLIENTS = 200
SECONDS = 20.0
RATE, CONNECTIONS = 200, 16
MOST_SECONDS, MOST_GROWTH = 0.5, 50  # p99 of the lists; MB
PIECE, PAUSE = 1000, 0.5  # bytes, seconds: 2 kB/s
Behaviour = Callable[[Host], Iterator[Wire]]  # opens one connection, then does a little at each step


def half_heads(host: Host) -> Iterator[Wire]:
    """half a head, then two bytes a second"""
    wire = host.wire()
    wire.send(b"GET /api/designs HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    yield wire
    while True:
        trickle(wire, b"a")
        yield wire


def slow_bodies(host: Host) -> Iterator[Wire]:
    """an upload at 2 kB/s"""
    yield from sending(host, host.wire(), "POST", "/api/upload/image", FORM, host.bearer)


def slow_small_bodies(host: Host) -> Iterator[Wire]:
    """60 kB for the sign-in at 2 kB/s"""
    yield from sending(host, host.wire(), "POST", "/api/auth/login", JSON, size=60_000)


def slow_chunks(host: Host) -> Iterator[Wire]:
    """a body in chunks at 2 kB/s"""
    wire = host.wire()
    wire.send(wire.head("POST", "/api/upload/image", FORM, host.bearer, "Transfer-Encoding: chunked"))
    yield wire
    while True:
        trickle(wire, chunk(bytes(PIECE // 10)) * 10)
        yield wire


def tiny_chunks(host: Host) -> Iterator[Wire]:
    """a body in chunks of one byte, as fast as it is taken"""
    wire = host.wire()
    wire.send(wire.head("POST", "/api/auth/login", JSON, "Transfer-Encoding: chunked"))
    yield wire
    while True:
        trickle(wire, chunk(b" ") * 10_000)
        yield wire


def refused_bodies(host: Host) -> Iterator[Wire]:
    """an upload that was refused, and goes on at 2 kB/s"""
    yield from sending(host, host.wire(), "POST", "/api/upload/image", FORM, host.expired)


def announced(host: Host) -> Iterator[Wire]:
    """a body that is announced and never sent"""
    wire = host.wire()
    wire.send(wire.head("POST", "/api/upload/image", FORM, host.bearer, f"Content-Length: {5 * MEGABYTE}"))
    while True:
        yield wire


def announced_small(host: Host) -> Iterator[Wire]:
    """20 bytes that are announced and never sent"""
    wire = host.wire()
    wire.send(wire.head("POST", "/api/auth/login", JSON, "Content-Length: 20"))
    while True:
        yield wire


def silent(host: Host) -> Iterator[Wire]:
    """a connection without a byte"""
    wire = host.wire()
    while True:
        yield wire


def slow_readers(host: Host) -> Iterator[Wire]:
    """a picture of 6 MB, read at 2 kB/s"""
    wire = narrow(host)
    wire.send(wire.head("GET", host.picture))
    yield wire
    while True:
        with contextlib.suppress(BlockingIOError):
            wire.socket.recv(PIECE, socket.MSG_DONTWAIT)
        yield wire


def no_readers(host: Host) -> Iterator[Wire]:
    """20 lists of 100 asked at once, and never read"""
    wire = narrow(host)
    wire.send(wire.head("GET", f"{LIST}?per_page=100", host.bearer) * 20)
    while True:
        yield wire


KINDS: list[Behaviour] = [
    *(half_heads, slow_bodies, slow_small_bodies, slow_chunks, tiny_chunks, refused_bodies),
    *(announced, announced_small, silent, slow_readers, no_readers),
]


def sending(
    host: Host, wire: Wire, method: str, path: str, *headers: str, size: int = 5 * MEGABYTE
) -> Iterator[Wire]:
    wire.send(wire.head(method, path, *headers, f"Content-Length: {size}"))
    yield wire
    for _ in range(0, size - PIECE, PIECE):
        trickle(wire, bytes(PIECE))
        yield wire


def trickle(wire: Wire, data: bytes) -> None:
    """Send what the socket takes at once. Raises OSError where the server has ended the connection."""
    with contextlib.suppress(BlockingIOError):
        wire.socket.send(data, socket.MSG_DONTWAIT)


def narrow(host: Host) -> Wire:
    """Return a connection whose client has little room for what it does not read."""
    wire = host.wire()
    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024)
    return wire


def check(host: Host, table: Table) -> None:
    table.title(f"{CLIENTS} slow clients, {RATE} lists a second beside them for {SECONDS:.0f} s")
    Reading(host, 5, CONNECTIONS, RATE).result()  # caches fill
    alone = Reading(host, SECONDS / 2, CONNECTIONS, RATE).result()
    aim = f"p99 under {MOST_SECONDS} s, at most {MOST_GROWTH} MB, all read"
    shown = f"p99 {alone.percentile(99) * 1000:.0f} ms"
    table.add("none", shown, aim, holds=not alone.faults and alone.percentile(99) < MOST_SECONDS)
    for kind in KINDS:
        with_them(host, table, kind, aim)


def with_them(host: Host, table: Table, kind: Behaviour, aim: str) -> None:
    before = most = host.memory()
    with contextlib.ExitStack() as stack:
        # The reads begin first: those who attack must not keep new ones from beginning either.
        reading = Reading(host, SECONDS, CONNECTIONS, RATE)
        clients = []
        while reading.runs:
            begun = time.monotonic()
            if len(clients) < CLIENTS:
                clients.append(kind(host))
                stack.enter_context(next(clients[-1]))
                if len(clients) < CLIENTS:
                    continue
            for client in clients:
                with contextlib.suppress(OSError, StopIteration):  # the server ended it
                    next(client)
            most = max(most, host.memory())
            time.sleep(max(0.0, begun + PAUSE - time.monotonic()))
        found = reading.result()
    growth, slowest = most - before, found.percentile(99)
    holds = not found.faults and slowest < MOST_SECONDS and growth <= MOST_GROWTH
    shown = f"p99 {slowest * 1000:.0f} ms, {growth:+.0f} MB"
    if found.faults:
        shown += f", {len(found.faults)} failed: {found.faults[0]}"
    table.add(kind.__doc__ or "", shown, aim, holds=holds)
