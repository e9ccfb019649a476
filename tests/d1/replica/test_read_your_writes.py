"""A write is visible at once, without another round trip, to its process and to the others of its host."""

import json
import subprocess
import sys

import pytest
from django.db import IntegrityError, connections, transaction

from d1backend.replica import on_primary, sync
from d1backend.replica.source import Source
from d1backend.test import assert_round_trips
from devtools import fault_plan
from tests.d1.replica.conftest import TOKEN
from tests.d1.replica.models import OPTIONS, Design, Note, Person, Tag
from tests.d1.replica.test_freshness import NEW


def titles(alias):
    return sorted(Design.objects.using(alias).values_list("title", flat=True))


def test_a_commit_is_visible_in_the_copy_after_one_round_trip(host, proxy):
    with transaction.atomic(host.source):
        # The first insert reserves keys for those that follow.
        warm = Design.objects.using(host.source).create(title="warm")
        Tag.objects.using(host.source).create(design=warm, label="warm")
    proxy.plan = []
    with assert_round_trips(1, using=host.source), transaction.atomic(host.source):
        design = Design.objects.using(host.source).create(title="a")
        Tag.objects.using(host.source).create(design=design, label="x")
    assert Design.objects.get(title="a").pk == design.pk
    assert Tag.objects.get(label="x").design.title == "a"
    assert proxy.count == 1


def test_an_autocommit_write_is_visible_in_the_copy_at_once(host, proxy):
    design = Design.objects.using(host.source).create(title="a")
    assert titles(host.replica) == ["a"]
    proxy.plan = []
    assert Design.objects.using(host.source).filter(pk=design.pk).update(title="b") == 1
    assert titles(host.replica) == ["b"]
    assert design.delete() == (1, {"d1replica.Design": 1})
    assert titles(host.replica) == []
    Design.objects.using(host.source).bulk_create([Design(title=f"t{i}") for i in range(300)])
    assert len(titles(host.replica)) == 300


def test_writes_are_visible_after_a_schema_change_that_drops_a_log_trigger(host, monkeypatch):
    monkeypatch.setattr(sync, "_SCHEMA_AGE", 15.0)
    host.sync()
    with connections[host.source].cursor() as cursor:
        cursor.execute("DROP TRIGGER _d1_log_designs_insert")
    Design.objects.using(host.source).create(title="a")
    assert titles(host.replica) == ["a"]


def test_a_commit_returns_the_earlier_writes_of_others(d1, host):
    d1("INSERT INTO designs (title, body, view_count, weight) VALUES ('theirs', '', 0, 0)")
    Design.objects.using(host.source).create(title="mine")
    assert titles(host.replica) == ["mine", "theirs"]


def test_a_rolled_back_transaction_shows_nothing(host):
    with transaction.atomic(host.source):
        Design.objects.using(host.source).create(title="never")
        transaction.set_rollback(True, host.source)
    Tag.objects.using(host.source).create(
        design=Design.objects.using(host.source).create(title="a"), label="x"
    )
    with pytest.raises(IntegrityError):
        Tag.objects.using(host.source).create(design_id=1, label="x")
    assert titles(host.replica) == ["a"]


def test_an_older_answer_does_not_undo_a_newer_one(host):
    """The changes of two commits may arrive in reverse order."""
    opened = host.host.directory.open_current()
    source = Source(host.host.options, patient=True)
    Design.objects.using(host.source).create(title="a")
    older = source.fetch_changes(opened.copy.shape(), 0)
    Design.objects.using(host.source).update(title="b")
    host.host.apply_commit(opened, older)
    source.close()
    assert titles(host.replica) == ["b"]


def test_a_write_whose_answer_is_lost_is_visible_to_the_next_read(host, proxy):
    Design.objects.using(host.source).create(title="a")
    proxy.plan = [fault_plan.RESET_AFTER]
    Design.objects.using(host.source).update(title="b")
    assert proxy.faults == ["reset after"]
    assert titles(host.replica) == ["b"]


def test_a_commit_succeeds_without_the_log(d1, host):
    d1("DROP TABLE _d1_replica")
    Design.objects.using(host.source).create(title="a")
    assert d1("SELECT title FROM designs") == [["a"]]


def test_a_commit_succeeds_without_a_copied_column(d1, host):
    d1("ALTER TABLE designs DROP COLUMN picture")
    with connections[host.source].cursor() as cursor:
        cursor.execute("INSERT INTO designs (title, body, view_count, weight) VALUES ('a', '', 0, 0)")
    assert d1("SELECT title FROM designs") == [["a"]]


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_commit_succeeds_when_the_copy_cannot_be_opened(d1, host, caplog, content):
    """`current` is a folder, or names no file."""
    current = host.host.directory.path / "current"
    current.unlink()
    if content is None:
        current.mkdir()
    else:
        current.write_bytes(content)
    Design.objects.using(host.source).create(title="a")
    assert d1("SELECT title FROM designs") == [["a"]]
    assert "replica" in caplog.text


def test_reads_go_to_the_copy_and_the_rest_to_the_source(host, proxy):
    design = Design.objects.using(host.source).create(title="a")
    Person.objects.using(host.source).create(name="asha", password="p")
    proxy.plan = []
    assert Design.objects.get().title == "a"
    assert Design.objects.get()._state.db == host.replica
    assert proxy.count == 0
    assert Person.objects.get().password == "p"
    assert proxy.count == 1
    with on_primary():
        assert Design.objects.get()._state.db == host.source
    with transaction.atomic(host.source):
        assert Design.objects.get()._state.db == host.source
    assert Person.objects.using(host.replica).defer("password").get().name == "asha"
    assert design.pk


def test_objects_of_the_copy_are_saved_to_the_source(d1, host):
    Design.objects.using(host.source).create(title="a")
    design = Design.objects.get()
    design.title = "b"
    design.save()
    assert d1("SELECT title FROM designs") == [["b"]]
    assert Design.objects.get().title == "b"
    tag = design.tags.create(label="x")
    note = design.notes.create(text="n")
    assert (tag._state.db, note._state.db) == (host.source, host.source)
    assert [n.text for n in design.notes.all()] == ["n"]
    assert Note(design=design, text="m").design is design
    note.delete()
    Tag.objects.get().delete()
    design.delete()
    assert d1("SELECT count(*) FROM designs") == [[0]]
    assert not Design.objects.exists()


def test_other_processes_of_the_host_see_a_write_at_once(host, tmp_path):
    Design.objects.using(host.source).create(title="a")
    script = (
        "import sqlite3, sys, pathlib; folder = pathlib.Path(sys.argv[1]);"
        "file = folder / (folder / 'current').read_text();"
        "print(sqlite3.connect(file).execute('SELECT title FROM designs').fetchall())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(host.host.directory.path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[('a',)]\n"


def test_other_processes_see_a_write_that_is_the_first_statement_of_its_process(d1, host, engine):
    plan = {
        "url": engine.url,
        "token": TOKEN,
        "database": d1.database,
        "folder": str(host.host.directory.path),
        "options": OPTIONS,
    }
    script = (
        "import json, sys; from tests.d1.replica import worker; worker.configure(json.loads(sys.argv[1]));"
        "from django.db import connection; cursor = connection.cursor();"
        f"cursor.execute({NEW.format('first')!r})"
    )
    subprocess.run([sys.executable, "-c", script, json.dumps(plan)], check=True)
    assert titles(host.replica) == ["first"]
