"""What hosts make of a D1 that went back, by `manage.py d1_time_travel` or without it."""

import time

import pytest
from django.db import transaction

from d1backend import SerializationFailure
from d1backend.archive import ArchiveError
from d1backend.options import Settings
from d1backend.protocol.api import Api
from d1backend.replica import snapshot, version
from d1backend.replica.changes import NeedsRefill
from d1backend.replica.snapshot_lease import publish
from d1backend.replica.source import Source
from d1backend.sql.values import literal
from tests.d1.replica.conftest import TOKEN
from tests.d1.replica.models import Design
from tests.d1.replica.one_host import compare
from tests.d1.replica.snapshots import newest, restored_rows, take
from tests.d1.replica.test_freshness import NEW, age, titles
from tests.d1.replica.test_time_travel_command import bookmark_of, go_back


def go_back_elsewhere(proxy, d1, bookmark):
    """Take D1 back as Cloudflare's dashboard does, which tells nobody."""
    api = Api(Settings("an-account", TOKEN, proxy.url))
    api.restore(d1.database, bookmark)
    api.close()


def test_every_host_fills_its_copy_again_and_an_undo_does_it_once_more(d1, travel, host, other):
    d1(NEW.format("a"))
    then = bookmark_of(host)
    d1(NEW.format("b"), "UPDATE designs SET title = 'A' WHERE title = 'a'")
    host.sync()
    undo = go_back(host, then)
    d1(NEW.format("c"))
    for one in (host, other):
        one.sync()
        assert titles(one.replica) == ["a", "c"]
        compare(d1, one)
    go_back(host, undo)
    for one in (host, other):
        one.sync()
        assert titles(one.replica) == ["A", "b"]
        compare(d1, one)


def test_no_number_of_the_catalogue_comes_again(d1, travel, host, other):
    d1(NEW.format("a"))
    host.sync()
    given = {version(host.replica, ["designs"]): ["a"]}
    then = bookmark_of(host)
    for title in "bcd":
        d1(NEW.format(title))
        host.sync()
        given[version(host.replica, ["designs"])] = titles(host.replica)
    undo = go_back(host, then)
    for title in "xyz":
        d1(NEW.format(title))
        for one in (host, other):
            one.sync()
            assert given.setdefault(version(one.replica, ["designs"]), titles(one.replica)) == titles(
                one.replica
            )
    go_back(host, undo)
    other.sync()
    assert version(other.replica, ["designs"]) > max(given)
    assert len(given) == 7


def test_a_write_made_again_with_the_same_number_is_noticed(d1, travel, host, other, proxy):
    """Without the command. The same row has the same number in the log, and other content."""
    bookmark = bookmark_of(host)
    with transaction.atomic(host.source):
        Design.objects.using(host.source).create(title="lost")
    other.sync()
    assert titles(host.replica) == titles(other.replica) == ["lost"]
    number = d1("SELECT max(seq) FROM _d1_changes")
    key = d1("SELECT id FROM designs")
    go_back_elsewhere(proxy, d1, bookmark)
    d1(f"INSERT INTO designs (id, title, body, view_count, weight) VALUES ({key[0][0]}, 'again', '', 0, 0)")
    assert d1("SELECT max(seq) FROM _d1_changes") == number
    for one in (host, other):
        one.sync()
        assert titles(one.replica) == ["again"]
        compare(d1, one)


def test_a_fill_that_began_in_the_lost_time_begins_again(d1, installed, new_host, travel, proxy, monkeypatch):
    d1(NEW.format("a"))
    host = new_host("a")
    bookmark = bookmark_of(host)
    d1(NEW.format("lost"))
    fetch_page = Source.fetch_page

    def go_back_after_a_page(self, *arguments):
        page = fetch_page(self, *arguments)
        if not travel.restored:
            go_back_elsewhere(proxy, d1, bookmark)
            d1(NEW.format("x"), NEW.format("y"))
        return page

    monkeypatch.setattr(Source, "fetch_page", go_back_after_a_page)
    with pytest.raises(NeedsRefill, match="went back"):
        host.sync()
    host.sync()
    assert titles(host.replica) == ["a", "x", "y"]
    compare(d1, host)


