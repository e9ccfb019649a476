"""The system pages speak for themselves and need no sign-in."""

import time

import pytest
from django.db import OperationalError
from django.test import Client, override_settings

from console.sessions import SessionStore
from core import app_settings, health, replica
from core.logs.foreign import reworded
from tests.api.client import ApiClient, refused
from tests.factories.accounts import UserFactory
from tests.scrape import Scrape
from uploads.keys import ACCEPTED

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_front_page_names_the_service_and_leads_on(client):
    body = client.get("/").json()
    assert body["name"] == "Design Gallery"
    assert {"version", "health", "info"} <= body.keys()


def test_health_names_each_part(client):
    response = client.get("/health")
    body = response.json()
    assert response.status_code == 200
    assert body["status"] == "healthy"
    assert {"version", "environment", "timestamp", "checks"} <= body.keys()
    assert body["timestamp"].endswith("Z")
    assert {"database", "storage", "memory", "uptime"} <= body["checks"].keys()
    assert body["checks"]["database"]["latency_ms"] >= 0


def test_health_answers_503_when_the_database_is_away_and_tells_no_host(client, monkeypatch):
    def away():
        raise ConnectionError("db.internal.example refused")

    monkeypatch.setitem(health.PARTS, "database", away)
    response = client.get("/health")
    assert response.status_code == 503
    assert response.json()["checks"]["database"]["status"] == "unhealthy"
    assert "internal.example" not in response.content.decode()


def test_health_waits_no_longer_than_two_seconds_for_a_part_that_hangs(client, monkeypatch):
    monkeypatch.setitem(health.PARTS, "storage", lambda: time.sleep(4) or {})
    start = time.monotonic()
    response = client.get("/health")
    assert time.monotonic() - start < 3
    assert response.status_code == 503
    assert response.json()["checks"]["storage"]["error"] == "no answer in time"


