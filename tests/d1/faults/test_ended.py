"""However a commit ends, its transaction is over: nothing of it is ever sent again."""

from contextlib import suppress

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, ProgrammingError, transaction

from d1backend import OutcomeUnknown
from d1backend.events import request_sent
from devtools import fault_plan as plans
from tests.d1.faults.conftest import ALIAS
from tests.d1.faults.models import Counter

pytestmark = pytest.mark.d1
counters = Counter.objects.using(ALIAS)
INSERT = "INSERT INTO d1faults_counter (value) VALUES (7)"
ENDS = [plans.BAD_GATEWAY_AFTER, plans.BAD_GATEWAY_BEFORE, plans.rate_limited(None), plans.WRONG_TOKEN]
ends = pytest.mark.parametrize("fault", ENDS, ids=lambda fault: fault.name)


@pytest.fixture
def count(truth):
    return lambda: truth("SELECT count(*) FROM d1faults_counter")[0][0]


@pytest.fixture
def manual(faulty):
    """The connection with autocommit off, turned on again in the end."""
    counters.count()
    transaction.set_autocommit(False, using=ALIAS)
    yield faulty
    transaction.rollback(using=ALIAS)
    transaction.set_autocommit(True, using=ALIAS)


def run(connection, *statements):
    with connection.cursor() as cursor:
        for sql in statements:
            cursor.execute(sql)


@ends
def test_autocommit_turned_on_after_a_failed_commit_sends_nothing(fault, faulty, proxy, count):
    counters.count()
    transaction.set_autocommit(False, using=ALIAS)
    try:
        run(faulty, INSERT)
        proxy.plan = plans.always(fault)
        with pytest.raises(DatabaseError):
            transaction.commit(using=ALIAS)
        proxy.plan = None
    finally:
        transaction.set_autocommit(True, using=ALIAS)
    assert count() == int(fault.forward)
    counters.create(value=1)
    assert count() == 1 + fault.forward


@ends
def test_a_second_commit_sends_nothing_and_claims_nothing(fault, manual, proxy, count):
    run(manual, INSERT)
    proxy.plan = plans.always(fault)
    with pytest.raises(DatabaseError):
        transaction.commit(using=ALIAS)
    proxy.plan = None
    sent = proxy.count
    for _ in range(2):
        with pytest.raises(ProgrammingError, match="is over"):
            transaction.commit(using=ALIAS)
    assert (count(), proxy.count) == (int(fault.forward), sent)
    transaction.rollback(using=ALIAS)
    transaction.commit(using=ALIAS)


@ends
def test_turning_autocommit_on_a_second_time_sends_nothing(fault, faulty, proxy, count):
    counters.count()
    transaction.set_autocommit(False, using=ALIAS)
    run(faulty, INSERT)
    proxy.plan = plans.always(fault)
    with pytest.raises(DatabaseError):
        transaction.set_autocommit(True, using=ALIAS)
    proxy.plan = None
    transaction.set_autocommit(True, using=ALIAS)
    assert count() == int(fault.forward)
    run(faulty, INSERT)
    assert count() == 1 + fault.forward


@ends
def test_what_follows_a_failed_commit_is_a_transaction_of_its_own(fault, manual, proxy, count):
    run(manual, INSERT)
    proxy.plan = plans.always(fault)
    with pytest.raises(DatabaseError):
        transaction.commit(using=ALIAS)
    proxy.plan = None
    run(manual, INSERT)
    assert count() == int(fault.forward)
    transaction.rollback(using=ALIAS)
    run(manual, INSERT)
    transaction.commit(using=ALIAS)
    assert count() == 1 + fault.forward


@ends
@pytest.mark.parametrize("next_", ["nothing", "COMMIT", "ROLLBACK"])
def test_a_commit_spelled_in_sql_that_failed_leaves_no_transaction_open(fault, next_, faulty, proxy, count):
    counters.count()
    run(faulty, "BEGIN", INSERT)
    proxy.plan = plans.always(fault)
    with pytest.raises(DatabaseError):
        run(faulty, "COMMIT")
    proxy.plan = None
    if next_ != "nothing":
        with pytest.raises(DatabaseError, match="no transaction is active"):
            run(faulty, next_)
    counters.create(value=1)
    assert count() == 1 + fault.forward


def test_a_transaction_that_breaks_a_constraint_is_over(manual, truth, count):
    run(manual, "INSERT INTO d1faults_right (label, left_id) VALUES ('orphan', 9)", INSERT)
    with pytest.raises(IntegrityError):
        transaction.commit(using=ALIAS)
    truth("INSERT INTO d1faults_left (id, label) VALUES (9, 'late')")
    with pytest.raises(ProgrammingError, match="is over"):
        transaction.commit(using=ALIAS)
    assert count() == 0


def test_a_commit_that_is_interrupted_is_not_sent_by_the_end_of_atomic(faulty, count):
    def interrupt(sender, **kwargs):
        request_sent.disconnect(interrupt)
        raise KeyboardInterrupt

    counters.create(value=1)
    with pytest.raises(KeyboardInterrupt), transaction.atomic(using=ALIAS):
        run(faulty, INSERT)
        request_sent.connect(interrupt)
    assert count() == 1


def test_atomic_is_over_when_its_outcome_is_unknown(faulty, proxy, count):
    counters.count()
    with pytest.raises(OutcomeUnknown), transaction.atomic(using=ALIAS):
        run(faulty, INSERT)
        proxy.plan = plans.always(plans.BAD_GATEWAY_AFTER)
    proxy.plan = None
    transaction.set_autocommit(True, using=ALIAS)
    assert count() == 1


def test_commit_and_rollback_spelled_in_sql_keep_autocommit_off(manual, count):
    for end in ("COMMIT", "ROLLBACK"):
        run(manual, INSERT, end, INSERT)
        transaction.rollback(using=ALIAS)
    assert count() == 1


def test_a_transaction_begun_in_sql_ends_with_djangos_commit_and_rollback(faulty, count):
    for end in (transaction.commit, transaction.rollback):
        run(faulty, "BEGIN", INSERT)
        end(using=ALIAS)
        run(faulty, INSERT)
    assert count() == 3


def test_a_statement_whose_row_count_could_not_be_asked_for_is_no_part_of_the_transaction(
    faulty, proxy, truth
):
    counters.create(value=0)
    with transaction.atomic(using=ALIAS), faulty.cursor() as cursor:
        for fault in (plans.WRONG_TOKEN, None):
            cursor.execute("UPDATE d1faults_counter SET value = value + 1")
            proxy.plan = [fault]
            if fault:
                with pytest.raises(OperationalError):
                    assert cursor.rowcount
            else:
                assert cursor.rowcount == 1
    assert truth("SELECT value FROM d1faults_counter") == [[1]]


def test_a_connection_that_is_closed_takes_nothing_of_a_failed_commit_along(faulty, proxy, count):
    counters.count()
    run(faulty, "BEGIN", INSERT)
    proxy.plan = plans.always(plans.BAD_GATEWAY_AFTER)
    with suppress(OutcomeUnknown):
        run(faulty, "COMMIT")
    proxy.plan = None
    faulty.close()
    counters.create(value=1)
    transaction.commit(using=ALIAS)
    assert count() == 2
