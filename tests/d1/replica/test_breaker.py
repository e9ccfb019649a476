"""A server whose breaker is open: reads of the copy never wait for D1, and the first call that may tries it."""

import os

import pytest
from django.db import OperationalError

from d1backend import OutcomeUnknown, OutOfReach
from d1backend.protocol import breaker_state
from d1backend.replica import alias_for, outage, status
from devtools import fault_plan as plans
from tests.d1.replica.models import Design
from tests.d1.replica.test_freshness import age, titles, until


@pytest.fixture
def host(installed, new_host):
    host = new_host("a", patience={"most_calls": 3, "timeout": 1.2, "retries": 0})
    host.sync()
    return host


@pytest.fixture
def pause_over(host):
    """A function after which the next call tries D1."""

    def pause_over():
        (file,) = host.host.directory.path.glob(f"{breaker_state.AWAY}*")
        os.utime(file, (0, 0))

    return pause_over


@pytest.fixture
def waits(host):
    """How often a read has waited for a sync."""
    noted = []
    ended = host.host.sync_thread._round_ended
    wait = ended.wait
    ended.wait = lambda left: noted.append(left) or wait(left)
    return noted


def write(host, title="ours"):
    return Design.objects.using(host.source).create(title=title)


def read_d1(host):
    return Design.objects.using(host.source).count()


def open_breaker(host, proxy):
    proxy.plan = plans.always(plans.SLOW_BEFORE)
    with pytest.raises(OperationalError, match="did not answer"):
        read_d1(host)
    assert 0 < outage(host.replica) <= 1


def test_reads_do_not_wait_for_a_d1_that_is_out_of_reach(host, proxy, waits):
    write(host)
    open_breaker(host, proxy)
    age(host, 3000)
    for _ in range(50):
        assert titles(host.replica) == ["ours"]
        assert alias_for(host.replica, "designs") == host.replica
    assert not waits
    until(lambda: status(host.replica)["degraded"])
    assert proxy.count == 1


def test_reads_go_to_the_copy_although_it_may_lack_a_write_whose_answer_was_lost(host, proxy, waits):
    write(host)
    proxy.plan = plans.always(plans.SLOW_BEFORE)
    with pytest.raises(OutcomeUnknown):
        write(host, "lost")
    for _ in range(20):
        assert titles(host.replica) == ["ours"]
    assert not waits


def test_the_first_write_of_an_idle_host_after_an_outage_is_done(host, proxy, pause_over):
    proxy.go_down()
    age(host, 3000)
    titles(host.replica)
    until(lambda: status(host.replica)["degraded"])
    for _ in range(2):
        with pytest.raises(OperationalError):
            write(host)
    with pytest.raises(OutOfReach):
        write(host)
    assert outage(host.replica) is not None
    proxy.come_up()
    proxy.plan = []
    pause_over()
    assert outage(host.replica) is None
    write(host)
    assert proxy.count == 2
    assert outage(host.replica) is None
    assert titles(host.replica) == ["ours"]


def test_a_d1_that_is_back_is_found_without_waiting_for_the_pause(host, proxy):
    open_breaker(host, proxy)
    proxy.plan = []
    assert outage(host.replica) is not None
    assert outage(host.replica, asks=True) is None
    assert proxy.count == 1
    write(host)
    assert outage(host.replica, asks=True) is None
    assert proxy.count == 2


def test_a_d1_that_is_away_is_asked_and_the_wait_returned(host, proxy):
    open_breaker(host, proxy)
    assert 0 < outage(host.replica, asks=True) <= 5


def test_the_first_write_after_an_outage_ends_the_backoff_of_the_sync(d1, host, proxy, pause_over):
    open_breaker(host, proxy)
    directory = host.host.directory
    for _ in range(5):
        directory.record_failure("OperationalError", 0.0)
    host.host.sync_thread._backoff_until = directory.backoff_until()
    assert host.host.sync_thread.in_backoff
    proxy.plan = []
    pause_over()
    write(host)
    assert not status(host.replica)["degraded"]
    d1("INSERT INTO designs (title, body, view_count, weight) VALUES ('theirs', '', 0, 0)")
    age(host, 3000)
    assert titles(host.replica) == ["ours", "theirs"]


def test_a_sync_that_succeeds_lets_writes_through(host, proxy, pause_over):
    open_breaker(host, proxy)
    with pytest.raises(OutOfReach):
        write(host)
    proxy.plan = []
    pause_over()
    age(host, 3000)
    titles(host.replica)
    until(lambda: proxy.count)
    until(lambda: outage(host.replica) is None)
    write(host)
    assert titles(host.replica) == ["ours"]


def test_a_sync_is_no_second_trial(host, proxy):
    open_breaker(host, proxy)
    age(host, 3000)
    for _ in range(20):
        titles(host.replica)
    until(lambda: status(host.replica)["error"] == "OutOfReach")
    assert proxy.count == 1


def test_a_fill_by_a_command_does_not_mind_an_open_breaker(host, proxy):
    open_breaker(host, proxy)
    proxy.plan = []
    host.sync()
    assert proxy.count
