"""/metrics, as Prometheus reads it after calls whose effect is known."""

import json
import logging
import re
import threading
import time
import uuid

import pytest
from django.contrib.auth import hashers
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.gauges import waiting
from accounts.models import User
from core import hooks, races, replica
from core.metrics import host
from core.metrics.gauges import Remembered
from d1backend import SerializationFailure
from designs.fields import Status
from designs.gauges import by_status
from tests.api.client import ApiClient, refused
from tests.factories.accounts import PASSWORD, UserFactory
from tests.factories.designs import DesignFactory
from tests.factories.uploads import ImageFactory
from tests.metric_names import ALERTS, DASHBOARD, declared, declared_names, documented, used_in
from tests.pictures import picture
from tests.scrape import HEADERS, TOKEN, Scrape
from uploads.pipeline import decoding

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _token(settings):
    settings.METRICS_TOKEN = TOKEN
    waiting.forget()
    by_status.forget()


def scrape():
    response = Client().get("/metrics", headers=HEADERS)
    assert response.status_code == 200
    return Scrape(response.content.decode())


@pytest.fixture
def grown():
    """A function that tells by how much a metric has grown since the test began."""
    before = scrape()

    def grown(name, **labels):
        return scrape().sum(name, **labels) - before.sum(name, **labels)

    return grown


def test_requests_count_by_method_route_and_status(grown):
    client = ApiClient.approved()
    for _ in range(3):
        client.get(f"/api/designs/{DesignFactory().pk}")
    client.get("/api/designs/999999")
    call = {"method": "GET", "route": "/api/designs/{design_id}"}
    assert grown("gallery_requests_total", **call, status="200") == 3
    assert grown("gallery_requests_total", **call, status="404") == 1
    assert grown("gallery_request_seconds_count", **call) == 4
    assert grown("gallery_request_seconds_sum", **call) > 0


def test_what_strangers_make_up_makes_no_series(grown):
    before = {str(sample.labels) for sample in scrape().samples}
    for part in range(20):
        Client().get(f"/no-such-path-{part}")
        Client().generic(f"BREW{part}", "/api/designs")
    assert grown("gallery_requests_total", route="unmatched", status="404") == 20
    assert grown("gallery_requests_total", method="other") == 20
    made = {str(sample.labels) for sample in scrape().samples} - before
    assert not [labels for labels in made if "BREW" in labels or "no-such" in labels]


def test_no_secret_name_or_path_is_in_the_metrics(settings):
    settings.SIGN_IN_FAILURES = (3, 3600)
    name, password, trace = "charulata-of-alleppey", "indigo-vat-42-and-more", "203.0.113.77"
    admin, stranger = ApiClient.admin(), ApiClient(address=trace)
    stranger.post("/api/auth/register", {"username": name, "password": password})
    assert admin.post(f"/api/admin/users/{User.objects.get(username=name).pk}/approve").status_code == 200
    tokens = stranger.post("/api/auth/login", {"username": name, "password": password}).json()
    for _ in range(5):
        stranger.post("/api/auth/login", {"username": name, "password": "wrong-password-of-hers"})
    reader = ApiClient(token=tokens["access_token"])
    for path in (
        "/api/auth/me",
        "/api/designs?search=secret-search",
        f"/media/designs/{name}.jpg",
        f"/{name}",
    ):
        reader.get(path)
    text = scrape().text
    for secret in (
        *(name, password, "wrong-password", "secret-search", trace, TOKEN, settings.JWT_SECRET),
        *(settings.SECRET_KEY, tokens["access_token"], tokens["refresh_token"], str(settings.DATA)),
    ):
        assert secret not in text


def test_sign_ins_count_by_their_result_and_locks_by_their_limit(grown, settings):
    settings.SIGN_IN_FAILURES = (3, 3600)
    user, client = UserFactory(), ApiClient(address="198.51.100.9")
    login = {"username": user.username, "password": PASSWORD}
    assert client.post("/api/auth/login", login).status_code == 200
    for _ in range(3):
        client.post("/api/auth/login", {**login, "password": "wrong"})
    refused(client.post("/api/auth/login", login), 429, "too_many_attempts")
    assert grown("gallery_secret_tries_total", secret="sign-in", result="right") == 1
    assert grown("gallery_secret_tries_total", secret="sign-in", result="wrong") == 3
    assert grown("gallery_secret_locks_total", limit="sign-in pair") == 1
    assert grown("gallery_throttled_requests_total", limit="sign-in pair") == 1


def test_throttled_requests_count_by_their_limit(grown, settings):
    settings.ANONYMOUS_REQUESTS = (2, 60)
    stranger = ApiClient(address="198.51.100.10")
    statuses = [stranger.get("/api/auth/me").status_code for _ in range(5)]
    assert statuses == [401, 401, 429, 429, 429]
    assert grown("gallery_throttled_requests_total") == 3
    assert grown("gallery_throttled_requests_total", limit="ANONYMOUS_REQUESTS") == 3


