"""D1 is away, slow, or refuses: reads go on from the copy, its state says so, and it catches up when D1 is back."""

import itertools
import time

import pytest
from django.db import DatabaseError

from d1backend import OutcomeUnknown, RateLimited
from d1backend.replica import alias_for, outage, status
from d1backend.replica.host import Host
from devtools import fault_plan as plans
from tests.d1.replica.models import Design
from tests.d1.replica.test_freshness import NEW, age, end_the_rest, titles, until

PASSING = {fault.name + str(fault.headers): fault for fault in plans.PASSING}
LASTING = {fault.name: fault for fault in (*plans.LASTING, plans.SLOW_BEFORE)}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_sync_that_fails_is_made_good_by_the_next(d1, host, proxy, fault):
    d1(NEW.format("theirs"))
    proxy.plan = [fault]
    age(host, 3000)
    titles(host.replica)
    until(lambda: status(host.replica)["degraded"])
    assert status(host.replica)["usable"]
    end_the_rest(host)
    until(lambda: titles(host.replica) == ["theirs"])
    until(lambda: not status(host.replica)["degraded"])
    assert proxy.count == 2


@pytest.mark.parametrize("fault", LASTING.values(), ids=LASTING)
def test_reads_go_on_while_every_sync_fails(d1, host, proxy, fault):
    d1(NEW.format("a"))
    host.sync()
    host.connection.close()
    proxy.plan = plans.always(fault)
    age(host, 3000)
    for _ in range(50):
        assert titles(host.replica) == ["a"]
    until(lambda: status(host.replica)["degraded"])
    told = status(host.replica)
    assert told["usable"]
    assert told["error"] == "OperationalError"
    assert told["age"] >= 3000
    assert proxy.count < 5


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_write_is_seen_at_once_whatever_befell_its_answer(host, proxy, fault):
    design = Design.objects.using(host.source).create(title="a")
    proxy.plan = [fault]
    Design.objects.using(host.source).filter(pk=design.pk).update(title="b")
    assert len(proxy.faults) == 1
    assert titles(host.replica) == ["b"]


def test_a_write_whose_outcome_is_unknown_is_seen_when_it_was_done(host, proxy):
    design = Design.objects.using(host.source).create(title="a")
    proxy.plan = itertools.chain([plans.RESET_AFTER], itertools.repeat(plans.UNAVAILABLE, 20))
    with pytest.raises(OutcomeUnknown):
        Design.objects.using(host.source).filter(pk=design.pk).update(title="b")
    proxy.plan = None
    assert titles(host.replica) == ["b"]


def test_d1_that_hangs_is_waited_for_by_one_read_and_no_more(host, proxy):
    """The others go on at once, until it has answered again."""
    proxy.plan = plans.always(plans.SLOW_BEFORE)
    age(host, 3000)
    assert not host.host.sync_thread.wait(time.time())
    waits = []
    host.host.sync_thread._round_ended.wait = lambda left: waits.append(left)
    for _ in range(200):
        titles(host.replica)
    assert not waits


def test_all_processes_of_a_host_leave_a_rate_limit_alone(host, proxy):
    proxy.plan = plans.always(plans.rate_limited("300"))
    neighbour = Host(host.host.options)
    age(host, 3000)
    titles(host.replica)
    until(lambda: status(host.replica)["degraded"])
    for _ in range(20):
        assert neighbour.ensure_fresh()
        assert host.host.ensure_fresh()
    neighbour.sync_thread.request()
    until(lambda: neighbour.sync_thread._backoff_until > time.time() + 100)
    assert proxy.count == 1
    assert neighbour.status()["error"] == "RateLimited"


def test_a_rate_limit_told_to_a_plain_read_keeps_the_sync_away_too(host, proxy):
    proxy.plan = plans.always(plans.rate_limited("300"))
    with pytest.raises(RateLimited):
        Design.objects.using(host.source).count()
    age(host, 3000)
    titles(host.replica)
    until(lambda: status(host.replica)["error"] == "RateLimited")
    assert 290 < outage(host.replica) <= 300
    assert proxy.count == 1


def test_an_outage_is_told_from_the_second_failure_on_until_d1_answers(host, proxy):
    assert outage(host.replica) is None
    proxy.go_down()
    age(host, 3000)
    titles(host.replica)
    until(lambda: status(host.replica)["degraded"])
    assert outage(host.replica) is None
    end_the_rest(host)
    until(lambda: outage(host.replica))
    proxy.come_up()
    end_the_rest(host)
    until(lambda: outage(host.replica) is None)


def test_a_rate_limit_is_an_outage_for_as_long_as_it_asks(host, proxy):
    proxy.plan = plans.always(plans.rate_limited("300"))
    age(host, 3000)
    titles(host.replica)
    until(lambda: outage(host.replica))
    assert 290 < outage(host.replica) <= 300


def test_reads_that_may_miss_a_write_do_not_wait_for_a_d1_that_fails(host, proxy):
    design = Design.objects.using(host.source).create(title="a")
    proxy.plan = itertools.chain([plans.RESET_AFTER], itertools.repeat(plans.UNAVAILABLE))
    with pytest.raises(OutcomeUnknown):
        Design.objects.using(host.source).filter(pk=design.pk).update(title="b")
    titles(host.replica)
    until(lambda: status(host.replica)["degraded"])
    proxy.plan = plans.always(plans.SLOW_BEFORE)
    end_the_rest(host)
    host.host.sync_thread._is_slow = True
    assert alias_for(host.replica, "designs") == host.replica


def test_failures_in_a_row_are_asked_after_less_and_less_often(host, proxy):
    rests = []
    for _ in range(8):
        host.host.directory.record_failure("OperationalError", 0.0)
        rests.append(round(host.host.directory.backoff_until() - time.time()))
    assert rests == [1, 2, 4, 8, 16, 30, 30, 30]
    host.host.directory.record_failure("RateLimited", 300.0)
    assert host.host.directory.backoff_until() > time.time() + 290


def test_without_d1_a_restarted_process_reads_from_the_file_it_finds(d1, host, proxy):
    d1(NEW.format("a"))
    host.sync()
    host.host.reset()
    proxy.go_down()
    age(host, 3000)
    assert titles(host.replica) == ["a"]
    until(lambda: status(host.replica)["degraded"])
    assert titles(host.replica) == ["a"]


def test_without_d1_and_without_a_copy_the_error_is_d1s(installed, new_host, proxy):
    host = new_host("a")
    proxy.go_down()
    with pytest.raises(DatabaseError):
        Design.objects.count()
    until(lambda: status(host.replica)["error"] is not None)
    told = status(host.replica)
    assert not told["usable"]
    assert told["degraded"]
    assert told["age"] is None
