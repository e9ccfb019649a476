"""What a backup and a restore do while D1 gives no answer: they wait some minutes, and then end in one sentence."""

import io
from contextlib import contextmanager

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from core import replica
from d1backend.replica import registry
from devtools.fault_plan import SLOW_BEFORE, UNAVAILABLE
from devtools.fault_proxy import FaultProxy
from operations.backups import contents, databases, reading, restoring
from tests.backups.databases import contents_of, database_id

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not replica.is_used(), reason="only D1 can be away (TEST_ENGINE=d1)"),
]
OUTAGE = 9  # requests in a row that fail: more than a call of anybody else is tried


@contextmanager
def away(alias, monkeypatch, fails, **options):
    """Let D1 answer by a proxy, in which the requests fail for whose number that is so."""
    entry = connections.settings[alias]
    name = database_id() if alias == "default" else entry["NAME"]
    with FaultProxy(entry["OPTIONS"]["base_url"]) as proxy:
        proxy.plan = fails
        changed = {**entry["OPTIONS"], "base_url": proxy.url, "retry_pause": 0.001, **options}
        monkeypatch.setitem(entry, "OPTIONS", changed)
        monkeypatch.setitem(entry, "NAME", name)
        registry.clear()
        connections[alias].close()
        try:
            yield proxy
        finally:
            monkeypatch.undo()
            registry.clear()


def for_a_while(begin):
    return lambda number, request: UNAVAILABLE if begin <= number < begin + OUTAGE else None


@pytest.fixture
def told(settings):
    settings.BACKUP_KEY = ""
    return io.StringIO()


@pytest.mark.parametrize("begin", [1, 3, 7])
def test_a_backup_waits_for_an_outage(gallery, tmp_path, monkeypatch, told, begin):
    with away("default", monkeypatch, for_a_while(begin)):
        call_command("backup", to=str(tmp_path / "b"), stdout=told, stderr=told)
    assert len(list((tmp_path / "b").iterdir())) == 1


def test_a_restore_waits_for_an_outage(gallery, tmp_path, monkeypatch, told, target):
    call_command("backup", to=str(tmp_path / "b"), stdout=told, stderr=told)
    (path,) = (tmp_path / "b").iterdir()

    # Of the rows, which come after the migrations.
    begun = []

    def fails(number, request):
        if "INSERT OR IGNORE INTO" in request.body.decode() or begun:
            begun.append(number)
        return UNAVAILABLE if 0 < len(begun) <= OUTAGE else None

    notes = []
    with away(target, monkeypatch, fails) as proxy, contents.opened(path) as backup:
        restoring.restore(backup, path.name, notes.append, target)
        assert proxy.faults == [UNAVAILABLE.name] * OUTAGE
    assert "D1 gave no answer; asking again." in notes
    assert contents_of(target) == contents_of("default")


def test_a_backup_gives_up_in_one_sentence_and_leaves_nothing(gallery, tmp_path, monkeypatch, told):
    for module in (databases, reading):
        monkeypatch.setattr(module, "PATIENCE", 0.5)
    hangs = lambda number, request: SLOW_BEFORE if number > 4 else None  # noqa: E731
    with (
        away("default", monkeypatch, hangs, timeout=0.3),
        pytest.raises(CommandError, match=r"^D1 did not answer in 0\.3 s\.$"),
    ):
        call_command("backup", to=str(tmp_path / "b"), stdout=told, stderr=told)
    assert list((tmp_path / "b").iterdir()) == []
