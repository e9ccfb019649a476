"""`manage.py d1_time_travel`, and what hosts make of a D1 that went back, with that command or without it."""

import logging
import re
import time
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta, timezone
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connections, transaction

from d1backend import SerializationFailure, time_travel
from d1backend.archive import ArchiveError
from d1backend.management.commands.d1_time_travel import Command
from d1backend.options import Settings
from d1backend.protocol.api import Api
from d1backend.replica import snapshot, version
from d1backend.replica.changes import NeedsRefill
from d1backend.replica.snapshot_lease import publish
from d1backend.replica.source import Source
from d1backend.sql.values import literal
from d1backend.time_travel import asks_what_is_lost, asks_what_is_next, note_bookmark
from devtools import fault_plan
from devtools.time_travel import TimeTravel
from tests.d1.replica.conftest import TOKEN
from tests.d1.replica.hosts import compare
from tests.d1.replica.models import Design
from tests.d1.replica.snapshots import newest, restored_rows, take
from tests.d1.replica.test_freshness import NEW, age, titles

A_BOOKMARK = "00000085-0000024c-00004c6d-8e61117bf38d7adb71b934ebbf891683"


@pytest.fixture
def travel(engine, proxy):
    """Time Travel of D1, and at the end its copies are deleted."""
    with TimeTravel(engine.url, TOKEN) as travel:
        proxy.plan = travel
        yield travel


def run(host, *arguments):
    out = StringIO()
    call_command(Command(), *arguments, "--database", host.source, stdout=out)
    return out.getvalue()


def bookmark_of(host):
    return run(host).strip()


def go_back(host, bookmark):
    """Take D1 back by the command; returns the bookmark that undoes it."""
    said = run(host, "--at", bookmark, "--restore", "--no-input")
    return re.search(r"To undo: python manage.py d1_time_travel .*--at (\S+) --restore", said)[1]


def go_back_elsewhere(proxy, d1, bookmark):
    """Take D1 back as Cloudflare's dashboard does, which tells nobody."""
    api = Api(Settings("an-account", TOKEN, proxy.url))
    api.restore(d1.database, bookmark)
    api.close()


# The command


def test_it_shows_the_bookmark_of_now_and_of_a_time(travel, host):
    first, second = bookmark_of(host), bookmark_of(host)
    assert second > first
    # The API takes milliseconds.
    between = datetime.fromtimestamp(travel.bookmarks[first].moment + 0.001, UTC)
    assert between.timestamp() < travel.bookmarks[second].moment
    assert run(host, "--at", between.isoformat()) == f"{first}\n"
    zone = timezone(timedelta(hours=5, minutes=30))
    assert run(host, "--at", between.astimezone(zone).isoformat()) == f"{first}\n"


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("yesterday", "neither a bookmark nor a time"),
        ("2026-11-29", "has no time zone"),
        ("2026-11-29T09:30:00", "has no time zone"),
        ("9999-01-01T00:00:00Z", "in the future"),
        ("2020-01-01T00:00:00+05:30", "30 days, 7 on the free plan"),
    ],
)
def test_a_time_that_means_nothing_is_refused_before_d1_is_asked(travel, host, proxy, at, words):
    proxy.plan = travel
    with pytest.raises(CommandError, match=words):
        run(host, "--at", at, "--restore", "--no-input")
    assert proxy.count == 0


def test_a_moment_before_the_first_bookmark_is_refused(travel, host):
    with pytest.raises(CommandError, match="no bookmark"):
        run(host, "--at", (datetime.now(UTC) - timedelta(days=1)).isoformat())


def test_a_restore_needs_a_moment(travel, host):
    with pytest.raises(CommandError, match="--at"):
        run(host, "--restore", "--no-input")
    assert not travel.restored


def test_an_unknown_bookmark_changes_nothing(d1, travel, host):
    d1(NEW.format("a"))
    with pytest.raises(CommandError, match="not valid"):
        run(host, "--at", A_BOOKMARK, "--restore", "--no-input")
    assert d1("SELECT title FROM designs") == [["a"]]


def test_a_server_without_time_travel_is_named(host):
    with pytest.raises(CommandError, match="has no Time Travel"):
        run(host)


def test_a_database_that_is_not_on_d1_is_named(host):
    with pytest.raises(CommandError, match="not on D1"):
        call_command(Command(), "--database", host.replica)


@pytest.mark.parametrize(("answer", "restored"), [("no", 0), ("", 0), ("yes", 1)])
def test_it_says_what_is_lost_and_asks(d1, travel, host, monkeypatch, answer, restored):
    d1(NEW.format("a"))
    then = bookmark_of(host)
    d1(NEW.format("b"))
    said = StringIO()

    def reply(prompt):
        assert "is lost" in said.getvalue()
        assert "- 1 design" in said.getvalue()
        return answer

    def lost(using, since, **kwargs):
        assert (using, since) == (host.source, None)
        return ["1 design"]

    monkeypatch.setattr("builtins.input", reply)
    asks_what_is_lost.connect(lost)
    outcome = nullcontext() if restored else pytest.raises(CommandError, match="Nothing was done")
    try:
        with outcome:
            call_command(Command(), "--database", host.source, "--at", then, "--restore", stdout=said)
    finally:
        asks_what_is_lost.disconnect(lost)
    assert len(travel.restored) == restored
    assert len(d1("SELECT title FROM designs")) == 2 - restored


