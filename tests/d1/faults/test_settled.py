"""A write whose answer was lost is asked about, never blindly repeated: nothing doubled, nothing lost."""

import os

import pytest
from django.db import IntegrityError, connections, transaction
from django.db.models import F

from d1backend import OutcomeUnknown, SerializationFailure, ask_with_commit, write_then_gather
from devtools import fault_plan as plans
from tests.d1.faults.conftest import ALIAS
from tests.d1.faults.models import Counter, Left

pytestmark = pytest.mark.d1
counters = Counter.objects.using(ALIAS)
lefts = Left.objects.using(ALIAS)


def test_a_commit_held_to_a_row_count_is_done_once_when_its_answer_is_lost(faulty, proxy, truth):
    counters.create(value=5)
    with transaction.atomic(using=ALIAS):
        assert counters.filter(value=5).update(value=6) == 1
        proxy.plan = [plans.RESET_AFTER]
    assert truth("SELECT value FROM d1faults_counter") == [[6]]


def test_a_commit_of_rows_with_keys_of_their_own_is_no_integrity_error_when_its_answer_is_lost(
    faulty, proxy, truth
):
    with transaction.atomic(using=ALIAS):
        lefts.create(id=7, label="seven")
        proxy.plan = [plans.RESET_AFTER]
    assert truth("SELECT id, label FROM d1faults_left") == [[7, "seven"]]


def test_a_row_created_without_a_transaction_has_its_key_though_the_answer_was_lost(faulty, proxy, truth):
    lefts.create(label="first")
    proxy.plan = [plans.RESET_AFTER]
    row = lefts.create(label="second")
    assert truth(f"SELECT label FROM d1faults_left WHERE id = {row.pk}") == [["second"]]
    assert truth("SELECT count(*) FROM d1faults_left") == [[2]]


def test_a_row_count_comes_back_though_its_answer_was_lost(faulty, proxy):
    counters.bulk_create([Counter(value=n) for n in range(4)])
    proxy.plan = [plans.RESET_AFTER]
    assert counters.filter(value__gte=1).update(value=F("value") + 10) == 3
    assert sorted(counters.values_list("value", flat=True)) == [0, 11, 12, 13]


# The answer to a write is lost, the second attempt finds that it was applied, and then D1 is away.
LOST_THEN_AWAY = [plans.RESET_AFTER, None, *[plans.SERVER_ERROR_BEFORE] * 50]


def test_a_write_was_applied_though_what_it_leaves_cannot_be_asked(faulty, proxy, truth):
    counters.create(value=5)
    proxy.plan = LOST_THEN_AWAY
    with pytest.raises(OutcomeUnknown, match="was applied") as caught:
        write_then_gather("UPDATE d1faults_counter SET value = 6", [], counters.count, using=ALIAS)
    assert caught.value.settle() is True
    assert truth("SELECT value FROM d1faults_counter") == [[6]]


def test_a_commit_was_applied_though_what_it_leaves_cannot_be_asked(faulty, proxy, truth):
    counters.create(value=5)
    with transaction.atomic(using=ALIAS):
        counters.update(value=6)
        count = ask_with_commit(counters.count, using=ALIAS)
        proxy.plan = LOST_THEN_AWAY
    with pytest.raises(OutcomeUnknown, match="was applied") as caught:
        count()
    assert caught.value.settle() is True
    assert truth("SELECT value FROM d1faults_counter") == [[6]]


def test_returning_of_several_rows_says_that_the_write_was_applied_when_its_answer_was_lost(
    faulty, proxy, truth
):
    counters.bulk_create([Counter(value=n) for n in range(3)])
    proxy.plan = [plans.RESET_AFTER]
    with (
        connections[ALIAS].cursor() as cursor,
        pytest.raises(OutcomeUnknown, match="to d1faults_counter was applied"),
    ):
        cursor.execute("UPDATE d1faults_counter SET value = value + 1 RETURNING value")
    assert truth("SELECT sum(value) FROM d1faults_counter") == [[6]]


@pytest.mark.parametrize("fault", [plans.BAD_GATEWAY_BEFORE, plans.rate_limited("300"), plans.WRONG_TOKEN])
def test_a_row_created_whose_key_cannot_be_asked_for_is_of_unknown_outcome(fault, faulty, proxy, truth):
    proxy.plan = lambda number, request: plans.RESET_AFTER if number == 1 else fault if number > 2 else None
    with pytest.raises(OutcomeUnknown, match="to d1faults_left was applied"):
        lefts.create(label="first")
    assert truth("SELECT label FROM d1faults_left") == [["first"]]


def test_a_copy_of_a_write_that_arrives_late_changes_nothing(connect, faulty, proxy, truth):
    counters.create(value=0)
    connect("hasty", faulty.settings_dict["NAME"], timeout=0.3)
    proxy.plan = [plans.SLOW_LATE]
    Counter.objects.using("hasty").update(value=F("value") + 1)
    proxy.settle()
    assert len(proxy.log) == 2
    assert truth("SELECT value FROM d1faults_counter") == [[1]]


def test_a_write_that_failed_for_good_is_an_integrity_error_also_when_an_answer_was_lost_before(
    faulty, proxy
):
    lefts.create(label="taken")
    proxy.plan = [plans.RESET_AFTER, plans.BAD_GATEWAY_AFTER]
    with pytest.raises(IntegrityError, match=r"d1faults_left\.label"):
        lefts.create(label="taken")


def test_the_first_write_of_all_makes_the_table_of_marks_whatever_fails(
    connect, engine, proxy, faulty, truth
):
    for fault in (plans.RESET_BEFORE, plans.RESET_AFTER, plans.TRUNCATED):
        truth("DROP TABLE _d1_marks")
        proxy.plan = [fault, fault, fault]
        lefts.create(label=fault.name)
    assert truth("SELECT count(*) FROM d1faults_left") == [[3]]


def test_a_conflict_is_still_told_when_an_answer_was_lost(faulty, proxy, truth):
    counters.create(value=5)

    def change():
        with transaction.atomic(using=ALIAS):
            assert counters.filter(value=5).update(value=6) == 1
            truth("UPDATE d1faults_counter SET value = 9")
            proxy.plan = [plans.BAD_GATEWAY_BEFORE]

    with pytest.raises(SerializationFailure):
        change()
    assert truth("SELECT value FROM d1faults_counter") == [[9]]


def test_a_forked_process_writes_under_a_mark_and_on_a_connection_of_its_own(faulty, proxy, truth):
    counters.create(value=0)
    before = proxy.connections
    child = os.fork()
    if child == 0:
        counters.update(value=F("value") + 1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    counters.update(value=F("value") + 1)
    assert truth("SELECT value FROM d1faults_counter") == [[2]]
    assert proxy.connections == before + 1
