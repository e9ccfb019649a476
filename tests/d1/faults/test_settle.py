"""settle(): what became of a write is found out once and for all, whatever arrives late or was written since."""

import threading

import pytest
from django.db import transaction
from django.db.models import F

from d1backend import OutcomeUnknown
from devtools import fault_plan as plans
from tests.d1.faults.conftest import ALIAS
from tests.d1.faults.models import Counter

pytestmark = pytest.mark.d1
counters = Counter.objects.using(ALIAS)


@pytest.fixture
def lose(connect, faulty, proxy):
    """A function that adds 1 to the counter in a transaction whose commit meets this fault, always."""
    counters.create(value=0)
    connect("hasty", faulty.settings_dict["NAME"], timeout=0.3, retries=0)

    def lose(fault):
        with pytest.raises(OutcomeUnknown) as caught, transaction.atomic(using="hasty"):
            Counter.objects.using("hasty").update(value=F("value") + 1)
            proxy.plan = plans.always(fault)
        proxy.plan = None
        return caught.value

    return lose


def value(truth):
    return truth("SELECT value FROM d1faults_counter")[0][0]


@pytest.mark.parametrize(
    ("fault", "applied"),
    [(plans.RESET_AFTER, True), (plans.TRUNCATED, True), (plans.RESET_BEFORE, False)],
    ids=str,
)
def test_a_lost_write_is_settled(fault, applied, lose, truth):
    error = lose(fault)
    assert error.settle() is applied
    assert value(truth) == int(applied)


def test_a_copy_that_arrives_after_the_settlement_is_never_applied(lose, proxy, truth):
    error = lose(plans.SLOW_LATE)
    settled = error.settle()
    proxy.settle()
    assert value(truth) == int(settled)
    assert error.settle() is settled


def test_a_second_settlement_asks_nothing(lose, proxy):
    error = lose(plans.RESET_AFTER)
    error.settle()
    before = proxy.count
    assert error.settle() is True
    assert proxy.count == before


@pytest.mark.parametrize(("fault", "applied"), [(plans.RESET_AFTER, 1), (plans.RESET_BEFORE, 0)], ids=str)
def test_what_the_connection_writes_afterwards_hides_nothing(fault, applied, lose, truth):
    error = lose(fault)
    for _ in range(3):
        Counter.objects.using("hasty").update(value=F("value") + 10)
    assert error.settle() is bool(applied)
    assert value(truth) == 30 + applied


def test_a_late_copy_is_not_applied_after_the_next_write_of_the_connection(lose, proxy, truth):
    error = lose(plans.SLOW_LATE)
    Counter.objects.using("hasty").update(value=F("value") + 10)
    proxy.settle()
    assert value(truth) in (10, 11)
    assert error.settle() is (value(truth) == 11)


def test_several_lost_writes_are_settled_each(lose, truth):
    errors = [lose(fault) for fault in (plans.RESET_BEFORE, plans.RESET_AFTER, plans.RESET_BEFORE)]
    assert [error.settle() for error in errors] == [False, True, False]
    assert value(truth) == 1


def test_while_d1_is_away_the_error_is_raised_again_and_it_is_settled_later(lose, proxy, truth):
    error = lose(plans.RESET_AFTER)
    proxy.plan = plans.always(plans.UNAVAILABLE)
    with pytest.raises(OutcomeUnknown) as again:
        error.settle()
    assert again.value is error
    proxy.plan = None
    assert error.settle() is True


def test_a_copy_of_the_clients_state_that_wrote_further_leaves_it_unknown(lose, truth):
    error = lose(plans.RESET_AFTER)
    truth("UPDATE _d1_marks SET nonce = 'of another copy', serial = serial + 5")
    with pytest.raises(OutcomeUnknown):
        error.settle()


def test_an_answer_lost_before_the_first_mark_is_settled(lose, truth):
    truth("DROP TABLE _d1_marks")
    error = lose(plans.RESET_BEFORE)
    assert error.settle() is False
    assert value(truth) == 0


def test_a_settlement_and_a_late_copy_at_once_agree(lose, proxy, truth):
    for _ in range(5):
        truth("UPDATE d1faults_counter SET value = 0")
        error = lose(plans.SLOW_LATE)
        settled = []
        threads = [threading.Thread(target=lambda: settled.append(error.settle())) for _ in range(2)]  # noqa: B023
        for thread in threads:
            thread.start()
        proxy.settle()
        for thread in threads:
            thread.join()
        assert settled == [value(truth) == 1] * 2


def test_a_write_whose_result_is_lost_is_known_to_be_applied(faulty, proxy):
    counters.create(value=0)
    proxy.plan = [plans.RESET_AFTER]
    with pytest.raises(OutcomeUnknown) as caught, faulty.cursor() as cursor:
        cursor.execute("UPDATE d1faults_counter SET value = 1 RETURNING value")
    before = proxy.count
    assert caught.value.settle() is True
    assert proxy.count == before


def test_an_error_that_came_without_a_question_is_raised_again():
    error = OutcomeUnknown("made by hand")
    with pytest.raises(OutcomeUnknown, match="made by hand"):
        error.settle()