@pytest.mark.parametrize(
    ("stop", "words"),
    [(EOFError, "Nobody can be asked here. Nothing was done"), (KeyboardInterrupt, "^Nothing was done")],
)
def test_where_nobody_answers_nothing_is_done(travel, host, monkeypatch, stop, words):
    """Such as in a job of a server, which has no terminal; and after Ctrl-C."""
    monkeypatch.setattr("builtins.input", lambda prompt: raises(stop))
    with pytest.raises(CommandError, match=words):
        run(host, "--at", bookmark_of(host), "--restore")
    assert travel.restored == []


def test_one_that_is_stopped_says_that_it_may_have_gone_back(travel, host, monkeypatch):
    monkeypatch.setattr(time_travel.TimeTravel, "_tell", lambda *arguments: raises(KeyboardInterrupt))
    with pytest.raises(CommandError, match=r"Stopped while D1 went back.* Run the command again"):
        run(host, "--at", bookmark_of(host), "--restore", "--no-input")


def raises(error):
    raise error


def test_it_prints_what_is_next(travel, host):
    def advise(**kwargs):
        return ["Run erase_deleted."]

    asks_what_is_next.connect(advise)
    try:
        assert "- Run erase_deleted." in run(host, "--at", bookmark_of(host), "--restore", "--no-input")
    finally:
        asks_what_is_next.disconnect(advise)


def test_a_lost_answer_is_asked_for_again_and_can_be_undone(d1, travel, host, proxy):
    d1(NEW.format("a"))
    then = bookmark_of(host)
    d1(NEW.format("b"))
    lost = []

    def lose_the_first(number, request):
        fault = travel(number, request)
        if fault is not None and request.path.endswith(f"restore?bookmark={then}") and not lost:
            lost.append(fault)
            return fault_plan.RESET_BEFORE
        return fault

    proxy.plan = lose_the_first
    undo = go_back(host, then)
    assert lost
    assert travel.restored == [then, then]
    go_back(host, undo)
    assert d1("SELECT title FROM designs ORDER BY id") == [["a"], ["b"]]


def test_copies_that_could_not_be_told_are_named_with_what_to_do(d1, travel, host, proxy):
    then = bookmark_of(host)
    d1(NEW.format("a"))

    def fail_after(number, request):
        fault = travel(number, request)
        is_epoch = b"UPDATE _d1_replica SET epoch" in request.body
        return fault_plan.WRONG_TOKEN if fault is None and is_epoch else fault

    proxy.plan = fail_after
    with pytest.raises(CommandError, match=r"install --anew.*To undo: .*--at [0-9a-f-]+ --restore"):
        run(host, "--at", then, "--restore", "--no-input")
    assert d1("SELECT title FROM designs") == []


# What hosts make of it


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


# Before a migration

PLAN = [("a migration", False)]


def noted(host, caplog, plan=PLAN, **options):
    out = StringIO()
    caplog.clear()
    with caplog.at_level(logging.INFO, "d1backend.time_travel"):
        note_bookmark(host.source, plan=plan, stdout=out, **options)
    return out.getvalue(), [record.getMessage() for record in caplog.records]


def test_a_migration_notes_the_bookmark_and_the_command_that_undoes_it(d1, travel, host, caplog):
    said, logged = noted(host, caplog)
    (bookmark,) = travel.bookmarks
    assert said == (
        f"D1 before this migration: {bookmark}. To undo it: "
        f"python manage.py d1_time_travel --database {host.source} --at {bookmark} --restore\n"
    )
    assert logged == [said.strip()]
    assert noted(host, caplog, verbosity=0) != ("", [])
    d1("ALTER TABLE notes ADD COLUMN colour TEXT", NEW.format("lost"))
    go_back(host, bookmark)
    assert d1("SELECT count(*) FROM pragma_table_info('notes') WHERE name = 'colour'") == [[0]]


def test_nothing_to_migrate_asks_nothing(travel, host, proxy, caplog):
    proxy.plan = travel
    assert noted(host, caplog, plan=[]) == ("", [])
    assert proxy.count == 0


def test_a_migration_goes_on_where_there_is_no_time_travel(host, proxy, caplog):
    said, logged = noted(host, caplog)
    assert said.startswith("No bookmark was noted before this migration: This server has no Time Travel")
    assert logged == [said.strip()]
    assert said.count("\n") == 1
    proxy.plan = fault_plan.always(fault_plan.BAD_GATEWAY_BEFORE)
    assert noted(host, caplog)[0].startswith("No bookmark was noted before this migration: D1 answered 502")


def test_a_test_database_is_left_alone(travel, host, proxy, caplog, monkeypatch):
    monkeypatch.setattr("d1backend.time_travel.is_made_by_tests", lambda settings, name: True)
    proxy.plan = travel
    assert noted(host, caplog) == ("", [])
    assert proxy.count == 0


def test_a_database_elsewhere_is_left_alone(host, caplog):
    out = StringIO()
    note_bookmark(host.replica, plan=PLAN, stdout=out)
    assert out.getvalue() == ""
    assert connections[host.replica].settings_dict["ENGINE"] == "d1backend.replica"
