"""What a restore does while D1 gives no answer: it waits some minutes, and then ends in one sentence."""

import io
from contextlib import contextmanager

import pytest
from django.core.management import call_command
from django.db import connections

from core import replica, restores
from devtools.fault_plan import SLOW_BEFORE, UNAVAILABLE
from devtools.fault_proxy import FaultProxy
from operations.backups import contents, databases, restoring, taking
from operations.backups.errors import BackupError
from tests.backups.databases import contents_of, count

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not replica.is_used(), reason="only D1 can be away (TEST_ENGINE=d1)"),
]
OUTAGE = 9  # requests in a row that fail: more than a call of anybody else is tried


@pytest.fixture
def path(gallery, tmp_path, settings):
    settings.BACKUP_KEY = ""
    call_command("backup", to=str(tmp_path / "b"), stdout=io.StringIO(), stderr=io.StringIO())
    (path,) = (tmp_path / "b").iterdir()
    return path


@contextmanager
def failing(alias, monkeypatch, fault, most, *, begin=None, **options):
    """Let D1 answer by a proxy that fails so many requests, from one with that number or the first rows on."""
    entry = connections.settings[alias]
    failed = []

    def plan(number, request):
        if number == begin or (not begin and b"FROM json_each(?1)" in request.body) or failed:
            failed.append(number)
        return fault if 0 < len(failed) <= most else None

    with FaultProxy(entry["OPTIONS"]["base_url"]) as proxy:
        proxy.plan = plan
        changed = {**entry["OPTIONS"], "base_url": proxy.url, "retry_pause": 0.001, **options}
        with monkeypatch.context() as patch:
            patch.setitem(entry, "OPTIONS", changed)
            connections[alias].close()
            yield proxy
    connections[alias].close()


@pytest.mark.parametrize("begin", [1, 9, None])
def test_a_restore_waits_for_an_outage(path, target, monkeypatch, begin):
    """At its first question, while it migrates, and while it inserts."""
    notes = []
    away = failing(target, monkeypatch, UNAVAILABLE, OUTAGE, begin=begin)
    with away as proxy, contents.opened(path) as backup:
        restoring.restore(backup, path.name, notes.append, target)
        assert proxy.faults == [UNAVAILABLE.name] * OUTAGE
    assert "D1 gave no answer; asking again." in notes
    assert contents_of(target) == contents_of("default")


def test_a_restore_gives_up_in_one_sentence(path, target, monkeypatch):
    monkeypatch.setattr(databases, "PATIENCE", 0.5)
    hangs = failing(target, monkeypatch, SLOW_BEFORE, 10**6, timeout=0.5)
    with (
        pytest.raises(BackupError, match=r"^D1 did not answer in 0\.5 s[^\n]*\.$"),
        hangs,
        taking.failures(),
        contents.opened(path) as backup,
    ):
        restoring.restore(backup, path.name, print, target)
    assert count(target, restores.MARKER) == 1
