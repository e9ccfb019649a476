"""Views add up in the process and in its host's file: none lost, none doubled, whatever happens in between."""

import os
import sqlite3
import threading
import time
from datetime import UTC, datetime
from unittest import mock

import pytest
from django.db import OperationalError, connection
from django.db.backends.signals import connection_created

from d1backend import OutcomeUnknown
from designs import counters, view_spool
from designs.models import DailyCount, DayTotal, Design
from tests.factories.designs import DesignFactory

ON_D1 = pytest.mark.skipif(not hasattr(connection, "round_trips"), reason="only D1 bills (TEST_ENGINE=d1)")


@pytest.fixture
def host(settings, tmp_path):
    """The folder of a host."""
    settings.DATA = tmp_path
    return tmp_path


@pytest.fixture
def views(host):
    """Counters of one's own, as a process has at its start."""
    return counters.Counts()


@pytest.fixture
def neighbour(host):
    """Those of another process of the host."""
    return counters.Counts()


def waiting(views):
    """How many views wait in the process and in the file of its host."""
    views.hand_over()
    found = view_spool.take(views.file, 0.0)
    view_spool.add(views.file, *found)
    return sum(found.views.values())


@pytest.mark.django_db
def test_many_views_are_written_by_few_statements(views, django_assert_max_num_queries):
    first, second = DesignFactory(view_count=10), DesignFactory()
    for _ in range(3):
        views.add(first.pk)
    views.add(second.pk)
    with django_assert_max_num_queries(7):  # five at most, between a savepoint and its release
        views.flush()
    with django_assert_max_num_queries(0):
        views.flush()
    assert list(Design.objects.order_by("id").values_list("view_count", flat=True)) == [13, 1]
    assert sorted(DailyCount.objects.values_list("design", "views")) == [(first.pk, 3), (second.pk, 1)]

    views.add(first.pk)
    views.flush()
    assert DailyCount.objects.get(design=first).views == 4
    assert DayTotal.objects.values_list("views", "designs").get() == (5, 2)


@pytest.mark.django_db
def test_views_of_a_deleted_design_count_nowhere(views):
    kept, doomed = DesignFactory(), DesignFactory()
    for design in (kept, doomed):
        views.add(design.pk)
    doomed.delete()
    views.flush()
    assert [total.views for total in DayTotal.objects.all()] == [1]
    assert DailyCount.objects.get().design == kept


@pytest.mark.django_db
def test_a_view_counts_for_the_day_it_was_made_on(views):
    design = DesignFactory()
    for moment in (datetime(2026, 5, 1, 23, 59, tzinfo=UTC), datetime(2026, 5, 2, 0, 1, tzinfo=UTC)):
        with mock.patch("django.utils.timezone.now", return_value=moment):
            views.add(design.pk)
    views.flush()
    assert [str(day) for day in DailyCount.objects.order_by("day").values_list("day", flat=True)] == [
        "2026-05-01",
        "2026-05-02",
    ]
    assert Design.objects.get().view_count == 2
    assert [total.views for total in DayTotal.objects.filter(views__gt=0)] == [1, 1]


@pytest.mark.django_db
def test_what_could_not_be_written_is_kept_for_the_next_time(views):
    design = DesignFactory()
    views.add(design.pk)
    with (
        mock.patch.object(counters, "ADD_TO_DAYS", "INSERT INTO no_such_table VALUES (%s, %s)"),
        pytest.raises(OperationalError),
    ):
        views.flush()
    assert Design.objects.get().view_count == 0
    views.add(design.pk)
    views.flush()
    assert Design.objects.get().view_count == 2


def test_what_may_have_been_written_is_not_written_again(views):
    views.add(1)
    with (
        mock.patch.object(counters, "write_counts", side_effect=OutcomeUnknown("the answer was lost")),
        pytest.raises(OutcomeUnknown),
    ):
        views.flush()
    assert waiting(views) == 0


def test_what_d1_says_was_not_written_stays_pending(views):
    views.add(1)
    lost = OutcomeUnknown("the answer was lost")
    lost.ask = lambda: False
    with mock.patch.object(counters, "write_counts", side_effect=lost), pytest.raises(OutcomeUnknown):
        views.flush()
    assert waiting(views) == 1


@pytest.mark.django_db
def test_one_process_writes_for_its_whole_host(views, neighbour):
    design = DesignFactory()
    for process in (views, neighbour):
        process.add(design.pk)
    neighbour.hand_over()
    views.flush()
    assert Design.objects.get().view_count == 2
    with mock.patch.object(counters, "write_counts") as write:
        neighbour.flush()
    assert not write.called


@pytest.mark.django_db
def test_a_host_writes_once_in_so_many_seconds(views, neighbour):
    design = DesignFactory()
    views.add(design.pk)
    views.flush()
    for process in (views, neighbour):
        process.add(design.pk)
        process.flush(every=600.0)
    assert Design.objects.get().view_count == 1
    with mock.patch("time.time", return_value=time.time() + 601):
        neighbour.flush(every=600.0)
    assert Design.objects.get().view_count == 3


