"""Views add up in the process: none lost, none doubled, whatever happens in between."""

import os
import threading
import time
from datetime import UTC, datetime
from unittest import mock

import pytest
from django.db import OperationalError, connection
from django.db.backends.signals import connection_created

from d1backend import OutcomeUnknown
from designs import counters
from designs.models import DailyCount, Design
from tests.factories.designs import DesignFactory


@pytest.fixture
def views():
    """Counters of one's own, as a process has at its start."""
    return counters.Views()


@pytest.mark.django_db
def test_many_views_are_written_by_two_statements(views, django_assert_num_queries):
    first, second = DesignFactory(view_count=10), DesignFactory()
    for _ in range(3):
        views.add(first.pk)
    views.add(second.pk)
    with django_assert_num_queries(4):  # two, between a savepoint and its release
        views.flush()
    with django_assert_num_queries(0):
        views.flush()
    assert list(Design.objects.order_by("id").values_list("view_count", flat=True)) == [13, 1]
    assert sorted(DailyCount.objects.values_list("design", "views")) == [(first.pk, 3), (second.pk, 1)]

    views.add(first.pk)
    views.flush()
    assert DailyCount.objects.get(design=first).views == 4


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


@pytest.mark.django_db
def test_what_could_not_be_written_is_kept_for_the_next_time(views):
    design = DesignFactory()
    views.add(design.pk)
    with (
        mock.patch.object(counters, "ADD_TO_DAYS", "INSERT INTO no_such_table VALUES (%s)"),
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
        mock.patch.object(counters, "write_views", side_effect=OutcomeUnknown("the answer was lost")),
        pytest.raises(OutcomeUnknown),
    ):
        views.flush()
    assert not views.pending


def test_what_d1_says_was_not_written_stays_pending(views):
    views.add(1)
    lost = OutcomeUnknown("the answer was lost")
    lost.ask = lambda: False
    with mock.patch.object(counters, "write_views", side_effect=lost), pytest.raises(OutcomeUnknown):
        views.flush()
    assert sum(views.pending.values()) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(not hasattr(connection, "round_trips"), reason="only D1 has round trips (TEST_ENGINE=d1)")
def test_views_of_many_designs_are_one_round_trip(views):
    for design in DesignFactory.create_batch(5):
        views.add(design.pk)
    before = connection.round_trips
    views.flush()
    assert connection.round_trips - before == 1


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
    with mock.patch.object(counters, "write_views", side_effect=[OperationalError("away"), None]) as write:
        write.side_effect = lambda rows: written.set() if write.call_count > 1 else fail()
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
        wait_until(lambda: not views.pending)
        with views.writing:  # which a flush holds from before it takes them
            return Design.objects.get().view_count

    connection_created.connect(note)
    try:
        assert [look(), look(), look()] == [1, 2, 3]
        assert len(opened) == 1
        with mock.patch.object(counters, "write_views", side_effect=OperationalError("D1 is away")) as write:
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
