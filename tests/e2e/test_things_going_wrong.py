"""Bad input gets the envelope, and nothing is lost or half stored."""

import base64
import contextlib
import http.client
import json
import struct
import zlib

import pytest

from tests.e2e.pictures import picture

pytestmark = pytest.mark.e2e


def assert_envelope(answer, status, code=None):
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert body["success"] is False
    assert body["message"]
    assert code is None or body["code"] == code


def bomb(side: int = 60_000) -> bytes:
    """A small PNG file that would decode to 3.6 billion pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    row = zlib.compress(bytes(10_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", row) + chunk(b"IEND", b"")


@pytest.mark.parametrize("body", ["{", "[]", '"text"', "nonsense", "", '{"username": NaN}', "\xff\xfe"])
def test_malformed_json(server, body):
    answer = server.client().post(
        "/api/auth/login", data=body.encode("latin-1"), headers={"Content-Type": "application/json"}
    )
    assert_envelope(answer, 400)


def test_another_media_type(server):
    assert_envelope(
        server.client().post("/api/auth/login", data="<a/>", headers={"Content-Type": "text/xml"}), 415
    )


@pytest.mark.parametrize("value", [1, True, None, [], {}, "a\u0000b", "\ud800", ""])
def test_wrong_types_and_bad_text_name_the_field(admin, value):
    body = json.dumps({"title": value, "r2_object_key": "x", "category": "Saree"})
    answer = admin.post("/api/designs", data=body, headers={"Content-Type": "application/json"})
    assert_envelope(answer, 400)
    assert "title" in answer.json()["errors"]


def test_a_title_of_ten_megabytes(admin):
    assert_envelope(admin.post("/api/designs", json={"title": "x" * 10_000_000}), 413)


def test_a_body_of_a_gigabyte_is_answered_to_a_client_that_sends_it_all(server):
    host = server.address.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=60)
    connection.putrequest("POST", "/api/auth/login")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(1024**3))
    connection.endheaders()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        for _ in range(64):
            connection.send(bytes(1024**2))
    answer = connection.getresponse()
    assert answer.status == 413
    assert json.loads(answer.read())["code"] == "too_large"
    connection.close()
    assert server.client().get("/health").status_code == 200


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bomb.png", bomb()),
        ("drawing.jpg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
        ("page.jpg", b"<html><script>alert(1)</script></html>"),
        ("cut.jpg", picture(seed=1)[:-2000]),
        ("empty.jpg", b""),
        ("moving.gif", base64.b64decode("R0lGODlhAQABAIAAAP///wAAACwAAAAAAQABAAACAkQBADs=")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_whole_image_is_refused_and_leaves_nothing(server, admin, name, content):
    stored = sorted(server.data.glob("media/**/*.*"))
    answer = admin.post("/api/upload/image", files={"file": (name, content, "image/jpeg")})
    assert_envelope(answer, 400, None if name == "empty.jpg" else "invalid_image")
    assert sorted(server.data.glob("media/**/*.*")) == stored


def test_a_path_in_a_file_name_leads_nowhere(server, admin):
    answer = admin.post(
        "/api/upload/image", files={"file": ("../../../etc/passwd.png", picture(), "image/png")}
    )
    assert answer.status_code == 201
    assert answer.json()["object_key"].startswith("designs/")
    assert answer.json()["object_key"].endswith(".jpg")


@pytest.mark.parametrize(
    "query",
    [
        *("page=0", "page=-1", "page=x", "page=", "page=1.5", "per_page=0", "per_page=101", "per_page=x"),
        *("sort=nonsense", "featured=perhaps", "created_after=yesterday"),
    ],
)
def test_bad_query_parameters_are_named(admin, query):
    answer = admin.get(f"/api/designs?{query}")
    assert_envelope(answer, 400)
    assert query.split("=")[0] in answer.json()["errors"]


def test_a_page_far_past_the_end_is_empty(admin):
    answer = admin.get("/api/designs?page=99999999999999999999")
    assert answer.status_code == 200
    assert answer.json()["items"] == []


@pytest.mark.parametrize(
    "search",
    ['"', "'", "*", "NEAR(", "a AND", "title:x", "(", "^", "-", "%", "_", "\\", "a OR b", '""""', "🙂"],
)
def test_search_reads_operators_as_text(admin, search):
    answer = admin.get("/api/designs", params={"search": search})
    assert answer.status_code == 200, answer.text


def test_search_refuses_nul(admin):
    assert_envelope(admin.get("/api/designs?search=%00"), 400)


@pytest.mark.parametrize("design_id", ["0", "999999999", "99999999999999999999", "-1", "abc", "1.5", "%00"])
def test_an_unknown_design(admin, design_id):
    assert_envelope(admin.get(f"/api/designs/{design_id}"), 404)


def test_a_method_that_is_not_there(admin):
    assert_envelope(admin.request("PATCH", "/api/designs"), 405)


def test_forged_and_broken_tokens(server):
    client = server.client(**server.admin)
    real = client.token["access_token"]
    header, payload, signature = real.split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
    for token in [
        f"{none}.{payload}.",
        f"{none}.{payload}.{signature}",
        f"{header}.{payload}.{signature[:-4]}AAAA",
        f"{header}.{payload}",
        "nonsense",
        client.token["refresh_token"],
    ]:
        client.session.headers["Authorization"] = f"Bearer {token}"
        answer = client.get("/api/auth/me")
        assert_envelope(answer, 401)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    client.session.headers["Authorization"] = f"Bearer {real}"
    assert client.get("/api/auth/me").status_code == 200


def test_nothing_secret_reaches_the_log(server):
    log = (server.data / "server.log").read_text()
    assert server.admin["password"] not in log
    assert (server.data / "jwt-secret").read_text() not in log
    assert "eyJ" not in log
