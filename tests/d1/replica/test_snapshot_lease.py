"""Of many hosts one writes a snapshot, however they pause, die, or lose an answer."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.files.storage import storages
from django.db import DatabaseError

from d1backend.archive import ArchiveError
from d1backend.replica import snapshot
from d1backend.replica.snapshot import SnapshotNotTaken, take_snapshot
from d1backend.replica.source import Source
from devtools import fault_plan
from tests.d1.replica.one_host import compare
from tests.d1.replica.snapshots import folder_of, newest, restored_rows, take


def test_of_two_hosts_that_ask_at_once_one_writes(d1, writing, host_with, bucket):
    other = host_with("other")
    other.sync()
    start = threading.Barrier(2)

    def attempt(host):
        start.wait()
        try:
            return take(host).name
        except SnapshotNotTaken as reason:
            return str(reason)

    with ThreadPoolExecutor() as pool:
        said = sorted(pool.map(attempt, [writing, other]))
    assert said[0] == newest(d1)
    assert said[1].startswith(("another host may write one for ", "none is due"))
    assert len(list(folder_of(bucket, d1).parent.iterdir())) == 1


def test_the_lease_of_a_host_that_was_killed_ends(d1, writing, host_with, bucket, caplog):
    child = os.fork()
    if not child:
        storages["private"].on_write = lambda name: (
            "part-000001" in name and os.kill(os.getpid(), signal.SIGKILL)
        )
        take(writing)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    other = host_with("other")
    assert restored_rows(other, caplog)[1] == []
    with pytest.raises(SnapshotNotTaken, match=r"another host may write one for (900|89.) s more"):
        take(other)
    d1("UPDATE _d1_snapshots SET lease = unixepoch()")
    take(other)
    assert [folder.name for folder in folder_of(bucket, d1).parent.iterdir()] == [newest(d1)]
    new = host_with("new")
    assert restored_rows(new, caplog) == (0, [])
    compare(d1, new)


def test_a_host_whose_lease_ended_publishes_nothing(d1, writing, bucket, monkeypatch):
    def lose(name):
        d1("UPDATE _d1_snapshots SET holder = 'another'")

    monkeypatch.setattr(storages["private"], "on_write", lose)
    with pytest.raises(ArchiveError, match="its lease ended"):
        take(writing)
    assert newest(d1) is None
    assert list(folder_of(bucket, d1, "x").parent.iterdir()) == []


def test_a_host_that_was_paused_for_longer_than_its_lease_publishes_nothing(
    d1, writing, host_with, bucket, monkeypatch, caplog
):
    other = host_with("other")
    other.sync()
    taken = []

    def pause(name):
        if "part-000002" in name and not taken:
            d1("UPDATE _d1_snapshots SET lease = unixepoch()")
            taken.append("begun")
            taken.append(take(other).name)

    monkeypatch.setattr(storages["private"], "on_write", pause)
    with pytest.raises(ArchiveError, match="its lease ended"):
        take(writing)
    assert newest(d1) == taken[1]
    assert [folder.name for folder in folder_of(bucket, d1).parent.iterdir()] == [taken[1]]
    new = host_with("new")
    assert restored_rows(new, caplog) == (0, [])
    compare(d1, new)


def test_a_host_that_was_paused_before_it_deletes_old_snapshots_spares_newer_ones(
    d1, writing, host_with, caplog, monkeypatch
):
    take(writing)
    other = host_with("other")
    other.sync()
    later = []
    original = snapshot.publish

    def publish_and_pause(*arguments):
        state = original(*arguments)
        if not later:
            later.append("begun")
            later.extend(take(other, only_when_due=False).name for _ in range(2))
        return state

    monkeypatch.setattr(snapshot, "publish", publish_and_pause)
    take(writing, only_when_due=False)
    assert newest(d1) == later[2]
    new = host_with("new")
    assert restored_rows(new, caplog) == (0, [])
    compare(d1, new)


@pytest.mark.parametrize("ahead_by", [-(10**7), 10**7])
def test_the_lease_follows_the_clock_of_d1(d1, writing, host_with, monkeypatch, ahead_by):
    other = host_with("other")
    other.sync()
    take(writing)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + ahead_by)
    with pytest.raises(SnapshotNotTaken, match="none is due"):
        take(other)
    d1("UPDATE _d1_snapshots SET holder = 'another', lease = unixepoch() + 100, taken = 0")
    with pytest.raises(SnapshotNotTaken, match="another host may write one"):
        take(other)
    d1("UPDATE _d1_snapshots SET lease = unixepoch()")
    assert take(other).name == newest(d1)
    assert abs(d1("SELECT taken FROM _d1_snapshots")[0][0] - now()) < 60


@pytest.mark.parametrize(
    ("fault", "is_published"),
    [(fault_plan.RESET_AFTER, True), (fault_plan.SLOW_LATE, True), (fault_plan.RESET_BEFORE, False)],
)
def test_a_snapshot_is_whole_although_the_answer_to_its_publication_was_lost(
    d1, writing, host_with, bucket, proxy, caplog, fault, is_published
):
    source = Source(writing.host.options, patient=False)
    proxy.plan = lambda number, request: fault if "previous = name" in str(request.sql) else None
    with pytest.raises(DatabaseError):
        take_snapshot(writing.host.directory, source, gently=False)
    source.close()
    proxy.settle()
    proxy.plan = None
    assert (newest(d1) is not None) == is_published
    new = host_with("new")
    rows, lines = restored_rows(new, caplog)
    assert ((rows == 0), lines) == (is_published, [])
    compare(d1, new)
    d1("UPDATE _d1_snapshots SET lease = 0")
    names = {newest(d1), take(writing, only_when_due=False).name} - {None}
    assert {folder.name for folder in folder_of(bucket, d1).parent.iterdir()} == names


def test_a_publication_that_is_sent_twice_counts_once(d1, writing, proxy):
    before = take(writing).name
    sent = []

    def plan(number, request):
        if "previous = name" in str(request.sql):
            sent.append(number)
            return fault_plan.RESET_AFTER if len(sent) == 1 else None
        return None

    proxy.plan = plan
    taken = take(writing, only_when_due=False)
    assert len(sent) == 2
    assert (newest(d1), taken.previous) == (taken.name, before)


def test_a_snapshot_is_due_each_day_and_after_half_of_the_log(d1, writing):
    take(writing)
    with pytest.raises(SnapshotNotTaken, match="none is due"):
        take(writing)
    for due in (
        "UPDATE _d1_snapshots SET taken = taken - 86400",
        "INSERT INTO _d1_changes (seq, tbl, key) SELECT max(seq) + 50000, 'no table', 1 FROM _d1_changes",
        "UPDATE _d1_snapshots SET epoch = 'of another log'",
    ):
        d1(due)
        take(writing)


def test_the_newest_two_are_kept(d1, writing, bucket):
    names = [take(writing, only_when_due=False).name for _ in range(3)]
    kept = {folder.name for folder in folder_of(bucket, d1).parent.iterdir()}
    assert kept == set(names[1:])


def test_a_storage_that_fails_while_writing_is_named_and_nothing_is_published(d1, writing, monkeypatch):
    def fail(name):
        raise ConnectionError("secret-host")

    monkeypatch.setattr(storages["private"], "on_write", fail)
    with pytest.raises(ArchiveError, match=r"part-000000 was not stored \(ConnectionError\)"):
        take(writing)
    assert newest(d1) is None
