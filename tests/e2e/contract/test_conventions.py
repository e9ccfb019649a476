"""What the contract says of every call: the envelope, tokens asked for, paths, request ids, media types."""

import json
import re

import pytest

from tests.e2e.contract.calls import ADMIN, ANYONE, CALLS, USER, bearer, concrete
from tests.e2e.contract.shapes import DESIGN, granted, page_of, refused

pytestmark = pytest.mark.e2e

GUARDED = [(method, path) for method, path, who in CALLS if who != ANYONE]
ADMINS = [(method, path) for method, path, who in CALLS if who == ADMIN]
WITH_BODY = [
    (method, path)
    for method, path, who in CALLS
    if method in ("POST", "PUT")
    and not re.search(r"register|logout|favorite|approve|reject|upload/image", path)
]


def named(calls):
    return pytest.mark.parametrize(("method", "path"), calls, ids=[f"{one} {two}" for one, two in calls])


@named(GUARDED)
def test_a_call_without_a_token_is_a_401(anyone, method, path):
    refused(anyone.request(method, concrete(path)), 401)


@named(GUARDED)
def test_a_call_with_a_token_that_is_none_is_a_401(anyone, method, path):
    refused(anyone.request(method, concrete(path), headers=bearer("no.such.token")), 401)


@named(ADMINS)
def test_an_admin_call_of_a_user_is_a_403(reader, method, path):
    refused(reader.client.request(method, concrete(path)), 403)


@named([call for call in ADMINS if "{" in call[1] and call[0] != "PUT"])
def test_an_admin_call_on_what_is_not_there_is_a_404(boss, method, path):
    refused(boss.request(method, concrete(path)), 404)


@named([(method, path) for method, path, who in CALLS if who == USER and "{id}" in path])
def test_a_users_call_on_what_is_not_there_is_a_404(reader, method, path):
    refused(reader.client.request(method, concrete(path)), 404)


@pytest.mark.parametrize("path", ["/api/designs/{id}", "/api/admin/users/{id}"])
def test_changing_what_is_not_there_is_a_404(boss, path):
    refused(boss.put(concrete(path), json={}), 404)


@pytest.mark.parametrize(
    "identity",
    ["abc", "-1", "0", "1.5", "99999999999999999999", "9" * 400, "%00", "%ff", "1%20OR%201=1", "१"],
)
@pytest.mark.parametrize("path", ["/api/designs/{}", "/api/designs/{}/similar", "/api/admin/users/{}"])
def test_an_id_that_is_none_is_a_404(boss, path, identity):
    method = "DELETE" if "users" in path else "GET"
    refused(boss.request(method, path.format(identity)), 404)


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/nope", "/api/designs/1/nope", "/api/%ff", "/api/auth", "/api//designs"]
)
def test_a_path_that_is_none_is_a_404_in_the_envelope(anyone, boss, path):
    refused(anyone.get(path, allow_redirects=False), 404)
    refused(boss.post(path, json={}, allow_redirects=False), 404)


@pytest.mark.parametrize(
    "path", ["/api/designs/", "/api/auth/me/", "/api/admin/users/", "/api/designs/facets/"]
)
def test_a_path_with_a_slash_at_its_end_is_a_404(boss, path):
    refused(boss.get(path, allow_redirects=False), 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/auth/login"),
        ("DELETE", "/api/auth/register"),
        ("PUT", "/api/auth/refresh"),
        ("POST", "/api/auth/me"),
        ("PATCH", "/api/designs"),
        ("POST", "/api/designs/facets"),
        ("PUT", "/api/admin/analytics"),
        ("GET", "/api/upload/complete"),
        ("BREW", "/api/designs"),
    ],
)
def test_a_method_that_is_none_is_a_405(boss, method, path):
    refused(boss.request(method, path), 405)


def test_the_clients_request_id_comes_back(anyone):
    for sane in ("contract-123", "0c4f1f0e-8d8f-4f0c-9a0e-5b8a5d0c6f11"):
        for path in ("/api/designs", "/api/nope", "/health/live"):
            assert anyone.get(path, headers={"X-Request-ID": sane}).headers["X-Request-ID"] == sane


