"""The first fill: in pages, with progress, resumed after a kill, correct although rows change meanwhile."""

import os
import signal
import sqlite3

import pytest
from django.db import OperationalError, connections

from d1backend.replica import fill, status, version
from d1backend.replica.source import Source
from devtools import fault_plan
from devtools.fault_plan import RateLimit
from tests.d1.replica.models import MANY, Design, Tag
from tests.d1.replica.one_host import compare
from tests.d1.replica.test_freshness import until
from tests.d1.replica.test_processes import damage


@pytest.fixture
def many(d1, installed, new_host, monkeypatch):
    """A host without a copy; the 95 designs on D1 come in pages of 10, 20, 20, …"""
    monkeypatch.setattr(fill, "_FIRST_PAGE", 10)
    monkeypatch.setattr(fill, "_LARGEST_PAGE", 20)
    d1(MANY.format(95, ""))
    return new_host("a")


def fill_now(host, look=lambda table, rows: None):
    """Sync or fill the copy and return the pages that came; `look` is called after each page."""
    pages = []

    def told(table, rows):
        pages.append((table, rows))
        look(table, rows)

    source = Source(host.host.options, patient=True)
    try:
        host.host.sync_now(source, told)
    finally:
        source.close()
    return pages


def test_rows_come_in_pages_with_progress(many):
    assert fill_now(many) == [("designs", n) for n in (10, 20, 20, 20, 20, 5)] + [("people", 0), ("tags", 0)]
    assert Design.objects.using(many.replica).count() == 95


def test_progress_is_in_the_status(many):
    seen = []
    fill_now(many, lambda table, rows: seen.append(status(many.replica)["filling"]))
    assert [(one["table"], one["rows"], one["total"]) for one in seen[:3]] == [
        ("designs", 10, 95),
        ("designs", 30, 95),
        ("designs", 50, 95),
    ]
    assert [one["fraction"] for one in seen] == sorted(one["fraction"] for one in seen)
    assert seen[0]["fraction"] == 10 / 95
    assert seen[-1]["fraction"] == 1.0
    assert status(many.replica)["filling"] is None


def test_pages_of_long_rows_are_short(d1, installed, new_host):
    d1(MANY.format(30, "x"), "UPDATE designs SET body = hex(zeroblob(100000))")
    host = new_host("a")
    pages = [rows for table, rows in fill_now(host) if table == "designs"]
    assert sum(pages) == 30
    assert pages[0] == 10
    assert max(pages) <= 10
    compare(d1, host)


@pytest.mark.parametrize("at", [1, 4, 6, 8])
def test_a_fill_that_is_killed_is_resumed(d1, many, at):
    child = os.fork()
    if not child:
        count = iter(range(1, 99))

        def kill(table, rows):
            if next(count) == at:
                os.kill(os.getpid(), signal.SIGKILL)

        fill_now(many, kill)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert not status(many.replica)["usable"]
    d1("UPDATE designs SET title = 'later' WHERE id = 3", "DELETE FROM designs WHERE id = 4")
    d1("INSERT INTO tags (design_id, label) VALUES (1, 'x')")
    pages = fill_now(many)
    left = 95 - sum([10, 20, 20, 20, 20, 5][:at])
    assert sum(rows for table, rows in pages if table == "designs") == left
    compare(d1, many)
    assert Design.objects.using(many.replica).count() == 94


def test_rows_that_change_during_a_fill_are_correct_in_the_end(d1, many):
    """They are deleted, inserted, moved, and exchange unique values, before and after the current page."""
    d1(*(f"INSERT INTO tags (design_id, label) VALUES (1, 'x{i}')" for i in range(40)))
    changes = iter(
        [
            ["UPDATE designs SET title = 'early' WHERE id = 2", "UPDATE designs SET title = 'late' WHERE id = 90"],
            ["DELETE FROM designs WHERE id IN (3, 91)", "UPDATE designs SET id = 500 WHERE id = 7"],
            ["UPDATE designs SET id = 6000 + id WHERE id BETWEEN 60 AND 70"],
            ["INSERT INTO designs (id, title, body, view_count, weight) VALUES (4, 'x', '', 0, 0) "
             "ON CONFLICT DO UPDATE SET title = 'merged'"],
            [], [], [], [],
            ["UPDATE tags SET label = 'free' WHERE id = 1", "UPDATE tags SET label = 'x0' WHERE id = 39",
             "UPDATE tags SET label = 'x38' WHERE id = 1"],
            ["DELETE FROM tags WHERE id = 39", "INSERT INTO tags (design_id, label) VALUES (2, 'x0')"],
        ]
    )  # fmt: skip

    def meddle(table, rows):
        for sql in next(changes, []):
            d1(sql)

    fill_now(many, meddle)
    compare(d1, many)
    assert Tag.objects.using(many.replica).get(label="x38").pk == 1


def test_many_changes_while_a_table_is_filled_come_in_rounds(d1, many):
    def meddle(table, rows):
        if (table, rows) == ("designs", 5):
            d1(MANY.format(4500, ""))

    fill_now(many, meddle)
    compare(d1, many)


def test_a_fill_is_resumed_after_d1_was_down(d1, many, proxy):
    count = iter(range(99))

    def away(table, rows):
        if next(count) == 2:
            proxy.plan = fault_plan.always(fault_plan.RESET_BEFORE)

    many.connection.close()
    source = Source(many.host.options, patient=False)
    with pytest.raises(sqlite3.OperationalError):
        many.host.sync_now(source, away)
    source.close()
    proxy.plan = None
    assert next(rows for table, rows in fill_now(many) if table == "designs") == 10
    compare(d1, many)


