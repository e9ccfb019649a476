"""The copy has exactly the rows of D1, and follows their changes."""

import os
import sqlite3
import stat
import threading

import pytest
from django.db import connections

from d1backend.replica import copy, status, version
from d1backend.replica.installation import install_log
from d1backend.replica.source import Source
from tests.d1.replica.models import Design, Person, Tag


def rows(alias, table, columns="*"):
    with connections[alias].cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {table} ORDER BY id")
        return cursor.fetchall()


def test_a_fill_brings_every_row_exactly(d1, installed, new_host):
    d1(
        "INSERT INTO designs (title, body, view_count, weight, picture) VALUES "
        "('कांजीवरम', '', 9223372036854775807, 0.1, x'00ff'), ('it''s', 'a\nb', -5, 1e300, NULL), ('', '1', 0, 5, NULL)"
    )
    host = new_host("a")
    host.sync()
    assert rows(host.replica, "designs") == [
        (1, "कांजीवरम", "", 9223372036854775807, 0.1, b"\x00\xff", None),
        (2, "it's", "a\nb", -5, 1e300, None, None),
        (3, "", "1", 0, 5.0, None, None),
    ]


def test_changes_are_brought_by_one_request(d1, host, proxy):
    d1("INSERT INTO designs (title, body, view_count, weight) VALUES ('a', '', 0, 0), ('b', '', 0, 0)")
    d1("INSERT INTO tags (design_id, label) VALUES (1, 'x'), (2, 'y')")
    d1("DELETE FROM designs WHERE id = 99")
    proxy.plan = []
    host.sync()
    assert proxy.count == 1
    assert rows(host.replica, "designs", "id, title, view_count") == [(1, "a", 1), (2, "b", 1)]
    d1("DELETE FROM tags WHERE id = 1", "UPDATE designs SET id = 7, title = 'c' WHERE id = 1")
    host.sync()
    assert rows(host.replica, "designs", "id, title") == [(2, "b"), (7, "c")]
    assert rows(host.replica, "tags", "id") == [(2,)]


def test_rows_may_exchange_unique_values(d1, host):
    d1("INSERT INTO designs (title, body, view_count, weight) VALUES ('a', '', 0, 0)")
    d1("INSERT INTO tags (design_id, label) VALUES (1, 'x'), (1, 'y')")
    host.sync()
    d1(
        "UPDATE tags SET label = 'z' WHERE id = 1",
        "UPDATE tags SET label = 'x' WHERE id = 2",
        "UPDATE tags SET label = 'y' WHERE id = 1",
    )
    host.sync()
    assert rows(host.replica, "tags", "id, label") == [(1, "y"), (2, "x")]


def test_search_works_in_the_copy_as_on_d1(d1, host):
    d1(
        "INSERT INTO designs (title, body, view_count, weight) "
        "VALUES ('silk saree', 'red', 0, 0), ('kurta', 'silk', 0, 0)"
    )
    host.sync()
    d1(
        "UPDATE designs SET title = 'cotton saree' WHERE id = 1",
        "UPDATE designs SET view_count = 3 WHERE id = 2",
    )
    host.sync()
    question = "SELECT rowid, rank FROM designs_search WHERE designs_search MATCH '{}' ORDER BY rank"
    with connections[host.replica].cursor() as cursor:
        for word in ("silk", "cotton", "sa*"):
            cursor.execute(question.format(word))
            assert [list(row) for row in cursor.fetchall()] == d1(question.format(word))
        cursor.execute("PRAGMA query_only=OFF")
        cursor.execute("INSERT INTO designs_search (designs_search, rank) VALUES ('integrity-check', 1)")


def test_the_files_are_private_and_hold_no_hidden_column(d1, installed, new_host):
    d1("INSERT INTO people (name, password_hash) VALUES ('asha', 'bcrypt$secret')")
    host = new_host("a")
    host.sync()
    assert rows(host.replica, "people") == [(1, "asha")]
    d1("UPDATE people SET password_hash = 'bcrypt$secret2'")
    host.sync()
    files = list(host.host.directory.path.iterdir())
    assert any(file.name.endswith(".sqlite3") for file in files)
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert b"secret" not in file.read_bytes()
    assert stat.S_IMODE(os.stat(host.host.directory.path).st_mode) == 0o700
    with pytest.raises(Exception, match="password_hash"):
        Person.objects.using(host.replica).get()


