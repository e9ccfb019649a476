"""Every error under /api wears the one envelope, wherever it comes from."""

import pytest
from django.test import Client

from core.api import views
from tests.api.client import ApiClient, refused
from tests.factories.designs import DesignFactory

pytestmark = pytest.mark.django_db


def assert_envelope(response, status, code=None):
    assert response.status_code == status, response.content
    body = response.json()
    assert body["success"] is False
    assert body["message"]
    assert body["code"].replace("_", "").isalpha()
    assert body["code"].islower()
    assert body.keys() <= {"success", "message", "code", "errors"}
    assert response["X-Request-ID"]
    if code:
        assert body["code"] == code


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/nothing", "/api/designs/", "/api/auth/nothing/at/all"]
)
@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "patch"])
def test_an_unknown_address_is_a_404(client, path, method):
    assert_envelope(getattr(client, method)(path), 404, "not_found")


def test_an_exception_in_a_view_is_a_500_that_tells_nothing(monkeypatch, client):
    def broken(request, *args):
        raise RuntimeError("the secret is hunter2")

    monkeypatch.setattr(views, "error_response", broken)
    client.raise_request_exception = False
    response = client.get("/api/nothing")
    assert_envelope(response, 500, "server_error")
    assert "hunter2" not in response.content.decode()


def test_a_host_that_is_not_ours_is_a_400(settings):
    settings.ALLOWED_HOSTS = ["gallery.example"]
    assert_envelope(Client(headers={"host": "evil.example"}).get("/api/nothing"), 400)


def test_debug_mode_shows_no_page_of_its_own(settings, client, monkeypatch):
    settings.DEBUG = True
    client.raise_request_exception = False
    monkeypatch.setattr(views, "error_response", lambda *args: 1 / 0)
    assert_envelope(client.get("/api/nothing"), 500, "server_error")


@pytest.mark.parametrize(
    ("sent", "kept"), [("abc-123", True), ("a b", False), ("x" * 200, False), ("", False)]
)
def test_a_sane_request_id_is_kept_and_another_replaced(client, sent, kept):
    response = client.get("/health/live", headers={"X-Request-ID": sent})
    assert (response["X-Request-ID"] == sent) is kept
    assert response["X-Request-ID"]


@pytest.mark.parametrize("length", ["abc", "-5", "１２"])
def test_a_length_that_is_no_number_is_a_400(client, length):
    assert_envelope(client.post("/api/auth/login", CONTENT_LENGTH=length), 400)


@pytest.mark.parametrize("path", ["/", "/api/nothing", "/admin/login/", "/health/live"])
def test_security_headers_are_everywhere(client, path):
    response = client.get(path)
    assert "default-src" in response["Content-Security-Policy"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert ("unsafe-eval" in response["Content-Security-Policy"]) is path.startswith("/admin")


@pytest.mark.parametrize("body", ["[" * 100_000, '{"a":' * 50_000])
def test_a_body_nested_beyond_reason_is_malformed(client, body):
    assert_envelope(client.post("/api/auth/login", body, content_type="application/json"), 400, "malformed")


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense", ""])
def test_json_is_answered_whatever_is_accepted(client, accept):
    response = client.get("/api/auth/me?format=csv", headers={"Accept": accept})
    assert_envelope(response, 401)


def test_a_body_in_chunks_that_the_server_does_not_decode_is_a_411(client):
    answer = client.post("/api/auth/login", HTTP_TRANSFER_ENCODING="chunked")
    assert_envelope(answer, 411, "length_required")


@pytest.mark.parametrize("half", ["\ud800", "a\udfffb"])
def test_a_sentence_that_repeats_half_a_character_can_be_sent(half):
    """UTF-8 holds no lone surrogate, which JSON can write."""
    admin, design = ApiClient.admin(), DesignFactory()
    new = {"title": "A", "category": "Saree", "r2_object_key": design.r2_object_key, "status": half}
    assert set(refused(admin.post("/api/designs", new), 400, "invalid")) == {"status"}
    changed = admin.put(f"/api/designs/{design.pk}", {"status": half})
    assert set(refused(changed, 400, "invalid")) == {"status"}
    settings = admin.put("/api/admin/settings", {"settings": {half: 1}})
    shown = half.encode("utf-8", "replace").decode()
    assert set(refused(settings, 400, "invalid")) == {f"settings.{shown}"}
