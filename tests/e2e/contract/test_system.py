"""System pages, bodies too large, other origins, and the schema."""

import json
import re

import pytest

from tests.e2e.contract.calls import ANYONE, CALLS, bearer, pour
from tests.e2e.contract.shapes import (
    ADMIN_USER,
    AUDIT,
    DESIGN,
    HEALTH,
    IMAGE,
    LEAKS,
    PRESIGNED,
    SESSION,
    SETTING,
    TOKEN,
    USER,
    granted,
    refused,
)

pytestmark = pytest.mark.e2e

APP = "http://localhost:8081"


def test_the_root_names_the_other_pages(anyone):
    body = granted(
        anyone.get("/"), {"name": lambda name: bool(name), "version": lambda version: bool(version), ...: ...}
    )
    text = json.dumps(body)
    assert "/health" in text
    assert "/info" in text
    assert "docs" in text


def test_health_tells_of_every_part(anyone):
    body = granted(anyone.get("/health"), HEALTH)
    assert body["status"] in ("healthy", "degraded")
    assert body["checks"]["database"]["latency_ms"] >= 0
    live = anyone.get("/health/live")
    assert live.status_code == 200
    ready = anyone.get("/health/ready")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})


def test_info_tells_the_limits_and_no_secret(anyone, server):
    answer = anyone.get("/info")
    body = granted(answer, {"name": bool, "version": bool, "environment": bool, ...: ...})
    text = json.dumps(body)
    for value in ("10485760", "100", "20", "jp", "png", "webp"):
        assert value in text
    assert (server.data / "jwt-secret").read_text().strip() not in text
    assert not re.search(r"secret|password|://[^/\"]*:[^/\"]*@", text, re.IGNORECASE)
    assert str(server.data) not in text


@pytest.mark.parametrize("path", ["/docs", "/openapi.json"])
def test_the_docs_are_read_and_nothing_else(anyone, path):
    answer = anyone.session.options(anyone.address + path, timeout=30)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert answer.json()["code"] == "method_not_allowed"
    assert anyone.session.head(anyone.address + path, timeout=30).status_code == 200


def test_the_docs_need_nothing_from_elsewhere(anyone):
    page, schema = anyone.get("/docs"), anyone.get("/openapi.json")
    assert page.status_code == schema.status_code
    assert page.status_code in (200, 404)
    if page.status_code == 200:
        sources = re.findall(r"(?:src|href)=[\"']([^\"']+)", page.text)
        assert sources
        assert not [source for source in sources if re.match(r"(https?:)?//", source)]
        for source in sources:
            if source.startswith("/"):
                assert anyone.get(source).status_code == 200, source
        assert schema.json()["openapi"].startswith("3.")


def test_metrics_without_a_token_set_are_not_there(anyone, server):
    if not server.environment.get("METRICS_TOKEN"):
        for headers in ({}, bearer("guess"), bearer("")):
            assert anyone.get("/metrics", headers=headers).status_code == 404


def test_pages_that_are_none_are_404s(anyone):
    for path in (
        "/nope",
        "/healthy",
        "/media/../jwt-secret",
        "/media/%2e%2e/jwt-secret",
        "/static/..%2fmanage.py",
        "/%00",
        "/.env",
    ):
        answer = anyone.get(path, allow_redirects=False)
        assert answer.status_code in (400, 404), path
        assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    "path", ["/api/auth/login", "/api/auth/register", "/api/designs", "/api/upload/image"]
)
def test_a_body_of_a_gigabyte_is_refused(server, boss, path):
    kind = "multipart/form-data; boundary=x" if "upload" in path else "application/json"
    headers = {"Content-Type": kind} | bearer(boss.token["access_token"])
    status, sent, body = pour(server.address, path, total=1 << 30, headers=headers)
    assert status == 413, body[:300]
    assert sent["content-type"].startswith("application/json")
    assert sent["x-request-id"]
    told = json.loads(body)
    assert (told["success"], told.keys() - {"errors"}) == (False, {"success", "message", "code"})
    assert not LEAKS.search(body.decode())


@pytest.mark.parametrize("path", ["/api/auth/login", "/api/upload/image"])
def test_a_body_without_a_length_breaks_nothing(server, boss, path):
    kind = "multipart/form-data; boundary=x" if "upload" in path else "application/json"
    headers = {"Content-Type": kind} | bearer(boss.token["access_token"])
    status, sent, body = pour(server.address, path, total=64 << 20, headers=headers, chunked=True)
    assert status in (400, 411, 413), body[:300]
    assert sent["content-type"].startswith("application/json")
    assert json.loads(body)["success"] is False