@pytest.mark.django_db
def test_views_that_a_killed_process_left_in_the_file_are_written_by_the_next(views, neighbour):
    design = DesignFactory()
    neighbour.add(design.pk)
    neighbour.hand_over()
    neighbour.forget()
    views.flush()
    assert Design.objects.get().view_count == 1


def test_views_that_the_file_does_not_take_are_kept_in_memory(views, host):
    (host / "views.sqlite3").mkdir()
    views.add(1)
    with pytest.raises(sqlite3.OperationalError):
        views.flush()
    assert sum(views.pending.values()) == 1


@pytest.mark.django_db
def test_more_than_one_write_takes_are_written_by_the_next(views, monkeypatch):
    monkeypatch.setattr(view_spool, "MOST_TAKEN", 2)
    for design in DesignFactory.create_batch(3):
        views.add(design.pk)
    views.flush()
    assert sum(Design.objects.values_list("view_count", flat=True)) == 2
    views.flush()
    assert sum(Design.objects.values_list("view_count", flat=True)) == 3


def test_views_of_many_processes_all_reach_the_file(host):
    def count_in_a_child():
        pid = os.fork()
        if pid == 0:
            own = counters.Counts()
            for _ in range(20):
                own.add(7)
                own.hand_over()
            os._exit(0)
        return pid

    children = [count_in_a_child() for _ in range(4)]
    assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 4
    assert sum(view_spool.take(host / "views.sqlite3", 0.0).views.values()) == 80


@pytest.mark.django_db(transaction=True)
@ON_D1
@pytest.mark.parametrize("designs", [1, 10, 50])
def test_a_write_of_views_is_one_round_trip_and_bills_few_rows(views, designs):
    made = DesignFactory.create_batch(designs)
    used = []
    for _ in range(2):
        for design in made:
            views.add(design.pk)
        before = connection.usage
        views.flush()
        used.append(connection.usage.since(before))
    first, last = used
    assert {usage.round_trips for usage in used} == {1}
    # A design, its index by views, and its count of the day with the index of that; 100 rows read are the schema's.
    assert first.rows_written <= 4 * designs + 14
    assert last.rows_written <= 3 * designs + 14
    assert last.rows_read <= 13 * designs + 100


@pytest.mark.django_db(transaction=True)
def test_views_of_many_threads_all_count_while_others_write(views):
    design = DesignFactory()

    def look():
        for _ in range(50):
            views.add(design.pk)
        views.flush()
        connection.close()

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Design.objects.get().view_count == 300


def test_a_child_process_does_not_write_what_its_parent_saw(views):
    views.add(1)
    pid = os.fork()
    if pid == 0:
        os._exit(len(views.pending))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert sum(views.pending.values()) == 1


@pytest.mark.django_db(transaction=True)
def test_the_thread_writes_by_itself(views, settings):
    settings.VIEW_FLUSH_SECONDS = 0.01
    design = DesignFactory()
    written = threading.Event()
    with mock.patch.object(counters, "write_counts", side_effect=[OperationalError("away"), None]) as write:
        write.side_effect = lambda *counts: written.set() if write.call_count > 1 else fail()
        views.add(design.pk)
        assert written.wait(10)
    assert write.call_args_list[0] == write.call_args_list[1]
    settings.VIEW_FLUSH_SECONDS = 0
    views.thread.join(10)
    assert not views.thread.is_alive()


@pytest.mark.django_db(transaction=True)
def test_the_thread_writes_over_one_connection_until_that_fails(views, settings):
    settings.VIEW_FLUSH_SECONDS = 0.01
    design, opened = DesignFactory(), []

    def note(connection, **kwargs):
        if threading.current_thread() is views.thread and connection.alias == "default":
            opened.append(connection)

    def look():
        """One more view, written."""
        views.add(design.pk)
        wait_until(lambda: not views.pending and not views.may_be_in_file)
        with views.writing:  # which a flush holds from before it takes them
            return Design.objects.get().view_count

    connection_created.connect(note)
    try:
        assert [look(), look(), look()] == [1, 2, 3]
        assert len(opened) == 1
        with mock.patch.object(counters, "write_counts", side_effect=OperationalError("D1 is away")) as write:
            views.add(design.pk)
            wait_until(lambda: write.called)
        assert (look(), len(opened)) == (5, 2)
    finally:
        settings.VIEW_FLUSH_SECONDS = 0
        views.thread.join(10)
        connection_created.disconnect(note)
    assert opened[-1].connection is None


def wait_until(done):
    wait, end = threading.Event(), time.monotonic() + 20
    while not done():
        assert time.monotonic() < end
        wait.wait(0.005)


def fail():
    raise OperationalError("D1 is away")
