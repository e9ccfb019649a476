"""Bodies that come in chunks, without a Content-Length, are read as those with one, within the same limits."""

import http.client
import json
import socket
from urllib.parse import urlsplit

import pytest

from tests.e2e.pictures import picture
from tests.e2e.raw_http import Wire

pytestmark = pytest.mark.e2e

JSON = {"Content-Type": "application/json"}
BOUNDARY = "a-boundary-of-the-form"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
MEGABYTE = bytes(1024**2)


def in_chunks(data: bytes, size: int = 1000):
    """An iterator, which requests sends with Transfer-Encoding: chunked."""
    return (data[at : at + size] for at in range(0, len(data), size))


def form_of(content: bytes) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n'
    return f"{head}Content-Type: image/jpeg\r\n\r\n".encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def refused(answer, status, code):
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.json()["success"] is False


@pytest.fixture
def design(admin):
    image = admin.post("/api/upload/image", files={"file": ("a.jpg", picture(), "image/jpeg")}).json()
    body = {"title": "Before", "r2_object_key": image["object_key"], "category": "Saree"}
    answer = admin.post("/api/designs", data=in_chunks(json.dumps(body).encode(), 7), headers=JSON)
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_put_changes_what_it_says(admin, design):
    path = f"/api/designs/{design['id']}"
    for _ in range(2):
        answer = admin.put(path, data=in_chunks(b'{"title": "After"}', 5), headers=JSON)
        assert (answer.status_code, answer.json()["title"]) == (200, "After")
        assert admin.get(path).json()["title"] == "After"


def test_a_connection_goes_on_after_it(admin, design):
    for title in ("One", "Two", "Three"):
        body = json.dumps({"title": title}).encode()
        admin.put(f"/api/designs/{design['id']}", data=in_chunks(body), headers=JSON)
        assert admin.get(f"/api/designs/{design['id']}").json()["title"] == title


def test_thousands_of_tiny_chunks_are_read_whole_and_the_request_after_them_too(server, admin, design):
    """The loop takes them in turns with other connections, and what came behind them waits in the same buffer."""
    body = json.dumps({"title": "After", "padding": "x" * 5000}).encode()
    path, bearer = f"/api/designs/{design['id']}", f"Authorization: Bearer {admin.token['access_token']}"
    with Wire(server) as wire:
        head = wire.head("PUT", path, bearer, "Content-Type: application/json", "Transfer-Encoding: chunked")
        sent = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
        wire.send(head + sent + wire.head("GET", path, bearer))
        assert wire.answer().json()["title"] == "After"
        assert wire.answer().json()["title"] == "After"


def test_a_picture_is_taken(admin):
    answer = admin.post("/api/upload/image", data=in_chunks(form_of(picture(seed=7))), headers=FORM)
    assert answer.status_code == 201, answer.text


def test_a_presigned_address_takes_just_what_it_was_signed_for(server, admin):
    data = picture(seed=8)
    query = {"content_type": "image/jpeg", "size": len(data), "category": "designs"}
    promise = admin.get("/api/upload/presigned-url", params=query).json()
    parts = urlsplit(promise["upload_url"])

    def put(content):
        stranger = server.client()
        where = f"{parts.path}?{parts.query}"
        return stranger.put(where, data=in_chunks(content), headers=promise["headers"]).status_code

    assert put(data[:-1]) == 403
    assert put(data + b"x") == 403
    assert put(data) == 200
    done = admin.post("/api/upload/complete", json={"object_key": promise["object_key"]})
    assert done.status_code == 200, done.text


def test_json_over_the_limit(admin):
    refused(admin.post("/api/designs", data=iter([MEGABYTE, b"x"]), headers=JSON), 413, "too_large")


def test_a_file_over_the_limit_is_answered_to_a_client_that_sends_it_all(admin):
    body = (MEGABYTE for _ in range(40))
    refused(admin.post("/api/upload/image", data=body, headers=FORM), 413, "file_too_large")


def test_an_empty_body_is_one(admin):
    refused(admin.post("/api/designs", data=iter([]), headers=JSON), 400, "invalid")


@pytest.mark.parametrize(
    "body", [b"5\r\nab", b"nonsense\r\n", b"2\r\n{}", b"2\r\n{}XX", b"-1\r\n", b"2;=\r\n{}\r\n0\r\n\r\n"]
)
def test_a_body_cut_short_or_ill_framed(server, body):
    address = urlsplit(server.address)
    head = f"POST /api/auth/login HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + body)
        connection.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert answer.status == 400
        assert json.loads(answer.read())["code"] == "cut_short"
        assert connection.recv(1) == b""
