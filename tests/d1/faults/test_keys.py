"""Keys left from an earlier block that someone else has used: a second run takes others."""

import pytest
from django.db import IntegrityError, connections, transaction

from d1backend import SerializationFailure, retry_on_conflict
from devtools import fault_plan as plans
from tests.d1.faults.conftest import ALIAS
from tests.d1.faults.models import Left

pytestmark = pytest.mark.d1
lefts = Left.objects.using(ALIAS)


@pytest.fixture
def stranger(faulty, truth):
    """A function by which another process stores a row under the next key that this one holds."""
    with transaction.atomic(using=ALIAS):
        held = lefts.create(label="first").pk

    def stranger(ahead=1):
        truth(f"INSERT INTO d1faults_left (id, label) VALUES ({held + ahead}, 'stranger')")
        return held + ahead

    return stranger


def test_create_outside_a_transaction_takes_another_key(stranger, truth):
    taken = stranger()
    row = lefts.create(label="mine")
    assert row.pk != taken
    assert truth(f"SELECT label FROM d1faults_left WHERE id = {row.pk}") == [["mine"]]
    assert truth("SELECT count(*) FROM d1faults_left") == [[3]]


def test_save_outside_a_transaction_takes_another_key(stranger, truth):
    taken = stranger()
    row = Left(label="mine")
    row.save(using=ALIAS)
    row.label = "mine too"
    row.save(using=ALIAS)
    assert row.pk != taken
    assert truth(f"SELECT label FROM d1faults_left WHERE id = {row.pk}") == [["mine too"]]


def test_create_takes_another_key_also_when_the_answers_are_lost(stranger, proxy, truth):
    stranger()
    proxy.plan = [plans.BAD_GATEWAY_AFTER, plans.RESET_AFTER, plans.RESET_AFTER]
    row = lefts.create(label="mine")
    assert truth(f"SELECT label FROM d1faults_left WHERE id = {row.pk}") == [["mine"]]
    assert truth("SELECT count(*) FROM d1faults_left") == [[3]]


def test_create_in_a_table_that_was_remade_meanwhile(stranger, truth):
    """As a rolling deploy does it, with the rows and keys of a new beginning."""
    held = stranger(ahead=2)
    schema = truth("SELECT sql FROM sqlite_master WHERE name = 'd1faults_left'")[0][0]
    truth("DROP TABLE d1faults_right")
    truth("DROP TABLE d1faults_left")
    truth(schema)
    for key in range(1, held + 1):
        truth(f"INSERT INTO d1faults_left (id, label) VALUES ({key}, 'new {key}')")
    assert lefts.create(label="mine").pk == held + 1


def test_a_value_that_is_taken_is_still_an_integrity_error(stranger, proxy):
    proxy.plan = []
    with pytest.raises(IntegrityError, match=r"d1faults_left\.label"):
        lefts.create(label="first")
    assert proxy.count == 1


def test_a_key_that_the_application_chose_is_still_an_integrity_error(stranger):
    taken = stranger()
    with pytest.raises(IntegrityError, match=r"d1faults_left\.id"):
        lefts.create(pk=taken, label="mine")
    with connections[ALIAS].cursor() as cursor, pytest.raises(IntegrityError, match=r"d1faults_left\.id"):
        cursor.executemany("INSERT INTO d1faults_left (id, label) VALUES (%s, %s)", [(taken, "a"), (98, "b")])


@pytest.mark.parametrize(
    "write",
    [
        lambda: lefts.bulk_create([Left(label="mine"), Left(label="mine too")]),
        lambda: lefts.get_or_create(label="mine"),
        lambda: lefts.update_or_create(label="mine"),
        transaction.atomic(using=ALIAS)(lambda: lefts.create(label="mine")),
    ],
    ids=["bulk_create", "get_or_create", "update_or_create", "atomic"],
)
def test_in_a_transaction_it_is_a_conflict_that_a_second_run_cures(stranger, truth, write):
    """Its keys were told already, and Django opens a transaction for some calls by itself."""
    stranger()
    with pytest.raises(SerializationFailure, match="reserved for d1faults_left"):
        write()
    assert truth("SELECT count(*) FROM d1faults_left WHERE label LIKE 'mine%'") == [[0]]
    retry_on_conflict(write)()
    assert truth("SELECT count(*) FROM d1faults_left WHERE label = 'mine'") == [[1]]
