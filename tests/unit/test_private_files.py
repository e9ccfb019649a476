"""What this process keeps in DATA is for its owner's eyes alone, also what an earlier version left open."""

import os
import stat
import subprocess
import sys
from contextlib import closing

import pytest
from django.db import ConnectionHandler, OperationalError

from core import private_files
from gallery_project import environment
from tests.unit.test_environment import env


def mode(path):
    return oct(stat.S_IMODE(path.stat().st_mode))


@pytest.fixture(autouse=True)
def _usual_umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


READ = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM t').fetchone()"


def database(data):
    return ConnectionHandler({"default": environment.default_database(env(), data)})["default"]


def written_database(data):
    connection = database(data)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t (x)")
    return connection


def test_the_database_is_private_from_its_first_moment(tmp_path, django_db_blocker):
    data = tmp_path / "data"
    with django_db_blocker.unblock(), closing(written_database(data)):
        assert mode(data) == "0o700"
        files = sorted(path.name for path in data.iterdir())
        assert files == ["gallery.sqlite3", "gallery.sqlite3-shm", "gallery.sqlite3-wal"]
        assert {mode(path) for path in data.iterdir()} == {"0o600"}


def test_a_further_connection_keeps_the_locks_of_the_others(tmp_path, django_db_blocker):
    with (
        django_db_blocker.unblock(),
        closing(written_database(tmp_path)),
        closing(database(tmp_path)) as further,
    ):
        further.ensure_connection()
        log = tmp_path / "gallery.sqlite3-wal"
        before = log.stat().st_ino
        # The last process to close the database deletes its log. This one has it open.
        subprocess.run([sys.executable, "-c", READ, tmp_path / "gallery.sqlite3"], check=True)
        assert log.exists()
        assert log.stat().st_ino == before


def test_the_secret_makes_its_folder_private(tmp_path):
    environment.kept_secret(tmp_path / "data" / "jwt-secret")
    assert mode(tmp_path / "data") == "0o700"


def test_what_stands_open_is_tightened(tmp_path):
    (tmp_path / "replica").mkdir()
    names = ["gallery.sqlite3", "gallery.sqlite3-wal", "gallery.sqlite3-shm", "demo-admin.json", "jwt-secret"]
    files = [tmp_path / name for name in [*names, "d1-calls", "replica/replica-1.sqlite3"]]
    for file in files:
        file.touch(0o644)
    tmp_path.chmod(0o755)
    private_files.tighten(tmp_path)
    assert {mode(file) for file in files} == {"0o600"}
    assert {mode(folder) for folder in (tmp_path, tmp_path / "replica")} == {"0o700"}


def test_what_is_not_ours_stays_as_it_is(tmp_path):
    other = tmp_path / "notes.txt"
    other.touch(0o644)
    private_files.tighten(tmp_path)
    assert mode(other) == "0o644"


def test_a_folder_that_all_share_stays_open(tmp_path):
    tmp_path.chmod(0o1777)
    (tmp_path / "jwt-secret").touch(0o644)
    private_files.tighten(tmp_path)
    assert mode(tmp_path) == "0o1777"
    assert mode(tmp_path / "jwt-secret") == "0o600"


def test_a_folder_that_is_not_there_yet_is_not_made(tmp_path):
    private_files.tighten(tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_what_belongs_to_another_is_told_and_stops_nothing(tmp_path, monkeypatch, caplog):
    (tmp_path / "jwt-secret").touch(0o644)

    def refuse(*_):
        raise PermissionError("not yours")

    monkeypatch.setattr("pathlib.Path.chmod", refuse)
    private_files.tighten(tmp_path)
    assert "jwt-secret" in caplog.text


def test_a_folder_that_can_not_be_written_is_an_error_of_the_database(tmp_path, django_db_blocker):
    (tmp_path / "data").touch()  # a file where the folder would be
    with django_db_blocker.unblock(), pytest.raises(OperationalError):
        written_database(tmp_path / "data")
