"""What --from may name, and what is refused in a sentence before anything is written."""

import sqlite3
import subprocess
import sys
import tracemalloc
from contextlib import suppress
from pathlib import Path
from unittest.mock import Mock

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.models import User
from operations.seed import SeedError, source
from operations.seed.report import Report
from tests.integration.seed.databases import SCHEMA, FileSeed, adopt, notes

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.django_db(transaction=True)


def refusal(name):
    with pytest.raises(CommandError) as error:
        call_command("adopt_seed", source=name)
    return str(error.value)


@pytest.mark.parametrize(
    "name", ["seed.sqlite3", "sqlite:///", "d1:", "d1:a/../b", "postgres://x", "sqlite://x"]
)
def test_a_name_of_no_database_is_refused(name):
    assert refusal(name) == source.HOW_TO_NAME


def test_files_that_are_no_seed_are_refused(tmp_path):
    path = tmp_path / "seed.sqlite3"
    assert refusal(f"sqlite:///{path}") == f"There is no file {path}."
    assert "four slashes" in refusal("sqlite:///seed.sqlite3")
    path.write_bytes(b"no database of SQLite" * 100)
    assert "cannot be read as a database of SQLite" in refusal(f"sqlite:///{path}")
    path.unlink()
    seed = FileSeed(path)
    seed.run("CREATE TABLE notes (id INTEGER)")
    assert refusal(seed.name).endswith("is not the seed's database: it lacks the table users.")
    seed.run(*SCHEMA)
    seed.run("ALTER TABLE designs RENAME COLUMN r2_object_key TO image")
    assert refusal(seed.name).endswith("it lacks the columns r2_object_key of designs.")


@pytest.mark.parametrize("table", ["users", "user_favorites"])
def test_a_view_in_place_of_a_table_is_named(seed, table):
    """Without this the favourites of all would be left behind, and one line of many would say so."""
    seed.run(f"ALTER TABLE {table} RENAME TO kept", f"CREATE VIEW {table} AS SELECT * FROM kept")
    assert f"{table} is a view, which is not read. Make a plain table" in refusal(seed.name)


def test_rows_without_rowids_are_refused_where_they_count_and_else_left_alone(seed):
    """As a full-text index has them too."""
    seed.run(
        "CREATE TABLE sessions (id TEXT PRIMARY KEY) WITHOUT ROWID", "CREATE VIRTUAL TABLE f USING fts5(a)"
    )
    with source.opened(seed.name) as found:
        assert set(found.tables) == {"users", "designs", "user_favorites", "app_settings"}
    seed.run(
        "DROP TABLE user_favorites",
        "CREATE TABLE user_favorites (user_id, design_id, PRIMARY KEY (user_id, design_id)) WITHOUT ROWID",
    )
    assert "user_favorites is a table WITHOUT ROWID" in refusal(seed.name)


def test_a_report_overwrites_nothing_but_a_report(seed, tmp_path):
    """The seed least of all."""
    file = FileSeed(tmp_path / "file.sqlite3")
    file.run(*SCHEMA)
    before = file.path.read_bytes()
    for _ in range(2):
        adopt(seed, report=tmp_path / "notes.csv")
        adopt(seed, report=tmp_path / "notes.json")
    with pytest.raises(CommandError, match=r"would overwrite .*file\.sqlite3, which is no report"):
        adopt(seed, report=file.path)
    assert file.path.read_bytes() == before
    other = tmp_path / "package.json"
    other.write_text('{"name": "gallery"}')
    with pytest.raises(CommandError, match=r"would overwrite .*package\.json, which is no report"):
        adopt(seed, report=other)
    assert other.read_text() == '{"name": "gallery"}'


def test_a_report_has_every_note_and_the_screen_the_first(seed, tmp_path):
    for number in range(30):
        seed.user(f"a b {number}", id=number + 1)
    said = adopt(seed, report=tmp_path / "notes.csv")
    assert "The first 20 of 30 notes" in said
    assert said.count("left out:") == 20
    assert (tmp_path / "notes.csv").read_text().count("left out") == 30
    found, whole = notes(seed, tmp_path)
    assert sorted(int(key) for _, key in found) == list(range(1, 31))
    assert (whole["source"], whole["applied"], whole["counts"]["users"]["left_out"]) == (seed.name, False, 30)


def test_the_report_is_there_although_nobody_reads_the_screen(seed, tmp_path):
    seed.user("no")
    gone = Mock(write=Mock(side_effect=BrokenPipeError))
    with pytest.raises(CommandError, match=r"^Stopped\."):
        call_command(
            "adopt_seed",
            source=seed.name,
            apply=True,
            report=tmp_path / "notes.csv",
            stdout=gone,
            verbosity=0,
        )
    assert "cannot be kept" in (tmp_path / "notes.csv").read_text()