def test_of_two_limits_the_one_that_refuses_counts(grown, settings):
    settings.SIGN_IN_REQUESTS = (1, 60)
    stranger = ApiClient(address="198.51.100.11")
    statuses = [stranger.post("/api/auth/refresh", {"refresh_token": "none"}).status_code for _ in range(3)]
    assert statuses == [401, 429, 429]
    assert grown("gallery_throttled_requests_total", limit="SIGN_IN_REQUESTS") == 2
    assert grown("gallery_throttled_requests_total", limit="ANONYMOUS_REQUESTS") == 0


def test_bcrypt_is_timed(grown, settings):
    settings.PASSWORD_HASHERS = ["accounts.hashers.MeasuredBcrypt"]
    hashed = hashers.make_password("indigo-vat-42")
    assert hashers.check_password("indigo-vat-42", hashed)
    assert grown("gallery_password_hash_seconds_count") == 2
    assert grown("gallery_password_hash_seconds_sum") > 0
    assert scrape().sum("gallery_password_hashes_running") == 0


def test_a_second_try_that_is_answered_again_counts(grown):
    client = ApiClient.admin()
    body = {"title": "Paithani", "category": "Saree", "r2_object_key": ImageFactory().object_key}
    for _ in range(3):
        assert client.post("/api/designs", body, headers={"Idempotency-Key": "one"}).status_code == 201
    assert grown("gallery_idempotent_replays_total") == 2


def upload():
    file = SimpleUploadedFile("a.jpg", picture(), "image/jpeg")
    return ApiClient.admin().upload("/api/upload/image", file=file)


def test_calls_to_the_store_count_by_operation_and_outcome(grown, image_store):
    assert upload().status_code == 201
    assert grown("gallery_store_call_seconds_count", operation="put", outcome="done") >= 1
    assert grown("gallery_store_call_seconds_sum", operation="put") > 0
    assert grown("gallery_store_call_seconds_count", outcome="failed") == 0


def test_calls_that_the_store_fails_count(grown, folder):
    folder.folder.write_text("a file in place of the folder")
    refused(upload(), 503, "unavailable")
    assert grown("gallery_store_call_seconds_count", operation="put", outcome="failed") >= 1


def test_memory_for_pictures_is_told_and_refusals_count(grown, settings, monkeypatch, folder):
    monkeypatch.setattr(decoding, "PATIENCE", 0)
    with decoding.decoding(settings.DECODING_MEMORY):
        assert scrape().sum("gallery_decoding_memory_bytes") == settings.DECODING_MEMORY
        refused(upload(), 503, "unavailable")
    found = scrape()
    assert found.sum("gallery_decoding_memory_bytes") == 0
    assert found.sum("gallery_decoding_memory_limit_bytes") == settings.DECODING_MEMORY
    assert grown("gallery_decoding_refused_total") == 1
    assert grown("gallery_decoding_wait_seconds_count") == 1


def test_lookups_in_the_caches_of_the_catalogue_count(grown):
    DesignFactory()
    reader = ApiClient.approved()
    for _ in range(3):
        reader.get("/api/designs")
    if replica.reads_ask_d1():  # where nothing is cached
        assert grown("gallery_cache_lookups_total") == 0
        return
    assert grown("gallery_cache_lookups_total", cache="parts", result="miss") == 1
    assert grown("gallery_cache_lookups_total", cache="parts", result="hit") == 2
    assert grown("gallery_cache_lookups_total", cache="design_texts", result="hit") == 2


def test_who_waits_for_approval_is_told():
    users = [UserFactory(is_approved=False, reviewed_at=None) for _ in range(3)]
    found = scrape()
    assert found.sum("gallery_pending_users") == 3
    first = min(user.created_at for user in users).timestamp()
    assert found.sum("gallery_pending_users_since_timestamp_seconds") == pytest.approx(first, abs=1)
    UserFactory(is_approved=False, reviewed_at=None)
    assert scrape().sum("gallery_pending_users") == 3  # counted again after 30 s only


def test_nobody_waits_since_any_time_when_nobody_waits():
    found = scrape()
    assert found.sum("gallery_pending_users") == 0
    assert found.has("gallery_pending_users")
    assert not found.has("gallery_pending_users_since_timestamp_seconds")


def test_designs_are_told_by_status():
    for status, number in ((Status.PUBLISHED, 2), (Status.DRAFT, 1)):
        DesignFactory.create_batch(number, status=status)
    found = scrape()
    numbers = {status: found.sum("gallery_designs", status=status) for status in Status.values}
    assert numbers == {"draft": 1, "published": 2, "archived": 0, "deleted": 0}


def test_what_runs_here_and_its_disk_and_memory_are_told(settings):
    found = scrape()
    (build,) = (sample for sample in found.samples if sample.name == "gallery_build_info")
    assert (build.value, build.labels["version"]) == (1, settings.VERSION)
    assert 0 < found.sum("gallery_data_free_bytes") < found.sum("gallery_data_size_bytes")
    assert 0 < found.sum("gallery_memory_used_bytes") <= found.sum("gallery_memory_limit_bytes")