def test_live_touches_nothing_outside_the_process(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/health/live").status_code == 200


HEALTH_CALLS = ("/health", "/health/live", "/health/ready")


def test_ready_touches_nothing_outside_the_process(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = client.get("/health/ready")
    assert (response.status_code, response.json()) == (200, {"status": "ready"})


def test_a_host_that_is_not_ready_logs_no_error_for_each_call(client, monkeypatch, caplog):
    monkeypatch.setattr(replica, "readiness", lambda: replica.Readiness(False, 0.5))
    assert client.get("/health/ready").status_code == 503
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [record for record in errors if reworded(record)] == []


def test_an_unhandled_error_is_logged_with_its_traceback(client, monkeypatch, caplog):
    client.raise_request_exception = False
    monkeypatch.setattr(app_settings, "all_values", lambda: 1 / 0)
    assert client.get("/info").status_code == 500
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert record.exc_info[0] is ZeroDivisionError


@pytest.mark.parametrize("path", HEALTH_CALLS)
@pytest.mark.parametrize("host", ["10.1.2.3:8000", "[::1]", "another.example", "not a host"])
def test_health_calls_answer_by_any_host_name(client, settings, path, host):
    settings.ALLOWED_HOSTS = ["gallery.example"]
    assert client.get(path, headers={"Host": host}).status_code == 200
    assert client.get("/info", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("path", HEALTH_CALLS)
def test_health_calls_allow_get_and_head_alone(client, settings, path):
    settings.ALLOWED_HOSTS = ["gallery.example"]
    client.handler.enforce_csrf_checks = True
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"):
        response = client.generic(method, path)
        assert response.status_code == 405, method
        assert response.headers["Allow"] == "GET, HEAD"
        assert response.json()["code"] == "method_not_allowed"
        assert response.json()["success"] is False
    head = client.head(path, headers={"Host": "10.1.2.3"})
    assert (head.status_code, head.content) == (200, b"")


def test_info_tells_limits_and_no_secret(client, settings):
    response = client.get("/info")
    body = response.json()
    assert body["limits"]["max_page_size"] == settings.MAX_PAGE_SIZE
    assert body["limits"]["max_file_size"] == settings.MAX_FILE_SIZE
    assert body["limits"]["max_megapixels"] == settings.MAX_MEGAPIXELS
    assert body["limits"]["image_types"] == list(ACCEPTED)
    assert settings.JWT_SECRET not in response.content.decode()
    assert settings.SECRET_KEY not in response.content.decode()


def test_metrics_are_not_there_without_a_token(client):
    assert client.get("/metrics").status_code == 404


def test_info_tells_what_staff_set_for_the_app(client):
    told = {
        "support_contact": "help@example.org, +91 98765 43210",
        "min_app_version": "2.4.1",
        "privacy_url": "https://example.org/privacy",
        "terms_url": "https://example.org/terms?lang=hi",
    }
    body = client.get("/info").json()
    assert {name: body[name] for name in told} == dict.fromkeys(told, "")
    assert body["features"]["registration_open"] is True
    assert body["features"]["public_catalogue"] is False

    switches = {"registration_open": False, "public_catalogue": True}
    assert ApiClient.admin().put("/api/admin/settings", {"settings": told | switches}).status_code == 200

    body = client.get("/info").json()
    assert {name: body[name] for name in told} == told
    assert {name: body["features"][name] for name in switches} == switches


def test_info_takes_one_query(client, django_assert_max_num_queries):
    with django_assert_max_num_queries(1):
        client.get("/info")


@override_settings(METRICS_TOKEN="a-token-for-prometheus")
def test_metrics_want_their_token(client):
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer other"}).status_code == 401
    response = client.get("/metrics", headers={"Authorization": "Bearer a-token-for-prometheus"})
    assert response.status_code == 200
    assert "gallery_requests_total" in response.content.decode()


def test_metrics_answer_by_any_host_name_and_without_https(client, settings):
    settings.METRICS_TOKEN, settings.ALLOWED_HOSTS = "a-token-for-prometheus", ["gallery.example.org"]
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_REDIRECT_EXEMPT = [r"^metrics$"]
    headers = {"Authorization": "Bearer a-token-for-prometheus", "Host": "10.1.2.3"}
    assert client.get("/metrics", headers=headers).status_code == 200


@override_settings(METRICS_TOKEN="the-new-one", METRICS_TOKEN_PREVIOUS="the-old-one")
def test_metrics_take_the_previous_token_while_it_is_set(client):
    def asked(token):
        return client.get("/metrics", headers={"Authorization": f"Bearer {token}"}).status_code

    assert [asked(token) for token in ("the-new-one", "the-old-one", "", "other")] == [200, 200, 401, 401]
    with override_settings(METRICS_TOKEN_PREVIOUS=""):
        assert [asked(token) for token in ("the-new-one", "the-old-one", "")] == [200, 401, 401]
    with override_settings(METRICS_TOKEN=""):
        assert asked("the-old-one") == 404


@pytest.mark.skipif(not replica.is_used(), reason="only D1 has a replica (TEST_ENGINE=d1)")
class TestTheReplica:
    def test_health_tells_its_age(self, client):
        database = client.get("/health").json()["checks"]["database"]
        assert database["status"] == "healthy"
        assert 0 <= database["replica"]["age_s"] <= 2

    def test_health_is_degraded_while_there_is_none(self, client, monkeypatch):
        filling = {"table": "designs", "rows": 12, "total": 100, "fraction": 0.25}
        state = {"usable": False, "age": None, "degraded": True, "filling": filling, "error": None}
        monkeypatch.setattr(replica, "status", lambda: {**state, "late": True})
        response = client.get("/health")
        assert (response.status_code, response.json()["status"]) == (200, "degraded")
        assert response.json()["checks"]["database"]["replica"] == {
            "age_s": None,
            "filling": 0.25,
        }

    @override_settings(METRICS_TOKEN="a-token-for-prometheus")
    def test_metrics_count_every_call_to_d1_and_tell_the_age(self, client):
        def metric(name):
            response = client.get("/metrics", headers={"Authorization": "Bearer a-token-for-prometheus"})
            return Scrape(response.content.decode()).sum(name)

        before = metric("gallery_d1_requests_total")
        UserFactory()
        assert metric("gallery_d1_requests_total") > before
        assert 0 <= metric("gallery_replica_age_seconds") <= 2
        assert metric("gallery_replica_follows") == 1

    def test_changes_are_refused_at_once_while_d1_is_away(self, monkeypatch):
        client = ApiClient.approved()
        monkeypatch.setattr(replica, "outage", lambda: 7)
        for call in (client.post, client.put, client.delete):
            response = call("/api/auth/me", {})
            refused(response, 503, "unavailable")
            assert response.headers["Retry-After"] == "7"
        assert client.get("/api/auth/me").status_code == 200


@pytest.mark.parametrize("method", ["OPTIONS", "POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/", "/info", "/metrics", "/admin", *HEALTH_CALLS])
@pytest.mark.parametrize("browser", [True, False])
def test_a_system_page_is_read_and_nothing_else(method, path, browser):
    response = Client(enforce_csrf_checks=browser).generic(
        method, path, b"{}", content_type="application/json"
    )
    refused(response, 405, "method_not_allowed")
    assert response.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/", "/info", *HEALTH_CALLS])
def test_a_head_is_a_get_without_its_body(client, path):
    response = client.head(path)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["Content-Type"] == client.get(path).headers["Content-Type"]


@pytest.mark.parametrize(
    "host", ["10.0.0.7", "10.0.0.7:8000", "[::1]:80", "gallery.internal", "who_knows", ""]
)
@pytest.mark.parametrize("path", HEALTH_CALLS)
def test_health_answers_by_any_host_name(client, settings, path, host):
    settings.ALLOWED_HOSTS = ["gallery.example"]
    assert client.get(path, headers={"Host": host}).status_code == 200
    assert client.get("/info", headers={"Host": host}).status_code == 400


def test_the_console_is_found_without_its_slash(client):
    response = client.get("/admin")
    assert (response.status_code, response.headers["Location"]) == (302, "/admin/")


def test_docs_are_not_there_outside_debug_mode(client):
    assert client.get("/docs").status_code == 404
    assert client.get("/openapi.json").status_code == 404


def test_staff_are_told_in_words_that_the_database_is_away(client, monkeypatch):
    def away(session):
        raise OperationalError("D1 cannot be reached at db.example")

    monkeypatch.setattr(SessionStore, "load", away)
    client.raise_request_exception = False
    client.cookies["sessionid"] = "a-session-that-was"
    response = client.get("/admin/")
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert "temporarily unavailable" in response.content.decode()
    assert "db.example" not in response.content.decode()
