"""What cannot be restored is refused in a sentence, and a restore that was cut short is never served."""

import io
import json
import os
import signal
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from unittest.mock import Mock

import pyrage
import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command

from core import restores
from d1backend.archive import ContainerReader, ContainerWriter
from d1backend.replica.tables import TableSchema
from designs.models import Design
from operations.backups import contents, keys, places, restoring, schema, taking
from operations.backups.databases import D1Database, SqliteDatabase, database_of
from operations.backups.errors import BackupError
from operations.doctor import database as doctor
from operations.doctor.findings import Visit
from tests.backups.databases import count
from tests.factories.designs import FavouriteFactory

pytestmark = pytest.mark.django_db(transaction=True)

MOMENT = datetime(2026, 11, 29, 3, 17, tzinfo=UTC)


@pytest.fixture
def path(gallery, tmp_path):
    """A backup of the gallery."""
    path = tmp_path / "gallery-20261129T031700Z.backup"
    taking.take(path, MOMENT, [], print)
    return path


def refused(path, sentence, **options):
    """The command refuses the file, and the database of the test, which has rows, is not even looked at."""
    with pytest.raises(CommandError, match=sentence) as error:
        call_command("restore", str(path), **options)
    assert "\n" not in str(error.value)


def test_no_file(tmp_path):
    refused(tmp_path / "none.backup", "none.backup cannot be read .No such file or directory")


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"SQLite format 3\0" * 100, b"PK\x05\x06" + bytes(18)])
def test_something_else(tmp_path, data):
    (tmp_path / "photo.zip").write_bytes(data)
    refused(tmp_path / "photo.zip", "photo.zip is no backup that can be used: it is something else")


