"""D1 is down, slow, or rejects requests: reads use the copy, its status shows it, and it catches up afterwards."""

import itertools
import time

import pytest
from django.db import DatabaseError

from d1backend import OutcomeUnknown, RateLimited
from d1backend.replica import alias_for, outage, status
from d1backend.replica.host import Host
from devtools import fault_plan as plans
from tests.d1.replica.models import Design
from tests.d1.replica.test_freshness import NEW, age, end_backoff, titles, until

PASSING = {fault.name + str(fault.headers): fault for fault in plans.PASSING}
LASTING = {fault.name: fault for fault in (*plans.LASTING, plans.SLOW_BEFORE)}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_the_next_sync_makes_up_for_one_that_failed(d1, host, proxy, fault):
    d1(NEW.format("theirs"))
    proxy.plan = [fault]
    age(host, 3000)
    titles(host.replica)
    until(lambda: status(host.replica)["degraded"])
    assert status(host.replica)["usable"]
    end_backoff(host)
    until(lambda: titles(host.replica) == ["theirs"])
    until(lambda: not status(host.replica)["degraded"])
    assert proxy.count == 2


@pytest.mark.parametrize("fault", LASTING.values(), ids=LASTING)
def test_reads_continue_while_every_sync_fails(d1, host, proxy, fault):
    d1(NEW.format("a"))
    host.sync()
    host.connection.close()
    proxy.plan = plans.always(fault)
    age(host, 3000)
    for _ in range(50):
        assert titles(host.replica) == ["a"]
    until(lambda: status(host.replica)["degraded"])
    found = status(host.replica)
    assert found["usable"]
    assert found["error"] == "OperationalError"
    assert found["age"] >= 3000
    assert proxy.count < 5


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_write_is_visible_at_once_whatever_happened_to_its_answer(host, proxy, fault):
    design = Design.objects.using(host.source).create(title="a")
    proxy.plan = [fault]
    Design.objects.using(host.source).filter(pk=design.pk).update(title="b")
    assert len(proxy.faults) == 1
    assert titles(host.replica) == ["b"]


def test_a_write_with_an_unknown_outcome_is_visible_when_it_was_applied(host, proxy):
    design = Design.objects.using(host.source).create(title="a")
    proxy.plan = itertools.chain([plans.RESET_AFTER], itertools.repeat(plans.UNAVAILABLE, 20))
    with pytest.raises(OutcomeUnknown):
        Design.objects.using(host.source).filter(pk=design.pk).update(title="b")
    proxy.plan = None
    assert titles(host.replica) == ["b"]


def test_only_one_read_waits_for_a_d1_that_hangs(host, proxy):
    """The other reads do not wait, until D1 has answered again."""
    proxy.plan = plans.always(plans.SLOW_BEFORE)
    age(host, 3000)
    assert not host.host.sync_thread.wait(time.time())
    waits = []
    host.host.sync_thread._round_ended.wait = lambda left: waits.append(left)
    for _ in range(200):
        titles(host.replica)
    assert not waits


def test_all_processes_of_a_host_respect_a_rate_limit(host, proxy):
    proxy.plan = plans.always(plans.rate_limited("300"))
    other_process = Host(host.host.options)
    age(host, 3000)
    titles(host.replica)
    until(lambda: status(host.replica)["degraded"])
    for _ in range(20):
        assert other_process.ensure_fresh()
        assert host.host.ensure_fresh()
    other_process.sync_thread.request()
    until(lambda: other_process.sync_thread._backoff_until > time.time() + 100)
    assert proxy.count == 1
    assert other_process.status()["error"] == "RateLimited"


def test_a_sync_respects_the_rate_limit_that_a_plain_read_met(host, proxy):
    proxy.plan = plans.always(plans.rate_limited("300"))
    with pytest.raises(RateLimited):
        Design.objects.using(host.source).count()
    age(host, 3000)
    titles(host.replica)
    until(lambda: status(host.replica)["error"] == "RateLimited")
    assert 290 < outage(host.replica) <= 300
    assert proxy.count == 1


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
    end_backoff(host)
    host.host.sync_thread._is_slow = True
    assert alias_for(host.replica, "designs") == host.replica


def test_the_backoff_grows_with_failures_in_a_row(host, proxy):
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
    found = status(host.replica)
    assert not found["usable"]
    assert found["degraded"]
    assert found["age"] is None
