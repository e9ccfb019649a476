"""Trials of an open breaker: after a pause one call at a time tries D1, and the others wait for it or are refused."""

import threading
import time

import pytest
from django.db import connections

from d1backend import OutOfReach, RateLimited
from d1backend.options import settings_of
from d1backend.protocol import breaker, breaker_state
from d1backend.protocol.api import Api
from devtools import fault_plan as plans
from tests.d1.faults.models import Counter
from tests.d1.faults.test_breaker import at_once, count, fails, refused

pytestmark = pytest.mark.d1


def breaker_of(alias="one"):
    connection = connections[alias]
    return breaker.breaker_of(settings_of(alias, connection.settings_dict), connection.settings_dict["NAME"])


def api_of(alias):
    return Api(settings_of(alias, connections[alias].settings_dict))


def database_of(alias):
    return connections[alias].settings_dict["NAME"]


def test_failed_trials_grow_the_pause_to_five_seconds(of_host, proxy, later):
    of_host("one")
    proxy.plan = plans.always(plans.UNAVAILABLE)
    fails()
    fails()
    pauses = []
    for _ in range(6):
        pauses.append(round(refused().retry_after))
        later(pauses[-1])
        refused()
    assert pauses == [1, 2, 4, 5, 5, 5]
    assert proxy.count == 8


def test_a_longer_pause_is_kept_when_the_server_asks_for_it(of_host, proxy, later):
    of_host("one", retries=3)
    proxy.plan = plans.always(plans.status(503, forward=False, headers=(("Retry-After", "30"),)))
    fails()
    fails()
    later(29)
    assert refused().retry_after <= 1
    assert proxy.count == 2


def test_one_of_many_tries_at_a_time(of_host, proxy, later):
    of_host("one")
    proxy.plan = plans.always(plans.SLOW_BEFORE)
    fails()
    later(1)
    results = at_once(24, count)
    assert proxy.count == 2
    assert sum(isinstance(each, OutOfReach) for each in results) == 24


@pytest.mark.parametrize("has_folder", [True, False])
def test_calls_wait_for_the_answer_to_a_trial_that_has_just_begun(
    of_host, proxy, later, tmp_path, has_folder
):
    """As a write does whose own request has just asked for a sync."""
    of_host("one", folder=tmp_path / "host" if has_folder else None)
    proxy.plan = [plans.SLOW_BEFORE]
    fails()
    later(1)
    proxy.latency = 0.3
    try:
        assert at_once(6, count) == [0] * 6
    finally:
        proxy.latency = 0.0


def test_none_of_several_calls_is_refused_whenever_the_trial_ends(of_host, proxy):
    of_host("one")
    assert count() == 0
    state = breaker_of()._state
    for _ in range(30):
        state.open(breaker_state.OpenState("away", 0, time.time() - 1))
        assert at_once(3, count) == [0] * 3


def test_a_trial_ends_after_two_seconds_whatever_the_timeout(of_host, proxy, later):
    of_host("one", timeout=30.0)
    proxy.plan = [plans.UNAVAILABLE, plans.UNAVAILABLE, plans.SLOW_BEFORE]
    fails()
    fails()
    later(1)
    assert "did not answer in 2 s" in str(refused())


def test_a_write_that_waits_is_done_although_the_pause_is_not_over(of_host, proxy, truth):
    of_host("one", timeout=20.0)
    proxy.plan = [plans.UNAVAILABLE, plans.UNAVAILABLE, plans.SLOW_BEFORE]
    fails()
    fails()
    # A trial is under way, which D1 never answers; now it is back.
    time.sleep(1.0)
    trial = threading.Thread(target=lambda: at_once(1, count))
    trial.start()
    while proxy.count < 3:
        time.sleep(0.01)
    api_of("one").reach(database_of("one"))
    Counter.objects.using("one").create(value=7)
    trial.join()
    assert truth("SELECT value FROM d1faults_counter") == [[7]]
    assert proxy.count == 5


def test_those_who_wait_try_d1_once_in_a_second(of_host, proxy):
    of_host("one", most_calls=12)
    proxy.plan = plans.always(plans.UNAVAILABLE)
    fails()
    fails()

    def reach():
        with pytest.raises(OutOfReach):
            api_of("one").reach(database_of("one"))

    for _ in range(2):
        at_once(12, reach)
    # Each waits for up to four seconds.
    assert proxy.count <= 2 + 2 * 5


def test_a_call_that_the_rate_limit_holds_back_is_not_a_trial(of_host, proxy, later):
    of_host("one")
    proxy.plan = [plans.UNAVAILABLE, plans.UNAVAILABLE, plans.rate_limited("1")]
    fails()
    fails()
    later(1)
    with pytest.raises(RateLimited):
        count()
    with pytest.raises(RateLimited):
        count()
    assert breaker_of().seconds_left() is None
    assert proxy.count == 3


def test_a_command_waits_and_tries_again(of_host, proxy):
    of_host("one")
    of_host("command", most_calls=None, retries=5)
    proxy.plan = plans.always(plans.SLOW_BEFORE)
    fails()
    refused()
    proxy.plan = [plans.UNAVAILABLE] * 3
    assert count("command") == 0
    assert proxy.count == 4
