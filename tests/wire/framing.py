"""Chunked bodies, kept connections, Expect, long addresses, pipelines, old versions: each as its own small dialogue."""

import http.client
import json
import secrets
import uuid
from collections.abc import Callable

from tests.e2e.pictures import picture
from tests.e2e.raw_http import Answer, Wire, chunk
from tests.wire.host import JSON, LIST, MEGABYTE, Host
from tests.wire.table import Table

TEXT = "Content-Type: text/plain"
CHUNKED = "Transfer-Encoding: chunked"
BOUNDARY = "six-yards-of-silk"
LONGEST = 8190  # bytes of an address
TIMES = 20
dialogues: list[Callable[[Host], None]] = []


def dialogue(function: Callable[[Host], None]) -> Callable[[Host], None]:
    """Make it a check. Its docstring is the line; it fails by an AssertionError or by what the client meets."""
    dialogues.append(function)
    return function


def check(host: Host, table: Table) -> None:
    table.title("Framing and connections")
    for one in dialogues:
        faults = [fault for _ in range(TIMES) if (fault := fault_of(one, host))]
        table.count((one.__doc__ or "").rstrip("."), faults, TIMES)


def fault_of(one: Callable[[Host], None], host: Host) -> str:
    try:
        one(host)
    except (AssertionError, OSError, ValueError, http.client.HTTPException) as error:
        return repr(error)
    return ""


def expect(answer: Answer, status: int, code: str = "", *, closes: bool | None = None) -> Answer:
    found = (answer.status, answer.code if code else "")
    assert found == (status, code), f"{found} {answer.body[:200]!r}"
    assert closes is None or answer.closes is closes, "Connection: close" if answer.closes else "kept"
    return answer


def login(host: Host) -> bytes:
    return json.dumps(host.server.admin).encode()


def multipart(data: bytes) -> bytes:
    head = 'Content-Disposition: form-data; name="file"; filename="a.jpg"\r\nContent-Type: image/jpeg'
    return f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()


def in_chunks(data: bytes, size: int) -> bytes:
    return b"".join(chunk(data[at : at + size]) for at in range(0, len(data), size))


@dialogue
def upload_in_chunks(host: Host) -> None:
    """An upload in chunks, then another request."""
    form = f"Content-Type: multipart/form-data; boundary={BOUNDARY}"
    body = multipart(picture(1600, 1600, kind="PNG"))
    with host.wire() as wire:
        wire.send(wire.head("POST", "/api/upload/image", form, CHUNKED, host.bearer))
        expect(wire.send(in_chunks(body, 5000) + chunk(b"")).answer(), 201, closes=False)
        expect(wire.ask("GET", LIST, host.bearer), 200)


@dialogue
def put_in_chunks(host: Host) -> None:
    """A PUT of JSON in chunks of one byte, with extensions and trailers."""
    title = f"Paithani {secrets.token_hex(4)}"
    body = json.dumps({"title": title}).encode()
    with host.wire() as wire:
        wire.send(wire.head("PUT", "/api/designs/1", JSON, CHUNKED, host.bearer))
        pieces = b"".join(chunk(bytes([one]), ";a=b") for one in body)
        answer = expect(wire.send(pieces + b"0\r\nX-Sum: 1\r\n\r\n").answer(), 200, closes=False)
        assert answer.json()["title"] == title
        assert expect(wire.ask("GET", "/api/designs/1", host.bearer), 200).json()["title"] == title


@dialogue
def login_in_chunks(host: Host) -> None:
    """A wrong password in chunks, beside a right body with a length."""
    wrong = json.dumps({"username": secrets.token_hex(6), "password": "not the one"}).encode()
    with host.wire() as wire:
        wire.send(wire.head("POST", "/api/auth/login", JSON, CHUNKED))
        expect(wire.send(in_chunks(wrong, 7) + chunk(b"")).answer(), 401, "invalid_credentials", closes=False)
        expect(wire.ask("GET", LIST, host.bearer), 200)


