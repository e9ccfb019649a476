"""Framing, malformed requests and slow senders, against gunicorn as it is shipped."""

import contextlib
import io
import json
import os
import socket
import struct
from urllib.parse import urlsplit

import pytest
from PIL import Image

from tests.e2e.processes import spooled
from tests.e2e.raw_http import Wire, chunk

pytestmark = pytest.mark.e2e

LOGIN = json.dumps({"username": "nobody", "password": "not the one"}).encode()
TYPE = "Content-Type: application/json"
CHUNKED = "Transfer-Encoding: chunked"


def assert_refused(answer, status, code):
    assert (answer.status, answer.code) == (status, code)
    assert answer.json()["success"] is False
    assert answer.headers["X-Request-ID"]
    assert answer.closes


def test_pipelined_requests_are_answered_in_order(server):
    with Wire(server) as wire:
        paths = ["/health/live", "/api/nothing", "/info", "/api/designs"] * 3
        wire.send(b"".join(wire.head("GET", path, f"X-Request-ID: {at}") for at, path in enumerate(paths)))
        answers = [wire.answer() for _ in paths]
        assert [answer.headers["X-Request-ID"] for answer in answers] == [str(at) for at in range(12)]
        assert [answer.status for answer in answers] == [200, 404, 200, 401] * 3


def test_requests_behind_an_answer_that_is_read_late_wait_for_it(server, admin):
    """The loop sends the rest of a large answer; the request after it must run once, and only then."""
    out = io.BytesIO()
    Image.frombytes("RGB", (1500, 1400), os.urandom(1500 * 1400 * 3)).save(out, "PNG", compress_level=1)
    image = admin.post("/api/upload/image", files={"file": ("a.png", out.getvalue(), "image/png")}).json()
    paths = [urlsplit(image["url"]).path, "/info"] * 3
    with Wire(server) as wire:
        wire.send(b"".join(wire.head("GET", path, f"X-Request-ID: {at}") for at, path in enumerate(paths)))
        answers = [wire.answer() for _ in paths]
    assert [answer.headers["X-Request-ID"] for answer in answers] == list("012345")
    assert [answer.status for answer in answers] == [200] * 6


def test_a_request_behind_a_body(server):
    with Wire(server) as wire:
        post = wire.head("POST", "/api/auth/login", TYPE, f"Content-Length: {len(LOGIN)}") + LOGIN
        wire.send(post + post + wire.head("GET", "/health/live"))
        assert [wire.answer().status for _ in range(3)] == [401, 401, 200]


def test_a_request_that_comes_byte_by_byte(server):
    with Wire(server) as wire:
        wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sent = wire.head("POST", "/api/auth/login", TYPE, CHUNKED)
        sent += chunk(LOGIN[:5], ";a=b") + chunk(LOGIN[5:]) + b"0\r\nX-Sum: x\r\n\r\n"
        for at in range(len(sent)):
            wire.send(sent[at : at + 1])
        answer = wire.answer()
        assert (answer.status, answer.code, answer.closes) == (401, "invalid_credentials", False)


@pytest.mark.parametrize(
    ("version", "headers", "closes"),
    [("1.0", [], True), ("1.0", ["Connection: keep-alive"], False), ("1.1", ["Connection: close"], True)],
)
def test_the_connection_goes_on_as_the_version_says(server, version, headers, closes):
    with Wire(server) as wire:
        answer = wire.ask("GET", "/info", *headers, version=version)
        assert (answer.status, answer.closes) == (200, closes)
        if closes:
            assert wire.ended()


@pytest.mark.parametrize(("length", "status"), [(8190, 404), (8191, 414), (20_000, 414), (1_000_000, 414)])
def test_long_addresses(server, length, status):
    with Wire(server) as wire:
        address = "/api/" + "a" * (length - 5)
        answer = wire.ask("GET", address, "X-Request-ID: mine")
        assert (answer.status, answer.code) == (status, {404: "not_found", 414: "address_too_long"}[status])
        assert length > 16_000 or answer.headers["X-Request-ID"] == "mine"


@pytest.mark.parametrize("count", [4, 400])
def test_a_head_that_is_too_large(server, count):
    with Wire(server) as wire:
        assert_refused(
            wire.ask("GET", "/health/live", *[f"X-{at}: {'a' * 5000}" for at in range(count)]),
            431,
            "head_too_large",
        )
        assert wire.ended()


