"""What a connection keeps of a SQLite file holds only while nobody has changed the file."""

from contextlib import closing

import pytest
from django.db.utils import ConnectionHandler

from d1backend import kept_rows
from tests.races import at_once

pytestmark = pytest.mark.django_db

COUNT = "SELECT count(*) FROM things WHERE name = %s"


@pytest.fixture
def connect(tmp_path):
    """Connections of their own to one file."""
    opened = []

    def make():
        file = {"ENGINE": "core.sqlite", "NAME": str(tmp_path / "file.sqlite3")}
        one = ConnectionHandler({"default": file})["default"]
        opened.append(one)
        return one

    first = make()
    with first.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("CREATE TABLE things (name text)")
    yield make
    for one in opened:
        if one.connection is not None:  # each thread closes its own
            one.close()


def add(database, name="silk"):
    with database.cursor() as cursor:
        cursor.execute("INSERT INTO things VALUES (%s)", [name])


def count(database, name="silk"):
    return database.kept_rows(COUNT, [name])[0][0]


def test_an_answer_is_kept_while_nothing_changes(connect):
    reader = connect()
    first = reader.kept_rows(COUNT, ["silk"])
    assert reader.kept_rows(COUNT, ["silk"]) is first
    assert reader.kept_rows(COUNT, ["wool"]) is not first


def test_the_next_answer_has_what_another_connection_wrote(connect):
    reader, writer = connect(), connect()
    for expected in range(3):
        assert count(reader) == expected
        add(writer)


def test_the_next_answer_has_what_its_own_connection_wrote(connect):
    reader = connect()
    for expected in range(3):
        assert count(reader) == expected
        add(reader)


def test_a_read_of_what_was_rolled_back_is_not_kept(connect):
    reader = connect()
    assert count(reader) == 0
    reader.set_autocommit(False)
    add(reader)
    assert count(reader) == 1
    reader.rollback()
    reader.set_autocommit(True)
    assert count(reader) == 0


def test_a_transaction_goes_on_seeing_its_own_state(connect):
    reader, writer = connect(), connect()
    reader.set_autocommit(False)
    with reader.cursor() as cursor:
        cursor.execute("BEGIN")
    assert count(reader) == 0
    add(writer)
    assert count(reader) == 0
    reader.rollback()
    reader.set_autocommit(True)
    assert count(reader) == 1


def test_another_connection_does_not_take_over_what_the_last_one_kept(connect):
    reader, writer = connect(), connect()
    assert count(reader) == 0
    reader.close()
    add(writer)
    assert count(reader) == 1


def test_so_many_answers_are_kept_and_no_more(connect, monkeypatch):
    monkeypatch.setattr(kept_rows, "MOST", 2)
    reader = connect()
    kept = {name: reader.kept_rows(COUNT, [name]) for name in ("silk", "wool")}
    assert reader.kept_rows(COUNT, ["silk"]) is kept["silk"]
    reader.kept_rows(COUNT, ["jute"])
    assert reader.kept_rows(COUNT, ["silk"]) is kept["silk"]
    assert reader.kept_rows(COUNT, ["wool"]) is not kept["wool"]


def test_a_reader_never_goes_back_while_others_write(connect):
    def read():
        with closing(connect()) as reader:
            return [count(reader) for _ in range(300)]

    def write():
        with closing(connect()) as writer:
            for _ in range(50):
                add(writer)

    seen, *_ = at_once(read, write, write)
    assert seen == sorted(seen)
    assert count(connect()) == 100