@dialogue
def chunks_over_the_limit(host: Host) -> None:
    """Chunks without end are a 413 at the limit of the path."""
    with host.wire() as wire:
        wire.send(wire.head("POST", LIST, JSON, CHUNKED, host.bearer))
        expect(wire.send(chunk(bytes(100_000)) * 12 + chunk(b"")).answer(), 413, "too_large", closes=True)


@dialogue
def broken_chunks(host: Host) -> None:
    """Broken chunks are a 400, and nothing behind them is a request."""
    behind = b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n"
    for broken in (
        b"zz\r\n",
        b"-1\r\n{}\r\n",
        b"2\r\n{}x",
        b"2\n{}\r\n0\r\n\r\n",
        b"fffffffffffffffff\r\n",
        b";\r\n",
    ):
        with host.wire() as wire:
            wire.send(wire.head("POST", "/api/auth/login", JSON, CHUNKED))
            expect(wire.send(broken + behind).answer(), 400, "cut_short", closes=True)
            assert wire.ended()


@dialogue
def two_lengths(host: Host) -> None:
    """Content-Length beside chunks, or two of them, is a 400 (smuggling)."""
    for headers in ((CHUNKED, "Content-Length: 2"), ("Content-Length: 2", "Content-Length: 3")):
        with host.wire() as wire:
            wire.send(wire.head("POST", "/api/auth/login", JSON, *headers))
            expect(wire.send(b"0\r\n\r\n").answer(), 400, "malformed", closes=True)
            assert wire.ended()


@dialogue
def kept_after_refusals(host: Host) -> None:
    """Small refused bodies leave the connection open."""
    with host.wire() as wire:
        for body in (b"", b"{}", bytes(60_000)):
            expect(wire.ask("POST", LIST, JSON, body=body), 401, closes=False)
            expect(wire.ask("POST", "/api/nothing", JSON, body=body), 404, closes=False)
            status = 415 if body else 400  # without a body there is no type to refuse
            expect(wire.ask("POST", "/api/upload/image", TEXT, host.bearer, body=body), status, closes=False)
        expect(wire.ask("GET", LIST, host.bearer), 200)


@dialogue
def told_to_go_on(host: Host) -> None:
    """Expect: 100-continue: 100 where the body is wanted, else the refusal."""
    body = json.dumps({"title": "Banarasi"}).encode()
    head = [JSON, "Expect: 100-continue", f"Content-Length: {len(body)}"]
    with host.wire() as wire:
        wire.send(wire.head("PUT", "/api/designs/2", host.bearer, *head))
        told = b"HTTP/1.1 100 Continue\r\n\r\n"
        assert wire.socket.recv(len(told)) == told
        expect(wire.send(body).answer(), 200, closes=False)
    with host.wire() as wire:
        expect(
            wire.send(wire.head("PUT", "/api/designs/2", host.expired, *head)).answer(), 401, "token_expired"
        )


@dialogue
def presigned_in_pieces(host: Host) -> None:
    """A presigned upload by PUT, then its completion."""
    data = picture(900, 900, kind="PNG")
    query = f"content_type=image/png&size={len(data)}&category=designs"
    granted = expect(host.ask("GET", f"/api/upload/presigned-url?{query}", host.bearer), 200).json()
    path = granted["upload_url"].split("/", 3)[3]
    headers = [
        f"{name}: {value}" for name, value in granted["headers"].items() if name.lower() != "content-length"
    ]
    expect(host.ask("PUT", f"/{path}", *headers, body=data), 200)
    key = json.dumps({"object_key": granted["object_key"]}).encode()
    expect(host.ask("POST", "/api/upload/complete", JSON, host.bearer, body=key), 200)


