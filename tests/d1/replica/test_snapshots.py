"""Snapshots of the copy: one host writes them, a new host is ready from one, and one that is not sound does no harm."""

import os
import signal
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages
from django.db import DatabaseError

from d1backend.archive import ArchiveError, ahead
from d1backend.replica import change_log, fill, snapshot, snapshot_thread, status
from d1backend.replica.installation import install_log
from d1backend.replica.snapshot import SnapshotNotTaken, take_snapshot
from d1backend.replica.source import Source
from devtools import fault_plan
from devtools.s3_server import s3_client, shared
from tests.d1.replica.conftest import SECRET
from tests.d1.replica.hosts import compare
from tests.d1.replica.models import Design
from tests.d1.replica.test_command import run
from tests.d1.replica.test_fill import fill_now
from tests.d1.replica.test_freshness import until

OTHER = "o" * 32


def take(host, **options):
    source = Source(host.host.options, patient=True)
    try:
        return take_snapshot(host.host.directory, source, gently=False, **options)
    finally:
        source.close()


def newest(d1):
    return d1("SELECT name FROM _d1_snapshots")[0][0]


def folder_of(bucket, d1, name=None):
    return bucket / "snapshots" / d1.database / (name or newest(d1))


def restored_rows(host, caplog):
    """Fill a host; how many rows came from D1's pages, and the lines about snapshots."""
    from_d1 = []
    original = Source.fetch_page

    def fetch_page(self, *arguments):
        rows, size = original(self, *arguments)
        from_d1.append(len(rows))
        return rows, size

    caplog.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Source, "fetch_page", fetch_page)
        fill_now(host)
    return sum(from_d1), [r.getMessage() for r in caplog.records if "napshot" in r.getMessage()]


def newest_of(host):
    source = Source(host.host.options, patient=True)
    try:
        return snapshot.newest_snapshot(host.host.directory, source)
    finally:
        source.close()


# A new host


def test_a_new_host_is_ready_from_a_snapshot_with_a_few_requests(d1, writing, host_with, proxy, caplog):
    take(writing)
    d1("UPDATE designs SET title = 'later' WHERE id = 3", "DELETE FROM designs WHERE id = 4")
    d1("INSERT INTO tags (design_id, label) VALUES (1, 'new')", "DELETE FROM tags WHERE id = 5")
    new = host_with("new")
    proxy.plan = []
    assert restored_rows(new, caplog) == (0, [])
    assert proxy.count <= 6
    compare(d1, new)
    assert Design.objects.using(new.replica).get(pk=3).title == "later"
    assert status(new.replica)["snapshot"] == newest(d1)


def test_a_new_host_follows_the_log_however_long_since_the_snapshot(d1, writing, host_with, proxy, caplog):
    taken = take(writing)
    d1(
        "DELETE FROM tags",
        "INSERT INTO tags (design_id, label) WITH RECURSIVE n(i) AS "
        "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 48000) SELECT 1, 'later' || i FROM n",
    )
    assert d1("SELECT max(seq) FROM _d1_changes")[0][0] - taken.seq > 48_000
    new, asked = host_with("new"), []
    proxy.plan = lambda number, request: asked.append(change_log.VERSIONS_QUERY in str(request.sql)) and None
    assert restored_rows(new, caplog)[0] == 0
    assert len(asked) <= 35
    # The question for the versions reads the whole log.
    assert sum(asked) == 1
    compare(d1, new)


def test_a_snapshot_holds_no_hidden_column_and_nothing_in_the_clear(d1, writing, bucket):
    take(writing)
    for file in folder_of(bucket, d1).iterdir():
        assert b"secret" not in file.read_bytes()
        assert b"words" not in file.read_bytes()


def test_the_newest_snapshot_is_told_with_its_age_if_it_can_be_opened(d1, writing, bucket):
    taken = take(writing)
    found = newest_of(writing)
    assert found.name == taken.name
    assert 0 <= found.age < 60
    manifest = folder_of(bucket, d1) / "manifest"
    manifest.write_bytes(manifest.read_bytes()[:-1])
    with pytest.raises(ArchiveError, match="damaged"):
        newest_of(writing)
    manifest.unlink()
    with pytest.raises(ArchiveError, match="missing"):
        newest_of(writing)


