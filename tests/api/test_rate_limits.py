"""Limits on calls by class, the headers that say so, and quotas of uploads."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from core.logs.current import CURRENT
from core.request_body import NOTES
from designs.models import Favourite
from gallery_project import settings as shipped
from tests.api.client import ApiClient, refused
from tests.factories.designs import DesignFactory
from tests.pictures import picture
from tests.races import at_once

pytestmark = pytest.mark.django_db

NAMES = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


def shown(response):
    """The three headers as numbers; None for an answer without them."""
    found = [response.headers.get(name) for name in NAMES]
    return None if found == [None] * 3 else tuple(map(int, found))


class TestTheHeaders:
    @pytest.fixture(autouse=True)
    def _limits(self, settings):
        settings.ANONYMOUS_REQUESTS, settings.USER_REQUESTS = (10, 600), (20, 600)

    def test_count_down_and_say_when_all_calls_are_back(self):
        client = ApiClient()
        assert shown(client.get("/api/designs")) == (10, 9, 60)
        limit, remaining, reset = shown(client.get("/api/designs"))
        assert (limit, remaining) == (10, 8)
        assert 110 <= reset <= 120

    @pytest.mark.parametrize(
        ("method", "path", "body", "status"),
        [
            ("GET", "/api/nowhere", None, 404),
            ("GET", "/api", None, 404),
            ("PATCH", "/api/auth/login", None, 405),
            ("POST", "/api/auth/login", "{", 400),
            ("POST", "/api/auth/login", "x" * 1_100_000, 413),
            ("GET", "/api/auth/me", None, 401),
        ],
    )
    def test_stand_on_errors(self, method, path, body, status):
        response = ApiClient().send(method, path, body)
        assert response.status_code == status
        assert shown(response) == (10, 9, 60)

    def test_stand_on_a_304_and_on_a_call_that_fails(self, monkeypatch):
        client = ApiClient.approved()
        DesignFactory()
        first = client.get("/api/designs")
        again = client.send("GET", "/api/designs", headers={"If-None-Match": first.headers["ETag"]})
        assert again.status_code == 304
        assert shown(again)[:2] == (20, 18)
        monkeypatch.setattr("designs.api.views.DesignsView.get", lambda *_: 1 / 0)
        failed = client.get("/api/designs")
        assert failed.status_code == 500
        assert shown(failed)[:2] == (20, 17)

    def test_stand_on_answers_given_before_any_view(self, settings):
        settings.ALLOWED_HOSTS = ["gallery.example"]
        unknown = Client(raise_request_exception=False).get("/api/designs", headers={"Host": "other.example"})
        assert unknown.status_code == 400
        assert shown(unknown) == (10, 9, 60)
        settings.ALLOWED_HOSTS = ["*"]

    @pytest.mark.parametrize("path", ["/", "/info", "/health/live", "/docs", "/apiary"])
    def test_are_not_on_system_calls(self, path):
        assert shown(ApiClient().get(path)) is None

    def test_are_not_on_a_preflight_which_costs_nothing(self):
        headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
        response = ApiClient().send("OPTIONS", "/api/designs", headers=headers)
        assert response.status_code == 200
        assert shown(response) is None
        assert shown(ApiClient().get("/api/designs"))[1] == 9

    def test_can_be_read_by_the_apps_web_build(self):
        response = ApiClient().send("GET", "/api/designs", headers={"Origin": "https://app.example"})
        exposed = response.headers["Access-Control-Expose-Headers"]
        assert all(name in exposed for name in NAMES)


class TestTheClasses:
    def test_strangers_count_by_network(self, settings):
        settings.ANONYMOUS_REQUESTS = (2, 600)
        for host in (1, 2):
            assert ApiClient(address=f"2001:db8::{host}").get("/api/nowhere").status_code == 404
        refused(ApiClient(address="2001:db8::3").get("/api/nowhere"), 429, "too_many_requests")
        assert ApiClient(address="2001:db8:0:1::1").get("/api/nowhere").status_code == 404

    def test_who_is_signed_in_counts_alone_wherever_they_are(self, settings):
        settings.USER_REQUESTS = settings.ANONYMOUS_REQUESTS = (2, 600)
        client, other = ApiClient.approved(), ApiClient.approved()
        for _ in range(2):
            assert client.get("/api/auth/me").status_code == 200
        elsewhere = ApiClient(token=client.token, address="203.0.113.9")
        refused(elsewhere.get("/api/auth/me"), 429, "too_many_requests")
        assert other.get("/api/auth/me").status_code == 200
        refused(ApiClient().get("/api/auth/me"), 401, "not_authenticated")

    @pytest.mark.parametrize("token", ["stale", "a b", ""])
    def test_a_bad_token_counts_as_no_token(self, settings, token):
        settings.USER_REQUESTS, settings.ANONYMOUS_REQUESTS = (100, 600), (10, 600)
        response = ApiClient().send("GET", "/api/auth/me", headers={"Authorization": f"Bearer {token}"})
        refused(response, 401, "invalid_token")
        assert shown(response)[0] == 10

    def test_a_429_says_when_to_come_back_and_does_nothing(self, settings):
        settings.USER_REQUESTS = (1, 600)
        client, design = ApiClient.approved(), DesignFactory()
        client.get("/api/auth/me")
        response = client.post(f"/api/designs/{design.pk}/favorite")
        refused(response, 429, "too_many_requests")
        assert shown(response)[:2] == (1, 0)
        assert 590 <= int(response.headers["Retry-After"]) <= shown(response)[2] <= 600
        assert not Favourite.objects.exists()

    @pytest.mark.parametrize("path", ["login", "refresh"])
    def test_sign_ins_are_limited_more_tightly(self, settings, path):
        settings.SIGN_IN_REQUESTS = (2, 600)
        for left in (1, 0):
            assert shown(ApiClient().post(f"/api/auth/{path}", {}))[:2] == (2, left)
        refused(ApiClient().post(f"/api/auth/{path}", {}), 429, "too_many_requests")
        assert ApiClient().get("/api/nowhere").status_code == 404

    def test_uploads_are_limited_more_tightly(self, settings):
        settings.UPLOAD_REQUESTS = (3, 600)
        client = ApiClient.approved()
        calls = [
            lambda: client.upload("/api/upload/image"),
            lambda: client.get("/api/upload/presigned-url"),
            lambda: client.post("/api/upload/complete", {}),
        ]
        for left, call in zip((2, 1, 0), calls, strict=True):
            assert shown(call())[:2] == (3, left)
        for call in calls:
            refused(call(), 429, "too_many_requests")
        assert client.get("/api/auth/me").status_code == 200

    def test_the_one_with_the_least_left_is_shown(self, settings):
        settings.REGISTRATIONS, settings.ANONYMOUS_REQUESTS = (5, 600), (4, 600)
        body = {"username": "meera", "password": "nine yards of silk"}
        assert shown(ApiClient().post("/api/auth/register", body))[:2] == (4, 3)
        settings.REGISTRATIONS = (2, 600)
        assert shown(ApiClient().post("/api/auth/register", {}))[:2] == (2, 1)


class TestQuotas:
    def test_of_avatars_hold_for_each_user_and_day(self, settings, folder):
        settings.AVATAR_UPLOADS = (1, 86_400)
        client = ApiClient.approved()

        def upload(client, category="avatars"):
            file = SimpleUploadedFile("me.jpg", picture(), "image/jpeg")
            return client.upload("/api/upload/image", file=file, category=category)

        assert upload(client).status_code == 201
        again = upload(client)
        refused(again, 429, "too_many_requests")
        assert 86_000 < int(again.headers["Retry-After"]) <= 86_400
        assert shown(again)[:2] == (1, 0)
        assert upload(ApiClient.approved()).status_code == 201
        assert upload(ApiClient.admin(), "designs").status_code == 201

    def test_of_presigned_uploads_hold_for_each_user_and_day(self, settings, bucket_store):
        settings.PRESIGNED_UPLOADS = (1, 86_400)
        query = {"content_type": "image/png", "size": 100, "category": "avatars"}
        client = ApiClient.approved()
        assert client.get("/api/upload/presigned-url", **query).status_code == 200
        refused(client.get("/api/upload/presigned-url", **query), 429, "too_many_requests")
        assert ApiClient.approved().get("/api/upload/presigned-url", **query).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_of_calls_at_once_no_more_than_the_limit_pass(settings):
    settings.USER_REQUESTS = (5, 6000)
    token = ApiClient.approved().token
    answers = at_once(*(lambda: ApiClient(token=token).get("/api/auth/me") for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [429] * 7


def test_a_request_that_is_run_twice_counts_once(settings):
    """The server runs a call first when its head is there, and again with its body."""
    settings.ANONYMOUS_REQUESTS = (10, 600)
    kept = {}
    for _ in range(2):
        response = ApiClient().http.get("/api/nowhere", **{NOTES: kept})
        CURRENT.set(None)  # as the worker does
        assert shown(response) == (10, 9, 60)


def test_the_token_is_checked_once_for_the_limit_and_the_view(monkeypatch):
    from accounts.api import authentication

    client, found = ApiClient.approved(), []
    check = authentication.access_token
    monkeypatch.setattr(authentication, "access_token", lambda text: found.append(text) or check(text))
    assert client.get("/api/auth/me").status_code == 200
    assert found == [client.token]


def test_the_defaults_do_not_stop_who_scrolls_fast():
    """Twenty pages and their details a second, for half a minute."""
    for most, seconds in (shipped.USER_REQUESTS, shipped.ANONYMOUS_REQUESTS):
        assert most + most / seconds * 30 >= 20 * 2 * 30


def test_the_openapi_document_declares_them_on_every_answer():
    document = SchemaGenerator().get_schema(request=None, public=True)
    answers = [
        operation["responses"]
        for path, operations in document["paths"].items()
        for operation in operations.values()
        if path.startswith("/api/")
    ]
    assert len(answers) > 30
    for by_status in answers:
        assert "429" in by_status
        assert all(set(NAMES) == set(answer["headers"]) for answer in by_status.values())