def test_a_snapshot_of_the_lost_time_is_not_named_when_d1_has_gone_on(
    d1, travel, writing, proxy, monkeypatch
):
    bookmark = bookmark_of(writing)
    d1("UPDATE designs SET title = 'lost' WHERE id = 1")
    writing.sync()

    def go_back(*arguments):
        go_back_elsewhere(proxy, d1, bookmark)
        # The lease is the one thing that is as it was.
        d1(
            f"UPDATE _d1_snapshots SET holder = {literal(arguments[1])}",
            *["UPDATE designs SET title = 'x'"] * 3,
        )
        return publish(*arguments)

    monkeypatch.setattr(snapshot, "publish", go_back)
    with pytest.raises(ArchiveError):
        take(writing)
    assert newest(d1) is None


def test_an_object_of_a_lost_future_is_not_saved_over_what_came_instead(d1, travel, host, proxy):
    d1(NEW.format("a"))
    bookmark = bookmark_of(host)
    d1("UPDATE designs SET title = 'lost'")
    host.sync()
    read = Design.objects.get()
    assert read.title == "lost"
    go_back_elsewhere(proxy, d1, bookmark)
    d1("UPDATE designs SET title = 'instead'", "INSERT INTO people (name, password_hash) VALUES ('a', 'b')")
    read.body = "mine"
    with pytest.raises(SerializationFailure):
        read.save()
    assert d1("SELECT title, body FROM designs") == [["instead", ""]]


def test_no_key_that_was_given_is_given_again(d1, travel, host, other):
    d1(NEW.format("a"))
    then = bookmark_of(host)
    given = {Design.objects.using(host.source).create(title=f"lost {n}").pk for n in range(3)}
    # Both hosts hold keys that they reserved in the future that is lost.
    for one in (host, other):
        with transaction.atomic(one.source):
            given |= {Design.objects.using(one.source).create(title=f"lost {n}").pk for n in range(3)}
    go_back(host, then)
    new = []
    for one in (host, other, host):
        with transaction.atomic(one.source):
            new += [Design.objects.using(one.source).create(title=f"new {n}").pk for n in range(20)]
    d1(NEW.format("by another client"))
    new.append(d1("SELECT max(id) FROM designs")[0][0])
    assert len(new) == len(set(new)) == 61
    assert not given & set(new)


def test_a_database_from_before_the_log_and_the_tables_is_filled_when_it_is_there_again(
    d1, travel, host, other
):
    empty = bookmark_of(host)
    triggers = [name for (name,) in d1("SELECT name FROM sqlite_master WHERE name GLOB '_d1_log_*'")]
    d1(
        "DROP TABLE _d1_changes",
        "DROP TABLE _d1_replica",
        *(f"DROP TRIGGER {name}" for name in triggers),
        NEW.format("early"),
    )
    early = bookmark_of(host)
    go_back(host, empty)
    d1(NEW.format("late"))
    host.sync()
    assert titles(host.replica) == ["late"]
    go_back(host, early)
    for one in (host, other):
        one.sync()
        assert titles(one.replica) == ["early"]
        compare(d1, one)


def test_a_snapshot_of_a_lost_future_is_not_used(d1, travel, writing, host_with, caplog):
    then = bookmark_of(writing)
    d1("UPDATE designs SET title = 'lost'")
    writing.sync()
    lost = take(writing).name
    go_back(writing, then)
    d1("UPDATE designs SET title = 'now' WHERE id = 1")
    new = host_with("new")
    rows, _ = restored_rows(new, caplog)
    assert rows > 0
    compare(d1, new)
    writing.sync()
    assert take(writing).name != lost
    assert newest(d1) != lost
    assert restored_rows(host_with("third"), caplog)[0] == 0


def test_a_host_that_slept_through_it_notices_with_its_first_read(d1, travel, host, other):
    d1(NEW.format("a"))
    then = bookmark_of(host)
    d1(NEW.format("lost"))
    other.sync()
    go_back(host, then)
    for n in range(5):
        d1(NEW.format(f"n{n}"))
    other.host.reset()
    age(other, 3601)
    assert titles(other.replica) != []
    deadline = time.monotonic() + 20
    while titles(other.replica) != ["a", "n0", "n1", "n2", "n3", "n4"]:
        assert time.monotonic() < deadline
        age(other, 3601)
    compare(d1, other)