@dialogue
def long_addresses(host: Host) -> None:
    """An address of 8,190 bytes is read, one of 8,191 and more is a 414."""
    for length, status, code in (
        (LONGEST, 404, "not_found"),
        (LONGEST + 1, 414, "address_too_long"),
        (20_000, 414, "address_too_long"),
        (MEGABYTE, 414, "address_too_long"),
    ):
        request_id = uuid.uuid4().hex
        path = "/api/" + "a" * (length - 5)
        answer = expect(host.ask("GET", path, f"X-Request-ID: {request_id}"), status, code)
        assert answer.headers["X-Request-ID"]


@dialogue
def large_heads(host: Host) -> None:
    """A head of 12 kB is read, one of 40 kB or 200 fields is a 431."""
    expect(host.ask("GET", "/info", *[f"X-{at}: {'a' * 4000}" for at in range(3)]), 200)
    for headers in ([f"X-{at}: {'a' * 4000}" for at in range(10)], [f"X-{at}: a" for at in range(200)]):
        expect(host.ask("GET", "/info", *headers), 431, "head_too_large", closes=True)


@dialogue
def pipeline(host: Host) -> None:
    """Pipelined requests, with bodies among them, are answered in order."""
    with host.wire() as wire:
        wanted = []
        for at in range(30):
            body = b"{}" if at % 3 else b""
            method, path, status = [
                ("GET", "/info", 200),
                ("POST", LIST, 401),
                ("POST", "/api/nothing", 404),
            ][at % 3]
            length = [JSON, f"Content-Length: {len(body)}"] if body else []
            wire.send(wire.head(method, path, f"X-Request-ID: {at}", *length) + body)
            wanted.append((status, str(at)))
        answers = [wire.answer() for _ in wanted]
        assert [(one.status, one.headers["X-Request-ID"]) for one in answers] == wanted


@dialogue
def large_pipeline(host: Host) -> None:
    """Pipelined answers of 18 MB are read late, in order and whole."""
    size = int(expect(host.ask("HEAD", host.picture), 200).headers["Content-Length"])
    with host.wire() as wire:
        paths = [host.picture, LIST] * 3
        wire.send(b"".join(wire.head("GET", path, host.bearer) for path in paths))
        answers = [wire.answer() for _ in paths]
        assert {len(one.body) for one in answers[::2]} == {size}
        assert all(len(one.json()["items"]) == 20 for one in answers[1::2])


@dialogue
def old_versions(host: Host) -> None:
    """HTTP/1.0 closes, or keeps the connection where it is asked to."""
    with host.wire() as wire:
        expect(wire.ask("GET", "/info", "Connection: keep-alive", version="1.0"), 200, closes=False)
        expect(wire.ask("GET", "/info", version="1.0"), 200, closes=True)
        assert wire.ended()


@dialogue
def head_requests(host: Host) -> None:
    """HEAD has no body, also where it is refused."""
    with host.wire() as wire:
        for path, status in (("/info", 200), (LIST, 401), (host.picture, 200)):
            answer = expect_head(wire, path)
            assert (answer.status, answer.body) == (status, b"")
    with host.wire() as wire:
        assert expect_head(wire, "/" + "a" * LONGEST).status == 414
        assert wire.ended()


def expect_head(wire: Wire, path: str) -> Answer:
    wire.send(wire.head("HEAD", path))
    return wire.answer("HEAD")


@dialogue
def empty_lines(host: Host) -> None:
    """Empty lines before a request say nothing."""
    with host.wire() as wire:
        for lines in (b"\r\n", b"\r\n\r\n", b""):
            expect(wire.send(lines + wire.head("GET", "/info")).answer(), 200, closes=False)


@dialogue
def half_closed(host: Host) -> None:
    """A client that ends its sending side gets its answer; half a body is a 400."""
    with host.wire() as wire:
        wire.send(wire.head("GET", "/info"))
        wire.socket.shutdown(1)
        expect(wire.answer(), 200)
        assert wire.ended()
    with host.wire() as wire:
        wire.send(wire.head("POST", "/api/auth/login", JSON, "Content-Length: 100") + b"{")
        wire.socket.shutdown(1)
        expect(wire.answer(), 400, "cut_short", closes=True)