def test_a_new_host_fills_by_itself_while_it_reads_from_d1(d1, many):
    assert Design.objects.count() == 95
    until(lambda: status(many.replica)["usable"])
    until(lambda: not status(many.replica)["degraded"])
    compare(d1, many)


class Stop(Exception):
    """A kill, without the process."""


def pages_of(host, stop_after=None):
    """Fill by fill_now(), as the command does; returns the pages of designs and the waits."""
    pages, waits = [], []

    def progress(table, count):
        if table == "designs":
            pages.append(count)
            if len(pages) == stop_after:
                raise Stop

    source = Source(host.host.options, patient=True, on_rate_limit=lambda seconds: waits.append(seconds))
    try:
        host.host.fill_now(source, progress, lambda seconds, error: waits.append(seconds))
    finally:
        source.close()
    return pages, waits


def test_the_command_goes_on_where_it_was_after_d1_was_away(d1, many, proxy):
    """D1 refuses connections in the middle of the fill for longer than one attempt takes."""
    impatient = {"retries": 1, "retry_budget": 0.1}
    count = iter(range(99))

    def plan(number, request):
        if b"_d1_changes" not in request.body and b"designs" in request.body:
            return fault_plan.RESET_BEFORE if 4 <= next(count) <= 8 else None
        return None

    proxy.plan = plan
    connections[many.source].settings_dict["OPTIONS"] |= impatient
    pages, waits = pages_of(many)
    assert sum(pages) == 95
    assert waits
    compare(d1, many)


def test_an_error_before_a_fill_has_begun_is_raised_at_once(many, proxy):
    proxy.go_down()
    with pytest.raises(sqlite3.OperationalError):
        pages_of(many)


def test_a_fill_that_meets_the_limit_again_and_again_takes_no_page_twice(d1, many, proxy):
    proxy.rate = RateLimit(5, 0.5)
    proxy.plan = []
    try:
        pages, waits = pages_of(many)
    finally:
        proxy.rate = None
    assert pages == [10, 20, 20, 20, 20, 5]
    assert waits
    compare(d1, many)


def test_the_thread_fills_through_the_limit_and_an_outage_without_further_reads(d1, many, proxy):
    """One read starts it; after that nobody reads, and D1 refuses in two ways."""
    count = iter(range(999))

    def plan(number, request):
        at = next(count)
        if at in (5, 7):
            return fault_plan.rate_limited("1")
        return fault_plan.RESET_BEFORE if at in (6, 9, 10) else None

    proxy.plan = plan
    many.host.sync_thread.request()
    until(lambda: many.host.directory.last_synced() is not None)
    assert next(count) > 10
    sent = [request.body for request, fault in proxy.log if fault is None]
    pages = [body for body in sent if b"LIMIT 10)" in body or b"LIMIT 20)" in body]
    assert len(pages) == len(set(pages)) >= 6
    until(lambda: not status(many.replica)["degraded"])
    compare(d1, many)


def test_the_total_survives_a_kill_and_every_process_can_read_it(d1, many):
    with pytest.raises(Stop):
        pages_of(many, stop_after=2)
    assert status(many.replica)["filling"] == {
        "table": "designs",
        "rows": 30,
        "total": 95,
        "fraction": 30 / 95,
    }
    # What comes meanwhile is not counted.
    d1("INSERT INTO tags (design_id, label) VALUES (1, 'x'), (2, 'y')")
    seen = []
    fill_now(many, lambda table, rows: seen.append(status(many.replica)["filling"]["fraction"]))
    assert seen == [40 / 95, 60 / 95, 80 / 95, 1.0, 1.0, 1.0]
    assert status(many.replica)["filling"] is None


def test_a_fill_follows_the_log_so_that_it_is_not_cut_beneath_it(d1, many, monkeypatch):
    """The log keeps few numbers, and is cut in the middle of a fill that has followed it so far."""
    monkeypatch.setattr(fill, "_CATCH_UP", 0.0)
    count = iter(range(99))

    def meddle(table, rows):
        if next(count) == 2:
            d1(*["UPDATE designs SET weight = weight + 1"] * 2)
        if next(count) == 4:
            d1("UPDATE _d1_replica SET floor = (SELECT max(seq) - 200 FROM _d1_changes)")

    pages = fill_now(many, meddle)
    assert sum(rows for table, rows in pages if table == "designs") == 95
    compare(d1, many)


def test_a_damaged_file_of_an_unfinished_fill_is_started_again(d1, many):
    def stop(table, rows):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill_now(many, stop)
    (path,) = many.host.directory.files()
    damage(path, "designs")
    with pytest.raises(sqlite3.DatabaseError):
        fill_now(many)
    fill_now(many)
    compare(d1, many)


def test_hosts_that_were_filled_at_other_times_agree_on_the_version(d1, many, new_host):
    fill_now(many)
    d1("UPDATE designs SET title = 'b' WHERE id = 1")
    other = new_host("b")
    fill_now(other, lambda table, rows: d1("UPDATE designs SET title = title || 'c' WHERE id = 2"))
    many.sync()
    assert version(many.replica, ["designs"]) == version(other.replica, ["designs"])
    assert version(many.replica, ["designs"]) > version(many.replica, ["tags"]) > 0


def test_a_missing_table_or_key_is_an_error_that_names_it(d1, schema, new_host):
    d1("DROP TABLE tags")
    host = new_host("a")
    with pytest.raises(LookupError, match="tags"):
        fill_now(host)
    d1("CREATE TABLE tags (label TEXT PRIMARY KEY)")
    with pytest.raises(ValueError, match="INTEGER PRIMARY KEY"):
        fill_now(host)


def test_a_read_without_a_copy_fails_with_what_to_do(many):
    with pytest.raises(OperationalError, match="d1_replica fill"):
        Design.objects.using(many.replica).count()
