"""What cannot be restored is refused in a sentence, and a restore that was cut short is never served."""

import io
import json
from contextlib import closing
from datetime import UTC, datetime

import pyrage
import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command

from core import restores
from d1backend.archive import ContainerReader, ContainerWriter
from designs.models import Design
from operations.backups import contents, keys, restoring, schema, taking
from operations.backups.databases import D1Database, SqliteDatabase
from operations.backups.errors import BackupError
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
