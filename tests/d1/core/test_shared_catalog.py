"""One catalog of the schema for all connections of a process and of a host, and never an old one."""

import json
import os
import stat
import threading
import uuid
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.db.models import F

from d1backend import SerializationFailure
from d1backend.protocol.api import Api
from d1backend.test import assert_round_trips
from d1backend.transaction import shared_catalog
from tests.d1.app.models import Author, Tag

pytestmark = pytest.mark.django_db(transaction=True)
TRIGGER = (
    "CREATE TRIGGER noted AFTER INSERT ON app_author BEGIN INSERT INTO app_tag (label) VALUES ('noted'); END"
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder that the processes of a host share."""
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "folder", str(tmp_path / "host"))
    connection.close()
    shared_catalog.forget()
    yield tmp_path / "host"
    connection.close()


@pytest.fixture
def other():
    """A second connection of this database, as another process holds one."""
    other = connection.copy("other")
    yield other
    other.close()


@pytest.fixture
def noted(other):
    """A function that makes a trigger through the other connection; it is dropped after the test."""

    def make(sql=TRIGGER):
        with other.cursor() as cursor:
            cursor.execute(sql)

    yield make
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER IF EXISTS noted")


def rows_read(run):
    before = connection.usage
    run()
    return connection.usage.since(before).rows_read


def create():
    return Author.objects.create(name=uuid.uuid4().hex)


def new_process():
    connection.close()
    shared_catalog.forget()


def catalog_file(folder: Path) -> Path:
    (file,) = folder.glob("d1-catalog-*")
    return file


def test_a_new_connection_reads_no_catalog():
    create()
    connection.close()
    assert rows_read(create) < 60


def test_a_new_process_takes_the_catalog_from_the_host(folder):
    create()
    assert stat.S_IMODE(catalog_file(folder).stat().st_mode) == 0o600
    new_process()
    with assert_round_trips(1):
        assert rows_read(create) < 60


def cut(content):
    return content[: len(content) // 2]


def of_another_database(content):
    return b"0" * 64 + content[64:]


def with_another_row(content):
    return content.replace(b"app_author", b"app_nobody")


def without_rows(content):
    return b"\n".join([*content.split(b"\n", 2)[:2], b"[]"])


@pytest.mark.parametrize(
    "damage", [cut, of_another_database, with_another_row, without_rows, lambda content: b""]
)
def test_a_damaged_or_foreign_file_is_ignored_and_replaced(damage, folder):
    create()
    file = catalog_file(folder)
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    new_process()
    with assert_round_trips(1):
        create()
    assert json.loads(file.read_bytes().split(b"\n", 2)[2]) == json.loads(whole.split(b"\n", 2)[2])


def test_a_file_behind_a_link_is_ignored(folder, tmp_path):
    create()
    file = catalog_file(folder)
    file.rename(tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", file)
    new_process()
    create()
    assert not file.is_symlink()


def test_a_folder_that_cannot_be_written_is_no_error(folder):
    folder.write_text("a file, not a folder")
    create()


def test_an_old_file_is_replaced_after_the_schema_has_changed(folder, noted):
    create()
    file = catalog_file(folder)
    old = file.read_bytes()
    noted()
    file.write_bytes(old)
    new_process()
    with transaction.atomic():
        create()
        assert Tag.objects.filter(label="noted").count() == 1
    assert file.read_bytes() != old


def test_a_read_in_a_transaction_sees_what_a_new_trigger_writes(noted):
    create()
    with transaction.atomic():
        create()
        assert not Tag.objects.filter(label="noted").exists()
        noted()
        assert Tag.objects.filter(label="noted").count() == 1
    assert Tag.objects.filter(label="noted").count() == 1


def test_a_rehearsal_contains_what_a_new_trigger_makes_relevant(noted):
    create()
    tag = Tag.objects.create(label="kept")
    with transaction.atomic():
        create()
        Tag.objects.filter(pk=tag.pk).update(label="changed")
        noted()
        assert sorted(Tag.objects.values_list("label", flat=True)) == ["changed", "noted"]


def test_a_conflict_that_a_new_trigger_causes_does_not_repeat(noted):
    def touch(author):
        Tag.objects.filter(label="x")._raw_delete("default")
        author.save(force_update=True)

    Tag.objects.create(label="x")
    with pytest.raises(SerializationFailure), transaction.atomic():
        author = Author.objects.create(name="doomed")
        noted(
            "CREATE TRIGGER noted AFTER DELETE ON app_tag BEGIN DELETE FROM app_author WHERE name = 'doomed'; END"
        )
        touch(author)
    with pytest.raises(DatabaseError, match="did not affect any rows"), transaction.atomic():
        touch(Author.objects.create(name="doomed"))


def test_raw_sql_is_converted_as_the_column_is_declared_now(other):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE switch (value bool)")
        cursor.execute("INSERT INTO switch VALUES (5)")
        try:
            cursor.execute("SELECT value FROM switch")
            with other.cursor() as elsewhere:
                elsewhere.execute("DROP TABLE switch")
                elsewhere.execute("CREATE TABLE switch (value integer)")
                elsewhere.execute("INSERT INTO switch VALUES (5)")
            connection.close()
            with connection.cursor() as anew:
                anew.execute("SELECT value FROM switch")
                assert anew.fetchall() == [(5,)]
        finally:
            with connection.cursor() as last:
                last.execute("DROP TABLE switch")


@pytest.mark.parametrize("locking", ["", " FOR UPDATE"])
def test_a_star_stands_for_the_columns_that_the_table_has_now(other, locking):
    with connection.cursor() as cursor, other.cursor() as elsewhere:
        cursor.execute("CREATE TABLE wider (a)")
        try:
            cursor.execute("SELECT * FROM wider")
            with transaction.atomic():
                cursor.execute("INSERT INTO wider (a) VALUES (1)")
                elsewhere.execute("ALTER TABLE wider ADD COLUMN b")
                cursor.execute(f"SELECT * FROM wider{locking}")
                assert [column[0] for column in cursor.description] == ["a", "b"]
                assert cursor.fetchall() == [(1, None)]
        finally:
            cursor.execute("DROP TABLE wider")


def test_a_change_of_the_schema_by_a_new_connection_is_known_to_the_process():
    create()
    connection.close()
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TRIGGER noted AFTER INSERT ON app_tag BEGIN UPDATE app_author SET id = id + 1000; END"
            )
        with transaction.atomic():
            author = Author.objects.create(name="moved")
            Tag.objects.create(label="moves")
            assert Author.objects.filter(pk=author.pk).update(score=3) == 0
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER IF EXISTS noted")


def test_a_table_dropped_by_other_hands_makes_the_catalog_be_read_again(folder):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE by_hand (a)")
        cursor.execute("INSERT INTO by_hand VALUES (1)")
        outside(connection, "DROP TABLE by_hand", TRIGGER)
        try:
            with pytest.raises(DatabaseError, match="no such table: by_hand"):
                cursor.execute("SELECT a FROM by_hand")
            with transaction.atomic():
                create()
                assert Tag.objects.filter(label="noted").count() == 1
        finally:
            cursor.execute("DROP TRIGGER noted")


def outside(wrapper, *statements):
    """Change the schema without this backend's version."""
    session = wrapper.connection.session
    api = Api(session.api.settings)
    api.batch(session.database, [(sql, []) for sql in statements])
    api.close()


def test_a_database_of_an_earlier_version_gets_its_schema_a_version(folder):
    create()
    outside(connection, 'DROP VIEW "_d1_schema"')
    new_process()
    catalog_file(folder).unlink()
    assert list(Author.objects.filter(name="B")) == []
    assert not list(folder.glob("d1-catalog-*"))
    create()
    new_process()
    assert rows_read(create) < 60


def test_the_view_of_the_version_is_not_listed():
    create()
    names = connection.introspection.table_names(include_views=True)
    assert not [name for name in names if name.startswith("_d1_")]


def test_transactions_stay_right_while_the_schema_changes_all_the_time(other):
    """A trigger comes and goes; each transaction sees its own insert, or fails as a whole."""
    author = create()
    stop = threading.Event()
    results = []

    def toggle():
        with other.cursor() as cursor:
            while not stop.is_set():
                cursor.execute(TRIGGER)
                cursor.execute("DROP TRIGGER noted")

    thread = threading.Thread(target=toggle)
    other.inc_thread_sharing()
    thread.start()
    try:
        for _ in range(30):
            try:
                with transaction.atomic():
                    before = Author.objects.count()
                    create()
                    results.append((before + 1, Author.objects.count()))
                    Author.objects.filter(pk=author.pk).update(score=F("score") + 1)
            except SerializationFailure:
                continue
    finally:
        stop.set()
        thread.join()
        other.dec_thread_sharing()
        connections["default"].cursor().execute("DROP TRIGGER IF EXISTS noted")
    assert results
    assert all(expected == seen for expected, seen in results)
