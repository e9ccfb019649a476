"""Connections spread over the workers of a host, and outlive neither a stop nor a hanging worker by much."""

import contextlib
import os
import signal
import sys

import pytest

from devtools.serving import new_server, serving
from tests.e2e.processes import connections_held, memory_of, spooled, workers_of
from tests.e2e.raw_http import Wire

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc"),
]


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    """A server of these tests alone, whose connections they count."""
    host = new_server(tmp_path_factory.mktemp("gallery"))
    host.set_up()
    with serving(host):
        yield host


def spread(host, count):
    """Open connections at one time, and return how many each worker holds."""
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(host)) for _ in range(count)]
        assert [wire.ask("GET", "/health/live").status for wire in wires] == [200] * count
        return connections_held(host)


@pytest.fixture
def quiet_host(host, wait_until):
    wait_until(lambda: spread(host, 2) == [1, 1])  # both workers have started
    wait_until(lambda: connections_held(host) == [0, 0])
    return host


@pytest.mark.parametrize("count", [2, 8, 32])
def test_connections_spread_evenly(quiet_host, count):
    assert spread(quiet_host, count) == [count // 2, count // 2]


def test_a_worker_that_hangs_keeps_nobody_waiting_and_gets_its_share_afterwards(quiet_host, wait_until):
    hanging = workers_of(quiet_host)[0]
    os.kill(hanging, signal.SIGSTOP)
    wires = []
    try:
        for _ in range(6):
            wires.append(Wire(quiet_host, timeout=20))
            assert wires[-1].ask("GET", "/health/live").status == 200
        assert connections_held(quiet_host)[0] == 0
    finally:
        os.kill(hanging, signal.SIGCONT)

    def share_evenly():
        for at, wire in enumerate(wires):
            if wire.ask("GET", "/health/live").closes:
                wire.socket.close()
                wires[at] = Wire(quiet_host)
        return connections_held(quiet_host) == [3, 3]

    wait_until(share_evenly)
    for wire in wires:
        wire.socket.close()


def test_slow_bodies_take_no_memory(quiet_host, wait_until):
    with Wire(quiet_host) as first:
        first.ask("GET", "/api/designs")
    before = [memory_of(pid) for pid in workers_of(quiet_host)]
    with contextlib.ExitStack() as stack:
        for _ in range(200):
            wire = stack.enter_context(Wire(quiet_host))
            head = wire.head(
                "POST", "/api/auth/login", "Content-Type: application/json", "Content-Length: 900000"
            )
            wire.send(head + bytes(200_000))
        wait_until(lambda: len(spooled(quiet_host)) == 200)
        after = [memory_of(pid) for pid in workers_of(quiet_host)]
    assert all(new - old < 25_000_000 for old, new in zip(before, after, strict=True)), (before, after)


def test_a_stop_lets_requests_end_and_idle_connections_go(tmp_path, wait_until):
    host = new_server(tmp_path, WEB_CONCURRENCY="1")
    host.set_up()
    with serving(host), Wire(host) as idle, Wire(host) as sending, Wire(host) as half:
        assert not idle.ask("GET", "/health/live").closes
        sending.send(sending.head("POST", "/api/auth/login", "Content-Length: 2"))
        half.send(b"GET /health/live HTTP/1.1\r\n")
        wait_until(lambda: connections_held(host) == [3])  # else the worker that takes its place accepts them
        os.kill(workers_of(host)[0], signal.SIGTERM)
        assert idle.ended()
        answer = sending.send(b"{}").answer()
        assert (answer.status, answer.closes) == (415, True)
        answer = half.send(b"\r\n").answer()
        assert (answer.status, answer.closes) == (200, True)
        with Wire(host) as fresh:  # of the worker that took its place
            assert fresh.ask("GET", "/health/live").status == 200
