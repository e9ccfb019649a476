"""A snapshot that is not sound, or not this host's, is rejected in one line and does no harm."""

import threading

import pytest
from django.core.files.storage import storages

from d1backend.archive import ahead
from d1backend.replica import snapshot
from tests.d1.replica.conftest import SECRET
from tests.d1.replica.one_host import compare
from tests.d1.replica.snapshots import damage, flipped, folder_of, newest, restored_rows, take
from tests.d1.replica.test_command import run

OTHER = "o" * 32


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