@pytest.fixture
def newest_backup(monkeypatch):
    """A function that says what the hook finds, and lets the metrics ask it."""

    def newest_backup(find):
        monkeypatch.setattr(hooks.newest_backup, "function", find)
        monkeypatch.setattr(host, "backup", Remembered(host.newest_backup, 900, background=True))
        scrape()
        for thread in threading.enumerate():
            if thread.name == "metrics":
                thread.join(10)
        return scrape()

    return newest_backup


def test_the_last_backup_is_told_where_an_app_knows(newest_backup, monkeypatch):
    moment = time.time() - 3600
    assert newest_backup(lambda: moment).sum("gallery_backup_timestamp_seconds") == moment
    never = newest_backup(lambda: 0.0)
    assert never.has("gallery_backup_timestamp_seconds")
    assert never.sum("gallery_backup_timestamp_seconds") == 0
    assert not newest_backup(lambda: None).has("gallery_backup_timestamp_seconds")
    monkeypatch.setattr(hooks.newest_backup, "function", None)
    assert not scrape().has("gallery_backup_timestamp_seconds")


def test_a_storage_of_backups_that_hangs_delays_nobody(newest_backup, monkeypatch):
    hangs, asked = threading.Event(), []

    def hang():
        asked.append(True)
        hangs.wait(10)

    monkeypatch.setattr(hooks.newest_backup, "function", hang)
    monkeypatch.setattr(host, "backup", Remembered(host.newest_backup, 0, background=True))
    try:
        assert not any(scrape().has("gallery_backup_timestamp_seconds") for _ in range(5))
        assert len(asked) == 1
    finally:
        hangs.set()


def test_a_storage_of_backups_that_never_answered_is_told(newest_backup):
    """Without a value its alert is silent, so another one has to say that it is."""

    def fail():
        raise OSError("the keys are wrong")

    found = newest_backup(fail)
    assert not found.has("gallery_backup_timestamp_seconds")
    assert found.sum("gallery_unreadable_gauges") == 1
    assert newest_backup(lambda: 5.0).sum("gallery_unreadable_gauges") == 0


def test_a_part_that_cannot_be_read_leaves_the_others(monkeypatch, caplog):
    def fail():
        raise OSError("the disk is gone")

    monkeypatch.setattr(hooks.gauges, "functions", [fail, *hooks.gauges.functions])
    with caplog.at_level(logging.ERROR):
        found = scrape()
    assert found.sum("gallery_unreadable_gauges") == 1
    assert found.has("gallery_build_info")
    assert "could not be read" in caplog.text


def test_writes_that_lose_count(grown, monkeypatch):
    monkeypatch.setattr(races, "pause", lambda attempt: None)
    left = [SerializationFailure("another was first"), SerializationFailure("again")]

    def call(is_last):
        if left:
            raise left.pop()
        return "done"

    assert races.repeated(call) == "done"
    assert grown("gallery_write_conflicts_total") == 2


@pytest.mark.skipif(not replica.is_used(), reason="only D1 has an allowance and a replica (TEST_ENGINE=d1)")
class TestD1:
    def test_requests_count_by_whom_they_are_for_and_how_they_end(self, grown):
        client = ApiClient.admin()
        before = grown("gallery_d1_requests_total")
        assert (
            client.post("/api/designs", {"title": str(uuid.uuid4()), "category": "Saree"}).status_code == 400
        )
        body = {"title": "Paithani", "category": "Saree", "r2_object_key": ImageFactory().object_key}
        assert client.post("/api/designs", body).status_code == 201
        assert grown("gallery_d1_requests_total") > before
        assert grown("gallery_d1_requests_total", spender="write", outcome="answered") >= 1
        assert grown("gallery_d1_request_seconds_count") == grown("gallery_d1_requests_total")
        assert grown("gallery_d1_rows_written_total") >= 1
        assert grown("gallery_d1_rows_read_total") >= 1
        assert grown("gallery_database_round_trips_total") >= 1

    def test_the_replica_tells_its_age_and_takes_changes(self, grown):
        UserFactory()
        found = scrape()
        assert 0 <= found.sum("gallery_replica_age_seconds") <= 2
        assert found.sum("gallery_replica_follows") == 1
        assert found.sum("gallery_replica_filled_ratio") == 1
        assert found.sum("gallery_d1_out_of_reach") == found.sum("gallery_d1_blocked_seconds") == 0
        assert found.has("gallery_d1_used_calls")


def test_the_page_of_every_metric_names_those_that_are_exposed(settings):
    """docs/metrics.md has one row for each metric, with its labels."""
    assert documented() == declared()
    assert {re.sub("_(bucket|count|sum)$", "", name) for name in scrape().names} <= set(declared())


def test_the_alerts_and_the_dashboard_use_no_other_name():
    assert scrape().names <= declared_names()
    for file in (ALERTS, DASHBOARD):
        names = used_in(file.read_text())
        assert len(names) > 10
        assert names <= declared_names(), file.name


def test_the_dashboard_is_one_that_grafana_takes():
    board = json.loads(DASHBOARD.read_text())
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for panel in panels:
        assert panel["title"]
        assert panel["description"]
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert all(target["expr"] for target in panel["targets"])
        place = panel["gridPos"]
        assert 0 <= place["x"] < place["x"] + place["w"] <= 24
