"""What a process keeps of the catalogue: what is of an older version goes, and then the least recently used."""

from unittest.mock import Mock

import pytest

from designs.versioned_cache import Version, VersionedCache, keep

OLD, NEW = Version("listing 1", "content 1"), Version("listing 1", "content 2")
NEWEST = Version("listing 2", "content 3")


@pytest.fixture
def cache():
    return VersionedCache[int]("tested", 3)


@pytest.fixture(autouse=True)
def current(monkeypatch):
    """What the database says."""
    asked = Mock(return_value=OLD)
    monkeypatch.setattr("designs.versioned_cache.current_version", asked)
    return asked


def kept(cache):
    return [key for _, key in cache.entries]


def read(cache, version, *keys):
    for key in keys:
        assert cache.get(version, key, lambda key=key: key) == key


def test_what_is_of_an_older_version_goes_with_the_first_that_is_kept_of_a_newer(cache, current):
    read(cache, OLD.listing, 1)
    read(cache, OLD.content, 2)
    current.return_value = NEW
    read(cache, NEW.content, 3)
    assert kept(cache) == [1, 3]
    current.return_value = NEWEST
    read(cache, NEWEST.listing, 4)
    assert kept(cache) == [4]


def test_what_was_read_under_an_older_version_is_not_kept(cache, current):
    loaded = []
    assert cache.get(OLD.listing, 1, lambda: 1, loaded) == 1
    current.return_value = NEWEST
    assert not keep(loaded)
    assert kept(cache) == []


def test_the_least_recently_used_goes_first(cache):
    read(cache, OLD.listing, 1, 2, 3, 1, 4)
    assert kept(cache) == [3, 1, 4]
