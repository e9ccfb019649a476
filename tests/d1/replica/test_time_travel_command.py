"""`manage.py d1_time_travel`: what it shows, refuses, asks and undoes, and what it says where it fails."""

import re
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta, timezone
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from d1backend import time_travel
from d1backend.management.commands.d1_time_travel import Command
from d1backend.time_travel import asks_what_is_lost, asks_what_is_next
from devtools import fault_plan
from tests.d1.replica.test_freshness import NEW

A_BOOKMARK = "00000085-0000024c-00004c6d-8e61117bf38d7adb71b934ebbf891683"


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
