"""What a connection waits for, until when, and what it keeps meanwhile."""

import socket

import pytest
from gunicorn.config import Config

from gallery_project.wire import connection
from gallery_project.wire.connection import (
    BODY_GRACE,
    BODY_RATE,
    BODY_SECONDS,
    HEAD_SECONDS,
    LINGER_IDLE,
    SEND_IDLE,
    Connection,
    Step,
)
from gallery_project.wire.refusals import Refusal
from gallery_project.wire.spool import IN_MEMORY, Spool

NOW = 1000.0
LONG = b"POST / HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n"


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = NOW

        def monotonic(self):
            return self.now

    monkeypatch.setattr(connection, "time", Clock())
    return connection.time


@pytest.fixture
def conn(clock, tmp_path):
    one, other = socket.socketpair()
    with one, other:
        yield Connection(Config(), one, ("127.0.0.1", 1), ("127.0.0.1", 2), Spool(tmp_path, most=1_000_000))


def received(conn, data):
    conn.receive(data)
    return conn.advance()


def asked(conn, limit=10_000_000):
    """The connection, after the application has asked for a body."""
    conn.prepare(Step.ASK)
    conn.awaited.limit = limit
    return conn.is_wanted()


def test_an_idle_connection_is_kept_as_long_as_gunicorn_says(conn):
    assert conn.deadline() == NOW + Config().keepalive


def test_a_head_has_its_time_from_its_first_byte(conn, clock):
    clock.now += 1
    for _ in range(3):
        assert received(conn, b"GET / HT") is Step.WAIT
        assert conn.deadline() == NOW + 1 + HEAD_SECONDS
        clock.now += 5


def test_a_body_must_come_at_a_rate(conn, clock):
    assert received(conn, LONG) is Step.ASK
    clock.now += 3
    asked(conn)
    assert conn.deadline() == clock.now + BODY_GRACE
    begun, clock.now = clock.now, clock.now + 10
    assert received(conn, bytes(10_240)) is Step.WAIT
    assert conn.deadline() == begun + BODY_GRACE + 10_240 / BODY_RATE
    received(conn, bytes(980_000))
    assert conn.deadline() == begun + BODY_SECONDS


def test_what_is_dropped_after_an_answer_has_the_time_of_a_body(conn, clock):
    """A client on a slow uplink sends all of it before it reads the answer."""
    received(conn, LONG)
    conn.linger()
    for second in range(1, 600):
        clock.now += 1
        conn.drop(bytes(2048))
        assert conn.deadline() > clock.now, second
    assert conn.deadline() == clock.now + LINGER_IDLE
    clock.now += 9
    conn.drop(b"a")
    assert conn.deadline() == clock.now + LINGER_IDLE


def test_the_rest_of_an_answer_has_the_time_of_a_body_while_it_is_read(conn, clock):
    received(conn, b"GET / HTTP/1.1\r\n\r\n")
    clock.now += 5
    conn.send_rest(True)
    assert not conn.is_idle
    assert conn.deadline() == clock.now + SEND_IDLE
    conn.heard = clock.now + BODY_SECONDS
    assert conn.deadline() == clock.now + BODY_SECONDS


def test_empty_lines_before_a_request_say_nothing(conn, clock):
    assert received(conn, b"\r\n\r\n") is Step.WAIT
    assert conn.is_idle
    assert received(conn, b"\r\nGET / HTTP/1.1\r\n\r\n") is Step.RUN


def test_the_bodies_of_a_worker_have_a_common_limit_and_give_back_their_part(conn):
    received(conn, LONG)
    asked(conn)
    with pytest.raises(Refusal) as refused:
        received(conn, bytes(1_000_001))
    assert refused.value.status == 503
    conn.linger()
    assert conn.spool.kept == 0


def test_a_disk_that_takes_nothing_is_a_503(conn, tmp_path):
    conn.spool.folder = tmp_path / "missing"
    received(conn, LONG)
    asked(conn)
    with pytest.raises(Refusal) as refused:
        received(conn, bytes(IN_MEMORY + 1))
    assert refused.value.status == 503


def test_chunks_are_taken_up_to_the_limit_that_the_application_gave(conn):
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert received(conn, head + b"20000\r\n" + bytes(IN_MEMORY)) is Step.WAIT
    assert received(conn, b"a") is Step.ASK
    asked(conn, limit=IN_MEMORY + 2)
    assert received(conn, b"a") is Step.WAIT
    assert received(conn, b"a") is Step.RUN
    conn.prepare(Step.RUN)
    assert conn.request.headers == [("CONTENT-LENGTH", str(IN_MEMORY + 3))]
    assert conn.request.should_close()


def test_what_can_be_spared_first(clock, conn, tmp_path):
    pairs = [socket.socketpair() for _ in range(6)]
    held = [Connection(Config(), one, ("", 1), ("", 2), conn.spool) for one, _ in pairs]
    _, head, lingering, idle, sending, reading = held
    clock.now += 1
    received(sending, LONG)
    received(head, b"GET")
    lingering.linger()
    for one in (idle, reading):
        received(one, b"GET / HTTP/1.1\r\n\r\n")
    idle.forget_request()
    clock.now += 1
    reading.send_rest(True)
    assert sorted(set(held), key=Connection.dispensability) == held
    for one, other in pairs:
        one.close()
        other.close()


@pytest.mark.parametrize(
    ("target", "is_quick"),
    [
        ("/api/designs", True),
        ("/api/designs?page=20", True),
        ("/api/designs?page=4&per_page=100&sort=newest", True),
        ("/api/designs?after=aGVsbG8-_.x", True),
        ("/api/designs/7", True),
        ("/api/designs?page=21&per_page=100&x=1", True),  # if it is in memory
        ("/api/designs?category=sarees,kurtas&colour=%E0%A4%B2&sort=title", True),
        ("/api/designs?search=&q=&sort=", True),
        ("/api/designs?sort=popular", False),
        ("/api/designs?category=sarees&sort=most_viewed", False),
        ("/api/designs?search=silk", False),
        ("/api/designs?page=2&q=silk", False),
        ("/api/designs?%73earch=silk", False),
        ("/api/designs/facets", False),
        ("/api/designs/7/similar", False),
    ],
)
def test_only_what_takes_no_time_is_quick(conn, target, is_quick):
    assert received(conn, f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode()) is Step.RUN
    assert conn.is_quick is is_quick


@pytest.mark.parametrize("method", ["HEAD", "DELETE"])
def test_only_a_get_is_quick(conn, method):
    received(conn, f"{method} /api/designs/7 HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    assert not conn.is_quick


def test_a_request_behind_which_another_one_has_come_is_not_quick(conn):
    received(conn, b"GET /api/designs HTTP/1.1\r\nHost: a\r\n\r\n" * 2)
    assert not conn.is_quick


def test_a_client_that_sends_ahead_pipelines_from_then_on(conn):
    get = b"GET /info HTTP/1.1\r\n\r\n"
    for data, pipelines in ((get, False), (LONG.replace(b"1000000000", b"1") + b"a", False), (get * 2, True)):
        conn.prepare(received(conn, data))
        assert conn.pipelines == pipelines
        conn.forget_request()
    conn.prepare(conn.advance())
    assert conn.pipelines