def test_a_long_log_of_the_copy_is_emptied_though_readers_overlap(d1, host, monkeypatch):
    monkeypatch.setattr(copy, "_LONG_LOG", 1)
    monkeypatch.setattr(copy, "_LOG_PATIENCE", 10)
    path = host.host.directory.open_current().path
    log = path.with_name(f"{path.name}-wal")
    row = "INSERT INTO designs (title, body, view_count, weight) VALUES ('{}', '', 0, 0)"
    first, second = (sqlite3.connect(path, isolation_level=None, check_same_thread=False) for _ in range(2))
    first.execute("BEGIN")
    first.execute("SELECT * FROM designs").fetchall()
    d1(row.format("a"))
    host.sync()
    long = log.stat().st_size
    second.execute("BEGIN")
    second.execute("SELECT * FROM designs").fetchall()
    first.close()
    monkeypatch.setattr(copy, "_LOG_PATIENCE", 10_000)
    end = threading.Timer(0.1, second.close)
    end.start()
    d1(row.format("b"))
    host.sync()
    end.join()
    assert log.stat().st_size < long
    assert rows(host.replica, "designs", "id, title") == [(1, "a"), (2, "b")]


def test_writes_to_the_copy_are_rejected(host):
    with pytest.raises(Exception, match="readonly"):
        Tag.objects.using(host.replica).delete()


def test_the_version_grows_with_changes_of_these_tables(d1, host):
    before = version(host.replica, ["designs"])
    d1("INSERT INTO designs (title, body, view_count, weight) VALUES ('a', '', 0, 0)")
    host.sync()
    inserted = version(host.replica, ["designs"])
    assert inserted > before
    d1("INSERT INTO people (name, password_hash) VALUES ('x', 'y')")
    host.sync()
    assert version(host.replica, ["designs", "tags"]) == inserted
    d1("UPDATE designs SET title = 'b'", "UPDATE designs SET view_count = 6")
    host.sync()
    assert version(host.replica, ["designs"]) > inserted


def test_hosts_agree_on_the_version(d1, host, other, new_host):
    d1("INSERT INTO designs (title, body, view_count, weight) VALUES ('a', '', 0, 0)")
    d1("UPDATE designs SET title = 'b'", "UPDATE designs SET view_count = 6")
    host.sync()
    third = new_host("c")
    third.sync()
    assert (
        version(host.replica, ["designs"])
        == version(third.replica, ["designs"])
        > version(other.replica, ["designs"])
    )


def test_many_changes_come_in_several_rounds(d1, host, proxy):
    numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4500) SELECT i FROM n"
    d1(f"INSERT INTO designs (title, body, view_count, weight) SELECT 't' || i, '', i, 0 FROM ({numbers})")
    proxy.plan = []
    host.sync()
    assert proxy.count == 3
    assert Design.objects.using(host.replica).count() == 4500
    assert status(host.replica)["usable"]


def test_a_log_that_was_dropped_and_installed_again_is_detected(d1, host):
    before = version(host.replica, ["designs"])
    d1(
        "DROP TABLE _d1_changes",
        "DROP TABLE _d1_replica",
        *(
            f"DROP TRIGGER {name}"
            for (name,) in d1(
                "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name GLOB '_d1_log_*'"
            )
        ),
    )
    d1("INSERT INTO designs (title, body, view_count, weight) VALUES ('unlogged', '', 0, 0)")
    source = Source(host.host.options, patient=True)
    assert install_log(source)
    assert not install_log(source)
    source.close()
    host.sync()
    assert rows(host.replica, "designs", "title") == [("unlogged",)]
    assert version(host.replica, ["designs"]) > before