@pytest.mark.parametrize(
    "head",
    [
        b"nonsense\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\nHost: x\n\n",
        b"GET / HTTP/1.1\r\nNo colon\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
)
def test_what_is_not_http_gets_the_envelope(server, head):
    with Wire(server) as wire:
        assert_refused(wire.send(head).answer(), 400, "malformed")
        assert wire.ended()


def test_other_refusals_of_the_head(server):
    for header, status, code in [
        ("Expect: wonders", 417, "expectation_failed"),
        ("Transfer-Encoding: x", 501, "not_implemented"),
        ("Transfer-Encoding: gzip, chunked", 501, "not_implemented"),
        ("Transfer-Encoding: deflate, Chunked", 501, "not_implemented"),
    ]:
        with Wire(server) as wire:
            assert_refused(wire.ask("POST", "/", header), status, code)


@pytest.mark.parametrize("options", ["close", "TE, Close", "keep-alive,close", "close , x"])
def test_close_is_heard_among_other_options(server, options):
    with Wire(server) as wire:
        assert wire.ask("GET", "/health/live", f"Connection: {options}").closes
        assert wire.ended()


@pytest.mark.parametrize("options", ["TE, closed", "x-close", "keep-alive"])
def test_what_only_looks_like_close_keeps_the_connection(server, options):
    with Wire(server) as wire:
        for _ in range(2):
            assert not wire.ask("GET", "/health/live", f"Connection: {options}").closes


@pytest.mark.parametrize(("asked", "answered"), [("1.0", "1.0"), ("1.1", "1.1"), ("1.9", "1.1")])
def test_no_answer_is_of_a_version_that_is_not_spoken_here(server, asked, answered):
    with Wire(server) as wire:
        wire.send(wire.head("GET", "/health/live", version=asked))
        assert wire.socket.makefile("rb").readline() == f"HTTP/{answered} 200 OK\r\n".encode()


def test_a_body_that_ends_early(server):
    with Wire(server) as wire:
        wire.send(wire.head("POST", "/api/auth/login", TYPE, "Content-Length: 100") + b"{")
        wire.socket.shutdown(socket.SHUT_WR)
        assert_refused(wire.answer(), 400, "cut_short")


def test_slow_senders_hold_nobody_up(server, admin):
    heads = [
        (b"", "half a head"),
        (
            b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\n"
            + TYPE.encode()
            + b"\r\nContent-Length: 90000\r\n\r\n{",
            "a body",
        ),
        (b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{", "chunks"),
        (b"POST /api/auth/login HTTP/1.1\r\nHo", "a piece"),
    ]
    with contextlib.ExitStack() as stack:
        for head, _ in heads * 60:
            stack.enter_context(Wire(server)).send(head)
        for _ in range(50):
            assert admin.get("/api/designs").status_code == 200
        with Wire(server, timeout=5) as wire:
            assert wire.ask("GET", "/health/live").status == 200


def test_slow_readers_hold_nobody_up(server, admin):
    """More than there are threads, each at a picture that is larger than what sockets take."""
    out = io.BytesIO()
    Image.frombytes("RGB", (1500, 1400), os.urandom(6_300_000)).save(out, "PNG", compress_level=1)
    image = admin.post("/api/upload/image", files={"file": ("a.png", out.getvalue(), "image/png")}).json()
    path = urlsplit(image["url"]).path
    if not path.startswith("/media/"):
        pytest.skip("the store sends pictures")
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(server)) for _ in range(20)]
        for wire in wires:
            wire.send(wire.head("GET", path))
        with Wire(server, timeout=10) as other:
            assert other.ask("GET", "/health/live").status == 200
        assert {len(wire.answer().body) for wire in wires} == {image["size"]}


def test_head_is_refused_without_a_body(server):
    with Wire(server) as wire:
        wire.send(wire.head("HEAD", "/" + "a" * 9000))
        assert wire.answer("HEAD").status == 414
        assert wire.ended()


def test_a_client_that_goes_away_leaves_nothing_behind(server, admin, wait_until):
    head = ["Content-Type: multipart/form-data; boundary=b", "Content-Length: 1000000"]
    token = f"Authorization: Bearer {admin.token['access_token']}"
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(server)) for _ in range(10)]
        for wire in wires:
            wire.send(wire.head("POST", "/api/upload/image", token, *head) + bytes(500_000))
        wait_until(lambda: len(spooled(server)) == 10)
        for wire in wires:
            # An RST, as of a telephone that loses its network.
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wait_until(lambda: not spooled(server))


@pytest.mark.parametrize(
    ("path", "headers", "status", "limited"),
    [
        (f"/api/designs?ids={'1,' * 5000}", [], 414, True),
        ("/api/designs", [f"X-Long: {'x' * 70_000}"], 431, True),
        ("/api/designs", ["Content-Length: many"], 400, True),
        (f"/info?{'x' * 9000}", [], 414, False),
        (f"/apiary?{'x' * 9000}", [], 414, False),
    ],
)
def test_a_refusal_without_the_application_says_the_limits_under_api(server, path, headers, status, limited):
    with Wire(server) as wire:
        answer = wire.ask("GET", path, *headers)
        assert answer.status == status
        for name in ("Limit", "Remaining", "Reset"):
            assert answer.headers.get(f"RateLimit-{name}", "").isdecimal() == limited
