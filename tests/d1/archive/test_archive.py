"""An archive gives back exactly what was written; one that is cut, swapped, damaged or foreign is rejected."""

import threading

import pytest
from django.core.files.storage import FileSystemStorage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from d1backend.archive import (
    ArchiveError,
    ArchiveReader,
    ArchiveWriter,
    KeyRing,
    StorageFolder,
    Table,
    ahead,
    writer,
)

SECRET, OTHER = "a secret of the tests", "another secret"
KEYS = KeyRing([SECRET], "tests")

integers = st.integers(-(2**63), 2**63 - 1)
values = (
    st.none()
    | integers
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary(max_size=80)
)
pages = st.lists(st.lists(st.tuples(integers, values, values), max_size=5), max_size=6)


class Memory:
    """A store in memory."""

    def __init__(self, objects=()):
        self.objects = dict(objects)

    def write(self, name, data):
        assert name not in self.objects
        self.objects[name] = data

    def read(self, name):
        if name not in self.objects:
            raise ArchiveError(f"its {name} is missing")
        return self.objects[name]


def typed(rows):
    return [[(type(value), repr(value)) for value in row] for row in rows]


def written(tables, keys=KEYS, facts=None):
    """A store with an archive of these tables, and its digest."""
    store = Memory()
    archive = ArchiveWriter(store, keys)
    for name, its_pages in tables.items():
        archive.write_table(Table(name, ("id", "a", "b"), "id"), its_pages)
    return store, archive.finish(facts or {})


def read(store, digest=None, keys=KEYS, start=0):
    reader = ArchiveReader.open(store, keys, digest)
    rows = {table.name: [] for table in reader.manifest.tables}
    for part, found in reader.parts(start):
        rows[part.table] += found
    return rows


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(writer, "_PART_TEXT", 40)


@pytest.fixture
def three(small_parts):
    """An archive of three parts, and its digest."""
    return written({"t": [[(n, "x" * 40, n)] for n in range(3)]})


@given(st.dictionaries(st.text(max_size=5), pages, max_size=3), st.dictionaries(st.text(), st.integers()))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_is_read_is_exactly_what_was_written(small_parts, tables, facts):
    store, digest = written(tables, facts=facts)
    found = read(store, digest)
    assert {name: typed(rows) for name, rows in found.items()} == {
        name: typed(row for page in its_pages for row in page) for name, its_pages in tables.items()
    }
    manifest = ArchiveReader.open(store, KEYS).manifest
    assert manifest.facts == facts
    assert {table.name: table.rows for table in manifest.tables} == {n: len(r) for n, r in found.items()}


def test_a_reader_goes_on_after_any_part(three):
    store, digest = three
    parts = ArchiveReader.open(store, KEYS).manifest.parts
    assert [part.last for part in parts] == [0, 1, 2]
    assert [row[0] for row in read(store, digest, start=2)["t"]] == [2]


def test_rows_are_compressed_and_unreadable_without_the_key():
    store, _ = written({"t": [[(n, "a plain word", None) for n in range(1000)]]})
    assert sum(map(len, store.objects.values())) < 8000
    assert not [data for data in store.objects.values() if b"plain" in data]


def test_the_previous_secret_is_tried_too():
    store, _ = written({"t": [[(1, "a", 2.0)]]})
    assert read(store, keys=KeyRing([OTHER, SECRET], "tests")) == {"t": [[1, "a", 2.0]]}


@pytest.mark.parametrize("keys", [KeyRing([OTHER], "tests"), KeyRing([SECRET], "another purpose")])
def test_another_key_or_context_opens_nothing(three, keys):
    with pytest.raises(ArchiveError, match="another key"):
        read(three[0], keys=keys)


@pytest.mark.parametrize("name", ["part-000000", "part-000002", "manifest"])
def test_a_missing_object_is_named(three, name):
    store, digest = three
    del store.objects[name]
    with pytest.raises(ArchiveError, match=f"{name} is missing"):
        read(store, digest)


@pytest.mark.parametrize("name", ["part-000001", "manifest"])
@pytest.mark.parametrize("pinned", [True, False])
def test_any_flipped_bit_and_any_cut_is_found(three, name, pinned):
    store, digest = three
    sound = store.objects[name]
    for at in range(len(sound)):
        flipped = sound[:at] + bytes([sound[at] ^ 1 << at % 8]) + sound[at + 1 :]
        for data in (flipped, sound[:at]):
            with pytest.raises(ArchiveError):
                read(Memory({**store.objects, name: data}), digest if pinned else None)


def test_parts_cannot_take_each_others_place(three):
    """The tag holds, also where the manifest's hashes would not show it."""
    store, _ = three
    key, _ = KEYS.open_manifest(store.objects["manifest"])
    assert key.unseal("part-000001", store.objects["part-000001"])
    for position in ("part-000000", "manifest"):
        with pytest.raises(ArchiveError):
            key.unseal(position, store.objects["part-000001"])


def test_a_part_or_manifest_of_another_archive_is_rejected(three):
    store, digest = three
    other, _ = written({"t": [[(n, "x" * 40, n)] for n in range(3)]})
    for name in store.objects:
        with pytest.raises(ArchiveError, match="of another archive"):
            read(Memory({**store.objects, name: other.objects[name]}), digest)
    with pytest.raises(ArchiveError, match="of another archive"):
        read(other, digest)


def test_another_format_is_named(three):
    store, _ = three
    store.objects["manifest"] = b"D1AR\x09" + store.objects["manifest"][5:]
    with pytest.raises(ArchiveError, match="of format 09, and this version reads 01"):
        read(store)


def test_a_store_that_hangs_is_given_up(three, monkeypatch):
    monkeypatch.setattr(ahead, "LONGEST_WAIT", 0.05)
    store, digest = three
    hung = threading.Event()

    class Hanging(Memory):
        def read(self, name):
            if name == "part-000001":
                hung.wait()
            return super().read(name)

    reader = ArchiveReader.open(Hanging(store.objects), KEYS, digest)
    parts = reader.parts()
    next(parts)
    with pytest.raises(ArchiveError, match=r"did not answer within 0\.05 s"):
        next(parts)
    hung.set()


def test_archives_in_a_folder_of_a_storage(tmp_path, three):
    folder = StorageFolder(FileSystemStorage(tmp_path), "archives/of a test")
    for name in ("one", "two"):
        for object_name, data in three[0].objects.items():
            folder.folder(name).write(object_name, data)
    assert folder.folders() == ["one", "two"]
    assert len(read(folder.folder("one"))["t"]) == 3
    with pytest.raises(ArchiveError, match="was stored before"):
        folder.folder("one").write("manifest", b"")
    folder.folder("one").delete()
    assert folder.folders() == ["two"]
    with pytest.raises(ArchiveError, match="its manifest is missing"):
        read(folder.folder("one"))


def test_what_a_storage_raises_names_its_class_alone(tmp_path):
    class Broken(FileSystemStorage):
        def _open(self, name, mode="rb"):
            raise ConnectionError("secret-host.example")

    with pytest.raises(ArchiveError, match=r"its manifest cannot be read \(ConnectionError\)"):
        read(StorageFolder(Broken(tmp_path), "x"))
