"""Limits that several hosts count together in a real Redis, and by themselves while it is away."""

import shutil
import subprocess
import time

import pytest
import redis

from core import limits
from core.cache import SteadyRedisCache
from core.errors import TooMany
from core.limits import Allowance, Limit
from devtools.ports import free_port
from tests.api.client import ApiClient, refused
from tests.races import at_once

SERVER = shutil.which("redis-server")

pytestmark = pytest.mark.skipif(SERVER is None, reason="needs Debian's redis-server")

HOURLY = Allowance(Limit("test", 3, 3 * 3600), "me")


@pytest.fixture
def redis_server(settings, monkeypatch, tmp_path):
    """The process of a Redis to which CACHE_URL leads."""
    port = free_port()
    command = [SERVER, "--port", str(port), "--save", "", "--dir", tmp_path]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    client = redis.Redis(port=port)
    deadline = time.monotonic() + 30
    while True:
        try:
            client.ping()
            break
        except redis.ConnectionError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    monkeypatch.setattr(SteadyRedisCache, "away_until", 0.0)
    settings.CACHES = {
        "default": {"BACKEND": limits.REDIS, "LOCATION": f"redis://127.0.0.1:{port}/0"},
        "host": {"BACKEND": "core.cache.FolderCache", "LOCATION": tmp_path / "cache"},
    }
    yield process
    process.kill()
    process.wait()


def take(*allowances):
    try:
        limits.take(*allowances)
    except TooMany as error:
        return error.retry_after
    return 0


def test_hosts_share_what_is_left(redis_server):
    assert take(HOURLY) == 0
    limits.host_cells.forget()  # this is another host now
    assert HOURLY.look() == (3, 2, 3600)
    assert [take(HOURLY), take(HOURLY)] == [0, 0]
    assert 3590 <= take(HOURLY) <= 3600


def test_calls_at_once_count_one_by_one(redis_server):
    assert sorted(map(bool, at_once(*(lambda: take(HOURLY) for _ in range(8))))) == [False] * 3 + [True] * 5


def test_a_refusal_by_one_counts_in_none(redis_server):
    narrow = Allowance(Limit("narrow", 1, 3600), "me")
    assert take(HOURLY, narrow) == 0
    assert take(HOURLY, narrow) > 0
    assert HOURLY.look().remaining == 2


def test_what_is_given_back_refilled_or_held_is_so_for_all(redis_server):
    take(HOURLY)
    HOURLY.give_back()
    assert HOURLY.look() == (3, 3, 0)
    HOURLY.hold(7200)
    assert 7190 <= take(HOURLY) <= 7200
    HOURLY.refill()
    assert HOURLY.look() == (3, 3, 0)


def test_while_redis_is_away_a_host_counts_by_itself(redis_server):
    for _ in range(3):
        take(HOURLY)
    redis_server.kill()
    redis_server.wait()
    assert [bool(take(HOURLY)) for _ in range(4)] == [False, False, False, True]


@pytest.mark.django_db
def test_the_api_counts_in_redis_and_answers_without_it(redis_server, settings):
    settings.ANONYMOUS_REQUESTS = (2, 600)
    client = ApiClient()
    assert client.get("/api/nowhere").headers["RateLimit-Remaining"] == "1"
    limits.host_cells.forget()
    assert client.get("/api/nowhere").headers["RateLimit-Remaining"] == "0"
    refused(client.get("/api/nowhere"), 429, "too_many_requests")
    redis_server.kill()
    redis_server.wait()
    assert client.get("/api/nowhere").headers["RateLimit-Remaining"] == "1"