def take_notes(report, count):
    for number in range(count):
        report.note("designs", number, "left out", f"the user {number} is not taken, or not there.")


def test_a_fault_in_every_row_takes_no_memory():
    for report in (Report(), Report(keeps_all=True)):
        take_notes(report, 100)
        tracemalloc.start()
        take_notes(report, 20_000)
        grown, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert grown < 500_000  # bytes


def test_a_full_disk_ends_the_notes_in_a_sentence(monkeypatch):
    report = Report(keeps_all=True)
    with open("/dev/full", "w") as full, suppress(OSError):
        monkeypatch.setattr(report, "all", full)
        with pytest.raises(SeedError, match=r"cannot be kept \(No space left on device\)\. Make room"):
            take_notes(report, 5000)


def test_a_database_of_this_gallery_is_no_seed(tmp_path):
    seed = FileSeed(tmp_path / "other.sqlite3")
    seed.run(*SCHEMA)
    seed.run("ALTER TABLE users ADD COLUMN username_key TEXT")
    assert refusal(seed.name).endswith("is a database of this gallery already, and no seed's.")


@pytest.mark.skipif(hasattr(connection, "round_trips"), reason="only SQLite")
def test_the_gallerys_own_file_and_d1_without_an_account_are_refused():
    own = refusal(f"sqlite:///{connection.settings_dict['NAME']}")
    assert "is the database of this gallery itself" in own
    assert "wrangler d1 create" in own
    assert "This gallery is not on D1" in refusal("d1:some-id")


@pytest.mark.skipif(not hasattr(connection, "round_trips"), reason="only D1")
def test_the_gallerys_own_d1_database_and_one_that_is_not_there_are_refused():
    assert "is the database of this gallery itself" in refusal(f"d1:{connection.connection.session.database}")
    assert refusal("d1:no-such-id").startswith("The D1 database no-such-id cannot be read: ")


@pytest.mark.skipif(not hasattr(connection, "round_trips"), reason="only D1")
def test_a_seed_that_is_still_in_use_is_refused(seed, monkeypatch):
    if isinstance(seed, FileSeed):
        return
    read = source.D1Tables.rows

    def read_while_others_write(self, table, columns):
        if table == "users":
            seed.user("late")
        return read(self, table, columns)

    monkeypatch.setattr(source.D1Tables, "rows", read_while_others_write)
    assert refusal(seed.name).startswith("The seed changed while it was read. Stop the service")


def test_ids_and_texts_come_as_they_are(seed, pictured, tmp_path):
    """Numbers of 53 bits, texts of any script and bytes, also through D1, whose JSON knows only floats."""
    large = 2**53 - 1
    seed.user("अनुष्का", id=large)
    seed.design("சேலை 🧵", id=large, description="two\nlines", colour="नील")
    seed.design("too large", id=2**53)
    seed.add("user_favorites", id=7, user_id=large, design_id=large, created_at="2024-05-01")
    path = tmp_path / "report.csv"
    said = adopt(seed, apply=True, report=path)
    assert "its id is no whole number from 1 on: “9007199254740992”" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert "designs                  2         1" in said
    with connection.cursor() as cursor:
        cursor.execute("SELECT d.title, d.colour, u.username FROM designs d, users u WHERE d.id = u.id")
        assert cursor.fetchall() == [("சேலை 🧵", "नील", "अनुष्का")]


def test_a_report_that_cannot_be_written_is_one_sentence(seed, tmp_path):
    seed.user()
    with pytest.raises(CommandError, match="The report cannot be written to"):
        adopt(seed, apply=True, report=tmp_path / "no-such-folder" / "report.json")
    assert not User.objects.exists()


def test_the_source_is_opened_for_reading_only(tmp_path):
    seed = FileSeed(tmp_path / "seed.sqlite3")
    seed.run(*SCHEMA)
    with source.opened(seed.name) as found, pytest.raises(sqlite3.OperationalError, match="readonly"):
        found.connection.execute("DELETE FROM users")


def test_migrate_leaves_the_seeds_own_database_alone(tmp_path):
    """Who names the seed's database as the gallery's is told so, instead of “table users already exists”."""
    seed = FileSeed(tmp_path / "seed.sqlite3")
    seed.run(*SCHEMA)
    before = seed.dump()
    variables = {"DATA": str(tmp_path / "data"), "DATABASE_URL": f"sqlite:///{seed.path}", "PATH": ""}
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate"], env=variables, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "This database is the seed's." in done.stderr
    assert "wrangler d1 create" in done.stderr
    assert seed.dump() == before