def test_a_host_that_was_killed_goes_on_after_the_last_part(d1, writing, host_with, caplog):
    take(writing)
    new = host_with("new")
    child = os.fork()
    if not child:
        count = iter(range(1, 99))

        def kill(table, rows):
            if next(count) == 4:
                os.kill(os.getpid(), signal.SIGKILL)

        fill_now(new, kill)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    d1("DELETE FROM designs WHERE id IN (2, 299)", "UPDATE designs SET title = 'later' WHERE id IN (3, 298)")
    (path,) = new.host.directory.files()
    pages = fill_now(new)
    assert 0 < sum(rows for table, rows in pages if table == "designs") < 300
    assert new.host.directory.files() == [path]
    compare(d1, new)


def test_the_log_keeps_what_the_newest_snapshot_needs_up_to_a_cap(d1, writing, monkeypatch):
    monkeypatch.setattr(change_log, "_KEPT", 10)
    taken = take(writing)
    source = Source(writing.host.options, patient=True)

    def floor_after_more_changes(kept_from):
        monkeypatch.setattr(change_log, "_KEPT_FROM", kept_from)
        for n in range(40):
            d1(f"UPDATE designs SET title = '{n}' WHERE id = {n + 1}")
        install_log(source)
        return d1("SELECT floor FROM _d1_replica")[0][0]

    plain = change_log._KEPT_FROM
    tenth = plain.replace("100000", "10")
    assert floor_after_more_changes(tenth) <= taken.seq
    assert floor_after_more_changes(tenth.replace("500000", "50")) > taken.seq
    source.close()


def stop_fill(host):
    """Begin a fill that is killed after its first page."""

    def stop(table, rows):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill_now(host, stop)


def test_a_copy_that_was_begun_from_an_older_snapshot_is_begun_again(d1, writing, host_with, caplog):
    take(writing)
    new = host_with("new")

    stop_fill(new)
    d1("UPDATE designs SET title = 'b' WHERE id = 1")
    writing.sync()
    take(writing, only_when_due=False)
    assert restored_rows(new, caplog) == (0, [])
    assert len(new.host.directory.files()) == 1
    compare(d1, new)


def test_an_unfinished_fill_from_d1_goes_on_without_a_snapshot(d1, writing, host_with, caplog, monkeypatch):
    monkeypatch.setattr(fill, "_FIRST_PAGE", 100)
    monkeypatch.setattr(fill, "_LARGEST_PAGE", 100)
    new = host_with("new")

    stop_fill(new)
    d1("UPDATE designs SET title = 'b' WHERE id = 1")
    writing.sync()
    take(writing)
    rows, lines = restored_rows(new, caplog)
    assert (rows, lines) == (200 + 40 + 1, [])
    compare(d1, new)


# Snapshots that must not be used


def damage(bucket, d1, name, change):
    path = folder_of(bucket, d1) / name
    path.write_bytes(change(path.read_bytes()))


def flipped(data):
    return data[:60] + bytes([data[60] ^ 1]) + data[61:]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("manifest", flipped), ("manifest", lambda data: data[:-1]), ("part-000001", flipped),
        ("part-000003", lambda data: data[:-20]), ("part-000000", lambda data: b""),
    ],
)  # fmt: skip
def test_a_damaged_snapshot_is_rejected_in_one_line(d1, writing, host_with, bucket, caplog, name, change):
    take(writing)
    damage(bucket, d1, name, change)
    new = host_with("new")
    rows, lines = restored_rows(new, caplog)
    assert rows > 0
    assert len(lines) == 1
    assert f"Snapshot {newest(d1)} of the replica replica_new is not used: its {name}" in lines[0]
    compare(d1, new)


def test_parts_that_are_swapped_or_missing_are_rejected(d1, writing, host_with, bucket, caplog):
    take(writing)
    folder = folder_of(bucket, d1)
    (folder / "part-000001").rename(folder / "aside")
    (folder / "part-000002").rename(folder / "part-000001")
    rows, lines = restored_rows(host_with("swapped"), caplog)
    assert rows > 0
    assert [line.split(": ")[1] for line in lines] == ["its part-000001 is damaged or of another archive."]
    (folder / "part-000001").unlink()
    new = host_with("cut")
    rows, lines = restored_rows(new, caplog)
    assert [line.split(": ")[1] for line in lines] == ["its part-000001 is missing."]
    compare(d1, new)


def test_an_older_snapshot_in_its_place_is_rejected(d1, writing, host_with, bucket, caplog):
    take(writing)
    older = folder_of(bucket, d1)
    kept = {file.name: file.read_bytes() for file in older.iterdir()}
    d1("UPDATE designs SET title = 'b' WHERE id = 1")
    writing.sync()
    take(writing, only_when_due=False)
    for name, data in kept.items():
        (folder_of(bucket, d1) / name).write_bytes(data)
    new = host_with("new")
    rows, lines = restored_rows(new, caplog)
    assert rows > 300
    assert len(lines) == 1
    assert "its manifest is damaged or of another archive" in lines[0]
    compare(d1, new)


