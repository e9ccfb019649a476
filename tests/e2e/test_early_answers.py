"""An answer that the head decides comes before the body, and reaches a client that first sends all of it."""

import json
import uuid

import pytest

from tests.e2e.raw_http import Wire, chunk

pytestmark = pytest.mark.e2e

MEGABYTE = 1024**2
BIG = bytes(4 * MEGABYTE)
TYPE = "Content-Type: application/json"
FORM = "Content-Type: multipart/form-data; boundary=b"
NO_TOKEN = "Authorization: Bearer a.b.c"


def bearer(client) -> str:
    return f"Authorization: Bearer {client.token['access_token']}"


def refusals(admin):
    """Method, path, headers, status and code of requests that are refused by their heads."""
    ticket = f"/media/incoming/designs/2026/01/1767225600_{uuid.uuid4()}.jpg?ticket=x"
    return [
        ("POST", "/api/designs", [TYPE], 401, "not_authenticated"),
        ("POST", "/api/upload/image", [FORM, NO_TOKEN], 401, "invalid_token"),
        ("POST", "/api/nothing", [TYPE], 404, "not_found"),
        ("PATCH", "/api/upload/image", [FORM, bearer(admin)], 405, "method_not_allowed"),
        (
            "POST",
            "/api/upload/image",
            ["Content-Type: text/plain", bearer(admin)],
            415,
            "unsupported_media_type",
        ),
        (
            "PUT",
            ticket,
            ["Content-Type: image/jpeg"],
            403,
            "forbidden",
        ),
        ("POST", "/api/designs", [TYPE, bearer(admin)], 413, "too_large"),
    ]


@pytest.mark.parametrize("number", range(7))
@pytest.mark.parametrize("megabytes", [1, 4, 9])
def test_a_refusal_reaches_a_client_that_sends_everything_first(server, admin, number, megabytes):
    method, path, headers, status, code = refusals(admin)[number]
    body = bytes(megabytes * MEGABYTE + 1)
    with Wire(server) as wire:
        answer = wire.ask(method, path, *headers, body=body)
        assert (answer.status, answer.code) == (status, code)
        assert answer.closes
        assert answer.headers["X-Request-ID"]
        assert wire.ended()


@pytest.mark.parametrize("number", range(7))
def test_a_refusal_does_not_wait_for_the_body(server, admin, number):
    method, path, headers, status, code = refusals(admin)[number]
    with Wire(server) as wire:
        wire.send(wire.head(method, path, *headers, f"Content-Length: {len(BIG)}"))
        answer = wire.answer()
        assert (answer.status, answer.code) == (status, code)
        assert answer.closes


@pytest.mark.parametrize("number", range(5))
def test_a_refusal_of_a_body_in_chunks(server, admin, number):
    method, path, headers, status, code = refusals(admin)[number]
    with Wire(server) as wire:
        wire.send(wire.head(method, path, *headers, "Transfer-Encoding: chunked"))
        wire.send(chunk(bytes(MEGABYTE)) * 9 + chunk(b""))
        answer = wire.answer()
        assert (answer.status, answer.code) == (status, code)
        assert wire.ended()


def test_a_small_body_of_a_refused_request_leaves_the_connection_open(server, admin):
    with Wire(server) as wire:
        for _ in range(3):
            for body in (b"", b"{}", bytes(60_000)):
                answer = wire.ask("POST", "/api/designs", TYPE, body=body)
                assert (answer.status, answer.closes) == (401, False)
        assert wire.ask("GET", "/health/live").status == 200


def test_a_client_that_expects_it_is_told_to_go_on_only_if_the_body_is_wanted(server, admin):
    body = json.dumps({"title": "A", "category": "Saree", "r2_object_key": "none"}).encode()
    head = ["Expect: 100-continue", TYPE, f"Content-Length: {len(body)}"]
    with Wire(server) as wire:
        wire.send(wire.head("POST", "/api/designs", *head))
        answer = wire.answer()
        assert (answer.status, answer.closes) == (401, True)
    with Wire(server) as wire:
        wire.send(wire.head("POST", "/api/designs", bearer(admin), *head))
        told = b"HTTP/1.1 100 Continue\r\n\r\n"
        assert wire.socket.recv(len(told)) == told
        answer = wire.send(body).answer()
        assert (answer.status, answer.json()["errors"].keys()) == (400, {"r2_object_key"})
        assert not answer.closes
        assert wire.ask("GET", "/health/live").status == 200


def test_a_body_that_was_asked_for_is_read_whole(admin, design):
    """Over 64 kB: the view runs twice, and does its work once."""
    before = admin.get("/api/admin/audit").json()["total"]
    for title in ("A", "B"):
        body = json.dumps({"title": title}) + " " * 500_000
        headers = {"Content-Type": "application/json"}
        changed = admin.put(f"/api/designs/{design['id']}", data=body, headers=headers)
        assert (changed.status_code, changed.json()["title"]) == (200, title)
    assert admin.get("/api/admin/audit").json()["total"] == before + 2