def test_cut_anywhere(path):
    whole = path.read_bytes()
    for size in range(80, len(whole), len(whole) // 17):
        path.write_bytes(whole[:size])
        refused(path, "it is cut short|it is something else")


def test_a_flipped_bit_anywhere(path):
    whole = path.read_bytes()
    refusals = set()
    for at in range(60, len(whole), len(whole) // 97):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :])
        try:
            with contents.opened(path) as backup:
                backup.archive.check()
        except BackupError as error:
            refusals.add(str(error).split(":")[1].split()[1])
    assert {"part-000003", "manifest"} & refusals


def test_the_command_finds_damage_before_it_writes(path, target):
    with ContainerReader(path, contents.ABOUT) as sound:
        part = sound.read("part-000001")
    damaged = path.read_bytes().replace(part[40:60], bytes(20))
    path.write_bytes(damaged)
    refused(path, "its part-000001 is damaged")


def test_another_key_none_and_a_file_without_one(gallery, tmp_path):
    path = tmp_path / "x.backup"
    identity = pyrage.x25519.Identity.generate()
    taking.take(path, MOMENT, [str(identity.to_public())], print)
    (tmp_path / "other").write_text(str(pyrage.x25519.Identity.generate()))
    (tmp_path / "public").write_text(str(identity.to_public()))
    refused(path, f"encrypted to {identity.to_public()}: name the file with its private key by --identity")
    refused(path, "the identity has another key", identity=str(tmp_path / "other"))
    refused(path, "public has no private key of age", identity=str(tmp_path / "public"))
    refused(path, "absent cannot be read", identity=str(tmp_path / "absent"))


@pytest.mark.parametrize("key", ["age1", "ssh-ed25519 AAAA", "AGE-SECRET-KEY-1"])
def test_a_backup_key_that_is_none(tmp_path, settings, key):
    settings.BACKUP_KEY = key
    with pytest.raises(CommandError, match="BACKUP_KEY is no public key of age") as error:
        call_command("backup", to=str(tmp_path))
    assert key not in str(error.value).replace("begins with age1", "") or key == "age1"
    assert list(tmp_path.glob("*.backup*")) == []


def test_older_and_newer_schemas(path, monkeypatch):
    known = schema.known_migrations()
    monkeypatch.setattr(schema, "known_migrations", lambda: {*known, ("designs", "0002_shelf")})
    refused(path, r"older schema than this code \(it lacks designs\.0002_shelf; version .* wrote it\)")
    monkeypatch.setattr(schema, "known_migrations", lambda: known - {("designs", "0001_initial")})
    refused(path, r"newer schema than this code \(designs\.0001_initial; version .* wrote it\)")


def test_other_columns_by_the_same_migrations(path, monkeypatch):
    columns = schema.expected_columns()
    columns["designs"].add("weave")
    monkeypatch.setattr(schema, "expected_columns", lambda: columns)
    refused(path, r"other columns in designs than this code, although .* \(version .* wrote it\)")


def test_a_database_that_is_not_empty(path):
    refused(path, r"The database is not empty: it has \d+ tables with [\d,]+ rows")


def test_a_restore_that_was_killed_is_not_served_and_not_continued(path, target, monkeypatch):
    """The marker is there from before the first table to the end."""
    database = D1Database if isinstance(restoring.database_of(target, print), D1Database) else SqliteDatabase
    insert = database.insert

    def killed(self, table, rows):
        if table.name == "designs":
            raise KeyboardInterrupt
        insert(self, table, rows)

    monkeypatch.setattr(database, "insert", killed)
    with contents.opened(path) as backup, pytest.raises(KeyboardInterrupt):
        restoring.restore(backup, path.name, print, target)
    assert count(target, restores.MARKER) == 1
    assert "core.E003" in {error.id for error in run_checks(tags=["database"], databases=[target])}
    monkeypatch.undo()
    with contents.opened(path) as backup, pytest.raises(BackupError, match="only from empty"):
        restoring.restore(backup, path.name, print, target)


def test_of_two_restores_at_one_time_one_goes_on(path, target, monkeypatch):
    """The other one finds the marker of the first where it had seen an empty database."""
    with closing(restoring.database_of(target, print)) as database:
        restoring._mark(database)
    monkeypatch.setattr(restoring, "_require_empty", lambda database: None)
    with (
        contents.opened(path) as backup,
        pytest.raises(BackupError, match="Another restore into this database"),
    ):
        restoring.restore(backup, path.name, print, target)


def test_a_marked_database_is_not_ready(gallery, client):
    with closing(restoring.database_of("default", print)) as database:
        assert client.get("/health/ready").status_code == 200
        restores._is_whole[0] = 0
        database.run([f"CREATE TABLE {restores.MARKER} (backup TEXT)"])
        try:
            answer = client.get("/health/ready")
        finally:
            database.run([f"DROP TABLE {restores.MARKER}"])
    assert answer.status_code == 503
    assert json.loads(answer.content) == {
        "status": "filling",
        "progress": 0.0,
        "message": restores.SENTENCE,
    }
    assert client.get("/health/ready").status_code == 200


def test_rows_that_do_not_arrive_are_found(path, target, monkeypatch):
    """Also where the database swallows them."""
    database = type(restoring.database_of(target, print))
    insert = database.insert

    def losing(self, table, rows):
        kept = list(rows)
        insert(self, table, kept[:-1] if table.name == "user_favorites" else kept)

    monkeypatch.setattr(database, "insert", losing)
    with contents.opened(path) as backup, pytest.raises(BackupError, match=r"user_favorites has .* not the"):
        restoring.restore(backup, path.name, print, target)
    assert count(target, restores.MARKER) == 1


def test_wrongly_counted_likes_are_reported(gallery, target, tmp_path):
    FavouriteFactory(user=gallery, design=Design.objects.first())
    Design.objects.filter(pk=Design.objects.first().pk).update(like_count=77)
    taking.take(tmp_path / "x.backup", MOMENT, [], print)
    with contents.opened(tmp_path / "x.backup") as backup:
        assert restoring.restore(backup, "x.backup", print, target).miscounted == 1


def test_nothing_is_left_of_a_backup_that_fails(gallery, tmp_path, monkeypatch, settings):
    settings.BACKUP_KEY = ""

    def failing(backup):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("operations.backups.taking._inventory", lambda: failing(None))
    with pytest.raises(CommandError, match="disk failed: No space left on device"):
        call_command("backup", to=str(tmp_path / "b"), stderr=io.StringIO())
    assert list((tmp_path / "b").iterdir()) == []


def test_a_killed_writer_leaves_no_backup(tmp_path):
    path = tmp_path / "gallery-20261129T031700Z.backup"
    writer = ContainerWriter(path, (contents.ABOUT, "x"))
    writer.write(*keys.member_of("secret", []))
    assert not path.exists()
    assert [one.name for one in tmp_path.glob("gallery*")] == [f"{path.name}.part"]
    writer._zip.close()
    writer._file.close()


@pytest.mark.parametrize("written", [10, 100_000])
def test_a_full_disk_keeps_nothing_of_a_backup(tmp_path, written):
    """Where its last bytes do not fit, and where one of its parts does not: a disk of no bytes at all."""
    place = tmp_path / "b"
    place.mkdir()
    (place / "x.backup.part").symlink_to("/dev/full")
    with (
        pytest.raises(OSError, match="No space left"),
        ContainerWriter(place / "x.backup", (contents.ABOUT, "x")) as file,
    ):
        file.write("part", bytes(written))
    assert list(place.iterdir()) == []


def test_two_at_once_do_not_take_each_others_draft(tmp_path):
    place = places.Folder(tmp_path / "b")
    with (
        place.writing("a.backup") as path,
        ContainerWriter(path, (contents.ABOUT, "x")),
        pytest.raises(BackupError, match=r"Another backup is being written to .*b\. Wait for it"),
        place.writing("b.backup"),
    ):
        pytest.fail("The second one has begun.")
    assert [one.name for one in (tmp_path / "b").iterdir()] == ["a.backup"]


@pytest.mark.parametrize("place", ["r2:backups", "R2:", "r2://x"])
def test_a_place_that_looks_like_the_bucket_is_no_folder(place, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(CommandError, match="r2: is the whole name of the private bucket"):
        call_command("backup", to=place, stderr=io.StringIO())
    assert list((tmp_path / "here").iterdir()) == []


def test_a_damaged_secret_is_not_taken_for_a_missing_one(path):
    with ContainerReader(path, contents.ABOUT) as sound:
        secret = sound.read("key")
    path.write_bytes(path.read_bytes().replace(secret, bytes(len(secret))))
    refused(path, "its key is damaged")


def test_a_new_database_and_one_with_the_marker_alone_have_no_backup(target, tmp_path):
    """They have no table of sequences either."""

    def refusal():
        with pytest.raises(BackupError) as error:
            taking.take(tmp_path / "b", MOMENT, [], print, target)
        return str(error.value)

    assert "run `manage.py migrate` first" in refusal()
    with closing(database_of(target, print)) as database:
        restoring._mark(database)
    assert refusal() == restores.SENTENCE
    assert not (tmp_path / "b").exists()


def test_a_database_that_a_restore_has_not_finished_is_not_worked_on(gallery, tmp_path, settings):
    """A backup of its rows would look whole, and tidy would delete what is not there yet."""
    settings.BACKUP_KEY = ""
    with closing(restoring.database_of("default", print)) as database:
        database.run([f"CREATE TABLE {restores.MARKER} (restore TEXT)"])
        try:
            for command, options in (("backup", {"to": str(tmp_path / "b")}), ("tidy", {})):
                with pytest.raises(CommandError, match=restores.SENTENCE):
                    call_command(command, **options, stdout=io.StringIO(), stderr=io.StringIO())
            assert doctor.answers(Visit()).sentence == restores.SENTENCE
        finally:
            database.run([f"DROP TABLE {restores.MARKER}"])
    assert list((tmp_path / "b").iterdir()) == []


@pytest.fixture
def _signals_count():
    """A process that was started in the background may ignore Ctrl-C, and one of nohup the end of its terminal."""
    before = {
        number: signal.signal(number, handler)
        for number, handler in {
            signal.SIGINT: signal.default_int_handler,
            signal.SIGHUP: signal.SIG_DFL,
        }.items()
    }
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_signals_count")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_restore_that_is_stopped_says_what_became_of_the_database(path, target, monkeypatch, stop):
    monkeypatch.setattr(restoring, "_index", lambda database, backup: os.kill(os.getpid(), stop))
    monkeypatch.setattr(restoring.restore, "__defaults__", (target,))
    before = signal.getsignal(stop)
    with pytest.raises(CommandError, match=r"^Stopped\. The new database is unfinished.*: delete it"):
        call_command("restore", str(path), stdout=io.StringIO())
    assert signal.getsignal(stop) == before
    assert count(target, restores.MARKER) == 1


def test_who_stops_reading_the_lines_of_a_restore_stops_it(path, target, monkeypatch):
    """As `| head` does. It was called a backup that cannot be read."""
    monkeypatch.setattr(restoring.restore, "__defaults__", (target,))
    with pytest.raises(CommandError, match=r"^Stopped\. The new database is unfinished"):
        call_command("restore", str(path), stdout=Mock(write=Mock(side_effect=BrokenPipeError)))


@pytest.mark.usefixtures("_signals_count")
def test_a_restore_that_is_stopped_at_its_very_end_does_not_call_the_database_unfinished(
    path, target, monkeypatch
):
    monkeypatch.setattr(restoring, "_install_log", lambda alias, note: os.kill(os.getpid(), signal.SIGINT))
    monkeypatch.setattr(restoring.restore, "__defaults__", (target,))
    with pytest.raises(CommandError, match=r"^Stopped\. The new database is whole"):
        call_command("restore", str(path), stdout=io.StringIO())
    assert count(target, f"sqlite_master WHERE name = '{restores.MARKER}'") == 0


@pytest.mark.usefixtures("_signals_count")
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_backup_that_is_stopped_leaves_nothing(gallery, tmp_path, monkeypatch, settings, stop):
    """Also no scratch database, which has every password's hash."""
    settings.BACKUP_KEY = ""
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    monkeypatch.setattr(restoring, "_index", lambda database, backup: os.kill(os.getpid(), stop))
    with pytest.raises(CommandError, match=r"^Stopped\. What is not named above was not done\.$"):
        call_command("backup", to=str(tmp_path / "b"), verify="", stdout=io.StringIO(), stderr=io.StringIO())
    assert list((tmp_path / "b").iterdir()) == []
    assert list(scratch.glob("gallery-*")) == []


def test_a_new_file_of_sqlite_is_its_owners_alone(tmp_path):
    with closing(SqliteDatabase(tmp_path / "new" / "gallery.sqlite3")) as database:
        database.run(["CREATE TABLE a (b)"])
        modes = {one.name: one.stat().st_mode & 0o777 for one in (tmp_path / "new").iterdir()}
    assert set(modes.values()) == {0o600}
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_a_full_disk_is_named_also_where_it_has_ended_the_transaction(tmp_path):
    table = TableSchema("a", "id", ("id", "b"))
    with closing(SqliteDatabase(tmp_path / "small.sqlite3")) as database:
        database.run(["CREATE TABLE a (id INTEGER PRIMARY KEY, b)"])
        database.ask(["PRAGMA max_page_count = 8", "PRAGMA journal_mode = MEMORY"])
        with pytest.raises(sqlite3.OperationalError, match="database or disk is full"):
            database.insert(table, [(number, "x" * 4000) for number in range(50)])