@pytest.mark.parametrize("mad", ["x" * 3000, "<script>alert(1)</script>", "a b", '"; DROP TABLE', "é"])
def test_a_request_id_that_is_not_sane_is_replaced(anyone, mad):
    answer = anyone.get("/api/nope", headers={"X-Request-ID": mad.encode()})
    made = answer.headers["X-Request-ID"]
    assert made
    assert mad not in made
    refused(answer, 404)


def test_each_answer_has_a_request_id_of_its_own(anyone):
    assert len({anyone.get("/api/nope").headers["X-Request-ID"] for _ in range(5)}) == 5


@named(WITH_BODY)
def test_a_body_that_is_not_json_is_a_400(boss, method, path):
    header = {"Content-Type": "application/json"}
    for body in (b'{"title": ', b"{'a': 1}", b"\xff\xfe", b'{"a": 1} x', b""):
        where = concrete(path)
        answer = boss.request(method, where, data=body, headers=header)
        allowed = (400, 404) if "{" in path else (400,)
        if body or "auth/me" not in path:
            refused(answer, allowed)


@named(WITH_BODY)
def test_a_body_that_is_no_object_is_a_400(boss, method, path):
    for body in ([], [1], "text", 5, True):
        refused(boss.request(method, concrete(path), json=body), (400, 404) if "{" in path else 400)


@named(WITH_BODY)
def test_a_body_of_another_media_type_is_a_415(boss, method, path):
    for kind in ("text/plain", "application/xml"):
        answer = boss.request(method, concrete(path), data=b"<a/>", headers={"Content-Type": kind})
        refused(answer, (404, 415) if "{" in path else 415)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"username": ' + b"9" * 5000 + b', "password": "x"}',
        b'{"username": "\\ud800", "password": "password-x"}',
        b'{"username": "a\\u0000b", "password": "password-x"}',
        b'{"username": NaN, "password": Infinity}',
        b'\xef\xbb\xbf{"username": ["a"]}',
    ],
    ids=["deep list", "deep object", "huge number", "lone surrogate", "nul", "nan", "byte order mark"],
)
def test_json_that_breaks_readers_is_a_400(anyone, body):
    header = {"Content-Type": "application/json"}
    for path in ("/api/auth/register", "/api/auth/login"):
        refused(anyone.post(path, data=body, headers=header), 400)


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "latin-1", "nonsense"])
def test_a_charset_named_or_invented_breaks_nothing(anyone, charset):
    header = {"Content-Type": f"application/json; charset={charset}"}
    refused(anyone.post("/api/auth/refresh", data=b'{"refresh_token": "x"}', headers=header), (400, 401, 415))


@pytest.mark.parametrize(
    "accept", ["text/html", "text/html,application/xhtml+xml;q=0.9", "*/*", "application/json"]
)
def test_answers_are_json_whatever_is_preferred(reader, accept):
    granted(reader.client.get("/api/designs", headers={"Accept": accept}), page_of(DESIGN))
    refused(reader.client.get("/api/nope", headers={"Accept": accept}), 404)
    refused(reader.client.get("/api/designs/987654321", headers={"Accept": accept}), 404)


@pytest.mark.parametrize(
    "query", ["nope=1", "format=csv", "format=html", "page_size=3", "limit=3", "cursor=x", "fields=id"]
)
def test_unknown_query_parameters_are_ignored(reader, query):
    plain = granted(reader.client.get("/api/designs"), page_of(DESIGN))
    assert granted(reader.client.get(f"/api/designs?{query}"), page_of(DESIGN)) == plain


@pytest.mark.parametrize(
    "query", ["search=%ff", "search=%c3%28", "category=%ff", "%ff=1", "search=%ed%a0%80"]
)
def test_queries_that_are_not_utf8_break_nothing(reader, query):
    answer = reader.client.get(f"/api/designs?{query}")
    if answer.status_code != 200:
        refused(answer, 400)


def test_an_error_of_a_foreign_host_header_is_in_the_envelope(anyone):
    answer = anyone.get("/api/nope", headers={"Host": "evil.example"})
    body = refused(answer, (400, 404))
    assert "evil.example" not in json.dumps(body)
