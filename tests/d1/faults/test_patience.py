"""How long and how often a failed call is tried again: as the server asks, and never beyond the budget."""

import datetime
import time
from email.utils import format_datetime
from types import SimpleNamespace

import pytest
from django.db import OperationalError

from d1backend import OutcomeUnknown, RateLimited
from d1backend.protocol import rate_limit
from devtools import fault_plan as plans
from tests.d1.faults.conftest import ALIAS
from tests.d1.faults.models import Counter

pytestmark = pytest.mark.d1
counters = Counter.objects.using(ALIAS)


@pytest.fixture
def pauses(faulty, monkeypatch):
    """The waits between attempts, in seconds, noted in place of waiting; the clock goes on by them."""
    noted = []
    faulty.connection.api._sleep = noted.append
    monkeypatch.setattr(rate_limit, "time", SimpleNamespace(time=lambda: time.time() + sum(noted)))
    return noted


@pytest.mark.parametrize(
    "fault", [plans.rate_limited("2"), plans.status(503, forward=False, headers=(("Retry-After", "2"),))]
)
def test_retry_after_in_seconds_is_waited_for(fault, faulty, proxy, pauses):
    proxy.plan = [fault]
    assert counters.count() == 0
    assert len(pauses) == 1
    assert 2 < pauses[0] < 2.1


def test_retry_after_as_a_date_is_waited_for(faulty, proxy, pauses):
    when = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=5)
    proxy.plan = [plans.rate_limited(format_datetime(when, usegmt=True))]
    assert counters.count() == 0
    assert 3 < pauses[0] < 5.1


@pytest.mark.parametrize("nonsense", ["soon", "-5", "", "²"])
def test_a_retry_after_that_says_nothing_is_passed_over(nonsense, faulty, proxy, pauses):
    proxy.plan = [plans.rate_limited(nonsense)]
    assert counters.count() == 0
    assert pauses[0] < 0.1


def test_clients_that_were_told_the_same_wait_do_not_come_back_at_the_same_moment(faulty, proxy, pauses):
    proxy.plan = [plans.rate_limited("1")] * 4
    counters.count()
    assert len(set(pauses)) == 4


def test_a_wait_beyond_the_budget_is_an_error_at_once(faulty, proxy, pauses):
    proxy.plan = plans.always(plans.rate_limited("300"))
    with pytest.raises(RateLimited, match="d1faults_counter"):
        counters.count()
    assert (proxy.count, pauses) == (1, [])


def test_waits_grow(faulty, proxy, pauses):
    proxy.plan = plans.always(plans.UNAVAILABLE)
    with pytest.raises(OperationalError):
        counters.count()
    assert len(pauses) == 5
    assert pauses[4] > 4 * pauses[0]


def test_slow_attempts_use_the_budget_up(connect, faulty, proxy):
    connect("hasty", faulty.settings_dict["NAME"], timeout=0.2, retry_budget=0.3)
    proxy.plan = plans.always(plans.SLOW_BEFORE)
    with pytest.raises(OperationalError, match=r"did not answer in 0\.2 s.*d1faults_counter"):
        Counter.objects.using("hasty").count()
    assert proxy.count <= 2


def test_the_time_out_limits_the_whole_answer_of_a_server_that_drips(connect, faulty, proxy, truth):
    counters.create(value=1)
    connect("hasty", faulty.settings_dict["NAME"], timeout=0.3, retries=0)
    proxy.plan = plans.always(plans.DRIP)
    with pytest.raises(OperationalError, match=r"did not answer in 0\.3 s"):
        Counter.objects.using("hasty").count()
    with pytest.raises(OutcomeUnknown, match=r"did not answer in 0\.3 s"):
        Counter.objects.using("hasty").update(value=2)
    proxy.plan = None
    assert Counter.objects.using("hasty").get().value == 2
    assert truth("SELECT value FROM d1faults_counter") == [[2]]


def test_the_rest_of_one_time_out_does_not_limit_the_next_request(connect, faulty, proxy):
    hasty = connect("hasty", faulty.settings_dict["NAME"], timeout=5.0)
    Counter.objects.using("hasty").count()
    before = proxy.connections
    (connection,) = hasty.connection.api._pool.pool.queue
    assert connection.sock.gettimeout() == 5.0
    Counter.objects.using("hasty").count()
    assert proxy.connections == before


def test_a_write_is_asked_about_once_more_though_its_lost_answer_used_the_budget_up(
    connect, faulty, proxy, truth
):
    connect("hasty", faulty.settings_dict["NAME"], timeout=0.2, retry_budget=0.1)
    hasty = Counter.objects.using("hasty")
    hasty.create(value=1)
    proxy.plan = [plans.SLOW_AFTER]
    assert hasty.update(value=2) == 1
    proxy.plan = plans.always(plans.SLOW_BEFORE)
    with pytest.raises(OutcomeUnknown, match="whether the write was done is not known"):
        hasty.update(value=3)
    assert proxy.count == 2
    assert truth("SELECT value FROM d1faults_counter") == [[2]]


def test_without_retries_the_first_failure_is_told(connect, faulty, proxy):
    connect("once", faulty.settings_dict["NAME"], retries=0)
    proxy.plan = [plans.UNAVAILABLE]
    with pytest.raises(OperationalError, match="503"):
        Counter.objects.using("once").count()
    assert proxy.count == 1


def test_a_token_taken_away_after_a_lost_answer_leaves_the_outcome_unknown(faulty, proxy, truth):
    counters.create(value=1)
    proxy.plan = [plans.RESET_AFTER, plans.WRONG_TOKEN]
    with pytest.raises(OutcomeUnknown):
        counters.update(value=2)
    assert truth("SELECT value FROM d1faults_counter") == [[2]]


def test_round_trips_count_every_attempt(faulty, proxy):
    before = faulty.round_trips
    proxy.plan = [plans.UNAVAILABLE, plans.RESET_AFTER]
    counters.count()
    assert faulty.round_trips - before == proxy.count == 3
