"""When a host writes a snapshot, what ends it, and what its settings and the command say."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import ImproperlyConfigured

from d1backend.archive import ArchiveError
from d1backend.replica import snapshot, snapshot_thread, status
from tests.d1.replica.conftest import SECRET
from tests.d1.replica.models import Design
from tests.d1.replica.snapshots import damage, flipped, newest, restored_rows, take
from tests.d1.replica.test_command import run
from tests.d1.replica.test_freshness import until


def test_a_host_that_syncs_writes_one_when_it_is_due(d1, writing, host_with, caplog):
    host = host_with("reading", max_age=0.2)
    assert Design.objects.count() == 300
    until(lambda: newest(d1) is not None)
    until(lambda: status(host.replica)["snapshot"] == newest(d1))
    new = host_with("new")
    assert restored_rows(new, caplog) == (0, [])


def test_a_host_whose_own_commits_keep_its_copy_fresh_writes_one_when_it_is_due(d1, writing):
    assert newest(d1) is None
    Design.objects.using(writing.source).create(title="one more")
    until(lambda: newest(d1) is not None)


def test_commits_at_once_ask_for_the_lease_once(d1, writing, proxy):
    asked, start = [], threading.Barrier(4)
    proxy.plan = lambda number, request: asked.append(1) if "SET holder = '" in str(request.sql) else None

    def commit(number):
        start.wait()
        writing.host.sync_thread.start_snapshot_when_due()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(commit, range(4)))
    until(lambda: newest(d1) is not None)
    assert len(asked) == 1


def test_a_process_that_ends_before_its_snapshot_gives_the_lease_back(d1, writing, monkeypatch):
    """A command commits, which starts the thread, and ends."""
    begun, goes_on = threading.Event(), threading.Event()
    write = snapshot._write

    def write_slowly(*arguments):
        begun.set()
        goes_on.wait(30)
        return write(*arguments)

    threads = writing.host.sync_thread._snapshots
    with monkeypatch.context() as patch:
        patch.setattr(snapshot, "_write", write_slowly)
        patch.setattr(snapshot_thread, "_AT_EXIT", 0.0)
        Design.objects.using(writing.source).create(title="one more")
        assert begun.wait(30)
        assert d1("SELECT lease > 0 FROM _d1_snapshots") == [[1]]
        threads.end()
        assert d1("SELECT holder, lease FROM _d1_snapshots") == [["", 0]]
    goes_on.set()
    until(lambda: not threads._thread.is_alive())
    assert newest(d1) is None  # it lost its lease
    threads.reset()
    threads.start_when_due()
    until(lambda: newest(d1) is not None)


def test_a_process_whose_storage_can_no_longer_start_threads_gives_the_lease_back(
    d1, writing, monkeypatch, caplog
):
    ends = threading.Event()

    def fail(*arguments):
        ends.wait(30)
        raise ArchiveError("part-000000 was not stored (RuntimeError)")

    monkeypatch.setattr(snapshot, "_write", fail)
    threads = writing.host.sync_thread._snapshots
    Design.objects.using(writing.source).create(title="one more")
    threading.Timer(0.1, ends.set).start()
    threads.end()
    assert d1("SELECT holder, lease FROM _d1_snapshots") == [["", 0]]
    assert [record for record in caplog.records if record.levelname == "WARNING"] == []


def test_a_process_that_ends_lets_a_short_snapshot_finish(d1, writing):
    Design.objects.using(writing.source).create(title="one more")
    writing.host.sync_thread._snapshots.end()
    assert newest(d1) is not None


def test_a_note_of_a_clock_that_was_ahead_does_not_stop_snapshots(d1, writing, monkeypatch):
    now = time.time
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: now() + 10**8)
        writing.host.directory.note_snapshot(None, 900.0)
    Design.objects.using(writing.source).create(title="one more")
    until(lambda: newest(d1) is not None)


def test_a_host_that_refused_a_snapshot_writes_another(d1, writing, host_with, bucket, caplog):
    refused = take(writing).name
    damage(bucket, d1, "manifest", flipped)
    host_with("new", max_age=0.2)
    assert Design.objects.count() == 300
    until(lambda: newest(d1) != refused)


def test_a_host_asks_d1_no_more_than_once_while_none_is_due(d1, writing, host_with, proxy, monkeypatch):
    monkeypatch.setattr(snapshot_thread, "_LOOK_EVERY", 0.0)
    taken = take(writing)
    d1("UPDATE _d1_snapshots SET taken = taken - 80000")
    host = host_with("new")
    host.sync()
    proxy.plan = []
    for _ in range(3):
        host.host.sync_thread._snapshots.start_when_due()
    assert proxy.count == 0
    assert status(host.replica)["snapshot"] == taken.name


def test_the_command_takes_one_and_status_names_it(d1, writing):
    said = run(writing, "snapshot")
    assert said.startswith(f"Snapshot {newest(d1)} holds the copy up to change ")
    assert newest(d1) in run(writing, "status")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"storage": "private"}, "keys"), ({"storage": "private", "keys": []}, "32"),
        ({"storage": "private", "keys": ["short"]}, "32"), ({"storage": "nowhere", "keys": [SECRET]}, "nowhere"),
        ({"storage": "private", "keys": [SECRET], "every": 3}, "every"),
    ],
)  # fmt: skip
def test_wrong_settings_are_named_and_keys_are_not_shown(d1, new_host, bucket, given, named):
    with pytest.raises(ImproperlyConfigured, match=named):
        _ = new_host("a", snapshots=given).host


def test_keys_are_not_in_the_representation(host_with, d1):
    assert SECRET not in repr(host_with("a").host.options)


def test_without_the_option_nothing_is_asked(d1, installed, new_host, proxy):
    host = new_host("a")
    host.sync()
    proxy.plan = []
    host.sync()
    assert host.host.sync_thread._snapshots is None
    assert proxy.count == 1
    with pytest.raises(ArchiveError, match="no storage for snapshots"):
        take(host)
