"""What the backend signals of its requests: how each ended, what was refused, and what was lost."""

from contextlib import contextmanager

import pytest
from django.db import DatabaseError, IntegrityError, connections, transaction

from d1backend import OutcomeUnknown, OutOfReach, RateLimited, events
from d1backend.options import settings_of
from d1backend.protocol.api import Api
from d1backend.protocol.budget import Spender, spending
from devtools import fault_plan as plans
from tests.d1.faults.conftest import ALIAS
from tests.d1.faults.models import Counter

pytestmark = pytest.mark.d1

SIGNALS = (
    "request_sent",
    "request_ended",
    "rows_billed",
    "request_repeated",
    "call_refused",
    "outage_began",
    "outage_ended",
    "outcome_lost",
    "outcome_settled",
)


@contextmanager
def heard():
    """Note the signals of the block, as pairs of a name and what it carries besides times."""
    found, receivers = [], []
    for name in SIGNALS:

        def receive(sender, signal, name=name, **values):
            values.pop("seconds", None)
            found.append((name, values))

        getattr(events, name).connect(receive)
        receivers.append((name, receive))
    try:
        yield found
    finally:
        for name, receive in receivers:
            getattr(events, name).disconnect(receive)


def only(found, name):
    return [values for heard, values in found if heard == name]


def count():
    return Counter.objects.using(ALIAS).count()


def test_an_answer_tells_whom_it_was_for_and_the_rows(faulty):
    Counter.objects.using(ALIAS).create(value=1)
    with heard() as found, spending(Spender.STAFF, "user 1"):
        assert count() == 1
    assert only(found, "request_ended") == [{"spender": "staff", "outcome": "answered"}]
    assert len(only(found, "request_sent")) == 1
    (rows,) = only(found, "rows_billed")
    assert rows["rows_read"] >= 1
    assert rows["rows_written"] == 0


def test_an_error_of_sql_is_an_aborted_request(faulty):
    counter = Counter.objects.using(ALIAS).create(value=1)
    with heard() as found, pytest.raises(IntegrityError):
        Counter.objects.using(ALIAS).create(pk=counter.pk, value=2)
    assert {"spender": "rest", "outcome": "aborted"} in only(found, "request_ended")


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (plans.BAD_GATEWAY_BEFORE, "lost"),
        (plans.RESET_AFTER, "lost"),
        (plans.rate_limited(None), "limited"),
    ],
)
def test_a_request_that_is_sent_again_says_why(faulty, proxy, fault, outcome):
    count()
    proxy.plan = [fault]
    with heard() as found:
        count()
    assert [values["outcome"] for values in only(found, "request_ended")] == [outcome, "answered"]
    assert only(found, "request_repeated") == [{"reason": outcome}]


def test_a_refused_token_is_not_sent_again(faulty, proxy):
    proxy.plan = plans.always(plans.WRONG_TOKEN)
    with heard() as found, pytest.raises(DatabaseError):
        count()
    assert only(found, "request_ended") == [{"spender": "rest", "outcome": "refused"}]
    assert only(found, "request_repeated") == []


def test_calls_that_a_429_holds_back_are_refused(connect, faulty, proxy, tmp_path):
    connect("one", faulty.settings_dict["NAME"], folder=tmp_path, retries=0)
    proxy.plan = [plans.rate_limited("300")]
    with heard() as found:
        for _ in range(3):
            with pytest.raises(RateLimited):
                Counter.objects.using("one").count()
    assert only(found, "call_refused") == [{"reason": "block", "spender": "rest"}] * 2
    assert len(only(found, "request_ended")) == 1


def test_calls_without_room_in_the_budget_are_refused(connect, faulty, tmp_path):
    connect("one", faulty.settings_dict["NAME"], folder=tmp_path, allowance=8, retries=0)
    with heard() as found, pytest.raises(RateLimited):
        for _ in range(9):
            Counter.objects.using("one").count()
    assert only(found, "call_refused") == [{"reason": "budget", "spender": "rest"}]
    assert len(only(found, "request_ended")) == len(only(found, "request_sent")) < 9


def test_an_outage_begins_and_ends_once(connect, faulty, proxy, tmp_path):
    options = {"folder": tmp_path, "most_calls": 3, "timeout": 1.2, "retries": 0}
    connect("one", faulty.settings_dict["NAME"], **options)
    proxy.go_down()
    with heard() as found:
        for _ in range(4):
            with pytest.raises(DatabaseError):
                Counter.objects.using("one").count()
        with pytest.raises(OutOfReach):
            Counter.objects.using("one").count()
    assert len(only(found, "outage_began")) == 1
    assert {"reason": "breaker", "spender": "rest"} in only(found, "call_refused")
    proxy.come_up()
    with heard() as found:
        reach()
    assert len(only(found, "outage_ended")) == 1


def reach():
    """Ask D1 whether it is back, as a write does that people wait for."""
    entry = connections.settings["one"]
    api = Api(settings_of("one", entry))
    api.reach(entry["NAME"])
    api.close()


def test_a_lost_outcome_and_what_became_of_it(faulty, proxy):
    counters = Counter.objects.using(ALIAS)
    counters.create(value=1)
    with heard() as found, pytest.raises(OutcomeUnknown) as caught, transaction.atomic(using=ALIAS):
        counters.update(value=2)
        proxy.plan = plans.always(plans.BAD_GATEWAY_AFTER)
    assert len(only(found, "outcome_lost")) == 1
    proxy.plan = None
    with heard() as found:
        applied = caught.value.settle()
    assert only(found, "outcome_settled") == [{"applied": applied}]
