"""Snapshots of the copy: a new host is ready from one with a few requests, also from a real bucket."""

import os
import signal
import uuid

import pytest

from d1backend.archive import ArchiveError
from d1backend.replica import change_log, fill, status
from d1backend.replica.installation import install_log
from d1backend.replica.source import Source
from devtools.s3_server import s3_client, shared
from tests.d1.replica.models import Design
from tests.d1.replica.one_host import compare
from tests.d1.replica.snapshots import folder_of, newest, newest_of, restored_rows, take
from tests.d1.replica.test_fill import fill_now


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