def test_a_snapshot_of_another_key_epoch_or_settings_is_rejected(d1, writing, host_with, caplog, bucket):
    take(writing)
    expected = {
        "was encrypted with another key": host_with("key", keys=[OTHER]),
        "it was made for other settings": host_with("settings", hide={}, unrouted=[]),
    }
    for line, host in expected.items():
        rows, lines = restored_rows(host, caplog)
        assert rows > 300
        assert len(lines) == 1
        assert line in lines[0]
    run(writing, "install", "--anew")
    new = host_with("epoch")
    rows, lines = restored_rows(new, caplog)
    assert rows > 300
    assert [line.split(": ")[1] for line in lines] == ["it is of another epoch."]
    compare(d1, new)


def test_the_snapshot_of_another_database_is_rejected(d1, writing, host_with, bucket, caplog):
    """Even where its manifest is the one that the row names."""
    take(writing)
    folder = folder_of(bucket, d1)
    folder.parent.rename(folder.parent.parent / "elsewhere")
    original = snapshot._place_of
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshot, "_place_of", lambda directory, database: original(directory, "elsewhere"))
        rows, lines = restored_rows(host_with("new"), caplog)
    assert rows > 300
    assert "another key" in lines[0]


def test_a_snapshot_that_the_log_no_longer_continues_is_rejected(d1, writing, host_with, caplog):
    taken = take(writing)
    d1("UPDATE designs SET title = 'b' WHERE id = 1", f"UPDATE _d1_replica SET floor = {taken.seq + 1}")
    new = host_with("new")
    rows, lines = restored_rows(new, caplog)
    assert rows > 300
    assert ["the log on D1 does not continue it" in line for line in lines] == [True]
    compare(d1, new)


def test_the_previous_key_is_tried(d1, writing, host_with, caplog):
    take(writing)
    new = host_with("new", keys=[OTHER, SECRET])
    assert restored_rows(new, caplog) == (0, [])
    compare(d1, new)


@pytest.mark.parametrize("part", ["manifest", "part-000002"])
@pytest.mark.parametrize("how", ["fails", "hangs"])
def test_a_storage_that_fails_or_hangs_does_not_stop_the_fill(
    d1, writing, host_with, caplog, monkeypatch, part, how
):
    take(writing)
    monkeypatch.setattr(ahead, "LONGEST_WAIT", 0.2)
    released = threading.Event()

    def on_read(name):
        if part in name:
            if how == "hangs":
                released.wait()
            raise ConnectionError("key")

    monkeypatch.setattr(storages["private"], "on_read", on_read)
    new = host_with("new")
    rows, lines = restored_rows(new, caplog)
    released.set()
    assert rows > 0
    assert len(lines) == 1
    compare(d1, new)


# The lease


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


# A real bucket


@pytest.fixture
def s3(settings, tmp_path_factory, worker_id):
    """A client of a bucket of its own on SeaweedFS, which STORAGES names as "private"."""
    alone = worker_id == "master"
    folder = tmp_path_factory.getbasetemp() if alone else tmp_path_factory.getbasetemp().parent
    server = shared(folder, os.getpid() if alone else os.getppid())
    client = s3_client(server["endpoint"], server["access_key"], server["secret_key"])
    bucket = f"private-{uuid.uuid4().hex[:12]}"
    client.create_bucket(Bucket=bucket)
    options = {
        "access_key": server["access_key"], "secret_key": server["secret_key"],
        "endpoint_url": server["endpoint"], "bucket_name": bucket,
    }  # fmt: skip
    backend = {"BACKEND": "core.r2.PrivateBucket", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "private": backend}
    return lambda: [entry["Key"] for entry in client.list_objects_v2(Bucket=bucket).get("Contents", ())]


def test_snapshots_in_a_real_bucket(d1, writing, host_with, s3, caplog):
    names = [take(writing, only_when_due=False).name for _ in range(3)]
    assert {key.split("/")[2] for key in s3()} == set(names[1:])
    new = host_with("new")
    assert restored_rows(new, caplog) == (0, [])
    compare(d1, new)
    d1("UPDATE _d1_snapshots SET name = 'another'")
    rows, lines = restored_rows(host_with("third"), caplog)
    assert rows > 300
    assert [line.split(": ")[1] for line in lines] == ["its manifest is missing."]


# Who writes, and when


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