def test_a_title_of_ten_megabytes_is_refused(boss, upload, design):
    for method, path in (("POST", "/api/designs"), ("PUT", f"/api/designs/{design['id']}")):
        body = {"title": "t" * (10 << 20), "category": "C", "r2_object_key": design["r2_object_key"]}
        refused(boss.request(method, path, json=body), (400, 413))
    assert granted(boss.get(f"/api/designs/{design['id']}"), DESIGN)["title"] == design["title"]


def test_another_origins_preflight_is_answered(anyone):
    for method, path in (
        ("GET", "/api/designs"),
        ("PUT", "/api/designs/1"),
        ("DELETE", "/api/designs/1/favorite"),
    ):
        asked = {
            "Origin": APP,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization,content-type,if-none-match,x-request-id",
        }
        answer = anyone.request("OPTIONS", path, headers=asked)
        assert answer.status_code in (200, 204)
        assert answer.headers.get("Access-Control-Allow-Origin") in ("*", APP)
        assert method in answer.headers["Access-Control-Allow-Methods"]
        allowed = answer.headers["Access-Control-Allow-Headers"].lower()
        for name in ("authorization", "content-type", "if-none-match", "x-request-id"):
            assert name in allowed


def test_an_origin_reads_the_headers_that_the_contract_promises(anyone, reader):
    for answer in (
        reader.client.get("/api/designs", headers={"Origin": APP}),
        anyone.get("/api/designs", headers={"Origin": APP}),
    ):
        assert answer.headers.get("Access-Control-Allow-Origin") in ("*", APP)
        exposed = answer.headers["Access-Control-Expose-Headers"].lower()
        for name in ("etag", "x-request-id", "retry-after"):
            assert name in exposed


def test_a_strange_origin_gets_no_credentials(anyone):
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    answer = anyone.request("OPTIONS", "/api/designs", headers=asked)
    if answer.headers.get("Access-Control-Allow-Origin") in ("*", "https://evil.example"):
        assert answer.headers.get("Access-Control-Allow-Credentials", "").lower() != "true"


@pytest.fixture(scope="module")
def schema(server):
    return json.loads(server.manage("spectacular", "--format", "openapi-json"))


def test_the_schema_has_every_call_and_no_other_path(schema):
    def plain(path):
        return re.sub(r"\{[^}]+\}", "{}", path)

    written = {
        (method.upper(), plain(path))
        for path, calls in schema["paths"].items()
        if path.startswith("/api/")
        for method in calls
        if method in ("get", "put", "post", "delete", "patch")
    }
    promised = {(method, plain(path)) for method, path, _ in CALLS}
    assert not promised - written
    paths = {path for _, path in promised}
    assert not {path for _, path in written if path not in paths and "upload" not in path}


def test_the_schema_tells_of_the_refusals(schema):
    by_path = {re.sub(r"\{[^}]+\}", "{}", path): calls for path, calls in schema["paths"].items()}
    for method, path, who in CALLS:
        answers = by_path[re.sub(r"\{[^}]+\}", "{}", path)][method.lower()]["responses"]
        if who != ANYONE:
            assert "401" in answers, (method, path)
        if "{" in path:
            assert "404" in answers, (method, path)


SHAPES = [
    ("get", "/api/auth/me", "200", USER),
    ("post", "/api/auth/login", "200", TOKEN),
    ("get", "/api/designs/{}", "200", DESIGN),
    ("post", "/api/designs", "201", DESIGN),
    ("post", "/api/upload/image", "201", IMAGE),
    ("post", "/api/upload/complete", "200", IMAGE),
    ("get", "/api/upload/presigned-url", "200", PRESIGNED),
    ("get", "/api/admin/users", "200", ADMIN_USER),
    ("get", "/api/admin/audit", "200", AUDIT),
    ("get", "/api/admin/settings", "200", SETTING),
    ("get", "/api/auth/sessions", "200", SESSION),
]


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"), SHAPES, ids=[f"{one[0]} {one[1]}" for one in SHAPES]
)
def test_the_schemas_bodies_are_the_contracts(schema, method, path, status, kind):
    def resolve(node):
        while "$ref" in node or len(node.get("allOf", [])) == 1:
            node = (
                node["allOf"][0]
                if "allOf" in node
                else schema["components"]["schemas"][node["$ref"].split("/")[-1]]
            )
        return node

    by_path = {re.sub(r"\{[^}]+\}", "{}", path): calls for path, calls in schema["paths"].items()}
    body = resolve(by_path[path][method]["responses"][status]["content"]["application/json"]["schema"])
    if "items" in body["properties"] and "items" not in kind:
        body = resolve(resolve(body["properties"]["items"])["items"])
    assert body["properties"].keys() == kind.keys()
