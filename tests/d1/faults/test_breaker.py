"""The breaker: what opens and closes it, how many calls wait for D1, and what becomes of writes while it is open."""

import threading
import time

import pytest
from django.db import OperationalError, connections

from d1backend import OutcomeUnknown, OutOfReach, RateLimited
from devtools import fault_plan as plans
from tests.d1.faults.models import Counter

pytestmark = pytest.mark.d1


def count(alias="one"):
    return Counter.objects.using(alias).count()


def refused(alias="one"):
    with pytest.raises(OutOfReach) as caught:
        count(alias)
    return caught.value


def fails(alias="one"):
    with pytest.raises(OperationalError) as caught:
        count(alias)
    assert not isinstance(caught.value, OutOfReach)


def at_once(number, ask):
    """Run `ask` in so many threads; return what each returned or raised."""
    start, results = threading.Barrier(number), []

    def run():
        start.wait()
        try:
            results.append(ask())
        except OperationalError as error:
            results.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_one_timeout_opens_it_and_the_next_call_after_the_pause_closes_it(of_host, proxy, later):
    of_host("one")
    proxy.plan = plans.always(plans.SLOW_BEFORE)
    fails()
    for _ in range(50):
        error = refused()
        assert 0 < error.retry_after <= 1
        assert "did not answer in 1.2 s" in str(error)
        assert "d1faults_counter" in str(error)
    assert proxy.count == 1
    proxy.plan = []
    refused()
    later(1)
    assert [count(), count()] == [0, 0]
    # A short question goes before the call that tries D1.
    assert next(request.sql for request, _ in proxy.log) == ["SELECT 1"]
    assert proxy.count == 3


@pytest.mark.parametrize("fault", [plans.UNAVAILABLE, plans.rate_limited(None), plans.RESET_BEFORE])
def test_a_failure_that_is_quick_opens_it_when_it_is_the_second_in_a_row(of_host, proxy, fault):
    of_host("one")
    proxy.plan = [fault, None, fault, fault]
    fails()
    assert count() == 0
    fails()
    fails()
    refused()
    assert proxy.count == 4


def test_a_server_that_refuses_connections_opens_it(of_host, proxy):
    of_host("one")
    proxy.go_down()
    fails()
    fails()
    proxy.come_up()
    refused()


def test_failures_at_the_same_time_are_one_failure(of_host, proxy):
    of_host("one")
    proxy.plan = lambda number, request: plans.RESET_BEFORE if number <= 3 else None
    proxy.latency = 0.3
    try:
        results = at_once(3, count)
    finally:
        proxy.latency = 0.0
    assert all(isinstance(each, OperationalError) and not isinstance(each, OutOfReach) for each in results)
    assert count() == 0


def test_a_slow_statement_does_not_open_it_while_d1_answers_others(of_host, proxy):
    of_host("one")
    slow = threading.Event()

    def plan(number, request):
        if number == 1:
            slow.set()
            return plans.SLOW_BEFORE
        return None

    proxy.plan = plan
    results = []
    thread = threading.Thread(target=lambda: results.extend(at_once(1, count)))
    thread.start()
    slow.wait()
    assert count() == 0
    thread.join()
    assert isinstance(results[0], OperationalError)
    assert count() == 0


def test_an_error_of_a_statement_is_an_answer(of_host, proxy):
    connection = of_host("one")
    proxy.plan = [plans.UNAVAILABLE, None, plans.UNAVAILABLE]
    fails()
    with pytest.raises(OperationalError, match="no such table"):
        connection.cursor().execute("SELECT 1 FROM nowhere")
    fails()
    assert count() == 0


def test_calls_beyond_the_limit_fail_when_d1_answers_none(of_host, proxy):
    of_host("one")
    proxy.plan = plans.always(plans.SLOW_BEFORE)
    results = at_once(12, count)
    assert proxy.count == 3
    assert sum(isinstance(each, OutOfReach) for each in results) == 9


def test_calls_beyond_the_limit_wait_for_a_place_while_d1_answers(of_host, proxy):
    of_host("one", timeout=10.0)
    proxy.plan, proxy.latency = [], 0.05
    try:
        assert at_once(24, count) == [0] * 24
    finally:
        proxy.latency = 0.0


def test_a_late_answer_closes_it(of_host, proxy):
    of_host("one")
    of_host("patient", timeout=10.0)
    proxy.plan, proxy.latency = [], 2.0
    try:
        results = []
        thread = threading.Thread(target=lambda: results.extend(at_once(1, lambda: count("patient"))))
        thread.start()
        while not proxy.count:
            time.sleep(0.01)
        fails()
        refused()
        thread.join()
    finally:
        proxy.latency = 0.0
    assert results == [0]
    assert count() == 0


class TestLostWrites:
    """What became of a write whose answer was lost is found out, or said not to be known."""

    @pytest.fixture
    def one(self, of_host, truth):
        of_host("one", retries=5, retry_budget=1.2)
        Counter.objects.using("one").create(value=1)
        return Counter.objects.using("one")

    def test_it_is_asked_about_although_the_breaker_is_open(self, one, proxy, truth):
        proxy.plan = [plans.SLOW_AFTER]
        assert one.update(value=2) == 1
        assert proxy.count == 3
        assert truth("SELECT value FROM d1faults_counter") == [[2]]
        assert one.count() == 1

    def test_its_outcome_is_unknown_when_another_one_tries(self, one, proxy, later):
        proxy.plan = plans.always(plans.SLOW_AFTER)
        results = at_once(3, lambda: one.update(value=2))
        assert [type(each) for each in results] == [OutcomeUnknown] * 3
        # Each write once, one more attempt at a time.
        assert 4 <= proxy.count <= 6
        sent = proxy.count
        for error in results:
            with pytest.raises(OutcomeUnknown):
                error.settle()
        assert proxy.count == sent
        proxy.plan = None
        later(5)
        assert [error.settle() for error in results] == [True] * 3

    def test_a_write_that_was_not_sent_was_not_done(self, one, proxy, truth):
        proxy.plan = plans.always(plans.SLOW_BEFORE)
        with pytest.raises(OutcomeUnknown):
            one.update(value=2)
        sent = proxy.count
        with pytest.raises(OutOfReach):
            one.update(value=3)
        assert proxy.count == sent
        assert truth("SELECT value FROM d1faults_counter") == [[1]]


def test_a_rate_limit_is_not_waited_out_by_a_server(of_host, proxy):
    of_host("one", retries=5, retry_budget=10.0)
    proxy.plan = plans.always(plans.rate_limited("4"))
    for _ in range(3):
        with pytest.raises(RateLimited) as caught:
            count()
        assert 3 < caught.value.retry_after <= 4
    assert proxy.count == 1
