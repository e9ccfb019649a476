"""Counting tries: windows, and counts that come at once."""

import threading
import time

import pytest
from django.core.cache import caches

from accounts import throttling
from accounts.throttling import Limit
from core.errors import TooMany


def test_a_limit_begins_anew_when_its_seconds_are_over(monkeypatch):
    limit = Limit.of("test", (1, 60), "me")
    limit.count()
    with pytest.raises(TooMany) as caught:
        limit.check("too_many")
    assert 59 <= caught.value.retry_after <= 60
    later = time.time() + 61
    monkeypatch.setattr(time, "time", lambda: later)
    limit.check("too_many")


@pytest.fixture
def folder_cache(settings, tmp_path, monkeypatch):
    backend = "core.cache.FolderCache"
    settings.CACHES = {**settings.CACHES, "folder": {"BACKEND": backend, "LOCATION": tmp_path / "cache"}}
    monkeypatch.setattr(throttling, "cache", caches["folder"])
    return caches["folder"]


def test_the_folder_of_the_embedded_default_loses_no_count(folder_cache):
    limit = Limit.of("test", (40, 600), "me")

    def count():
        for _ in range(10):
            limit.count()

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    until = folder_cache.get(limit.key)
    assert folder_cache.get(f"{limit.key}:{until}") == 40
    with pytest.raises(TooMany):
        limit.check("too_many")
    limit.clear()
    limit.check("too_many")
