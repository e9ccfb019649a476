"""write_only_if(): conditions that travel with every write."""

import threading

import pytest
from django.db import connection, transaction

from d1backend import (
    ConditionFailed,
    conditional_writes,
    update_or_conflict,
    write_only_if,
    write_then_gather,
)
from d1backend.test import assert_round_trips
from tests.d1.app.models import Author

pytestmark = pytest.mark.django_db(transaction=True)

QUESTION = "SELECT 1 FROM app_author WHERE name = %s"


@pytest.fixture(autouse=True)
def key(db):
    Author.objects.create(name="key")
    return Author.objects.get(name="key")


@pytest.fixture
def conditional():
    with conditional_writes():
        write_only_if(
            QUESTION.replace("app_author", Author._meta.db_table), ["key"], "the name of the author"
        )
        yield


def in_a_transaction():
    with transaction.atomic():
        Author.objects.create(name="new")
        Author.objects.create(name="newer")


WRITES = {
    "create": lambda: Author.objects.create(name="new"),
    "update": lambda: Author.objects.filter(name="other").update(name="new"),
    "delete": lambda: Author.objects.filter(name="other").delete(),
    "transaction": in_a_transaction,
    "bulk": lambda: Author.objects.bulk_create([Author(name="new"), Author(name="newer")]),
    "with questions": lambda: write_then_gather(
        f"UPDATE {Author._meta.db_table} SET name = %s WHERE name = 'other'", ["new"], Author.objects.count
    ),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_nothing_is_written_where_the_condition_does_not_hold(write, conditional):
    Author.objects.create(name="other")
    Author.objects.filter(name="key").update(name="lost")
    names = sorted(Author.objects.values_list("name", flat=True))
    with pytest.raises(ConditionFailed, match="the name of the author"):
        write()
    assert sorted(Author.objects.values_list("name", flat=True)) == names


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_where_it_holds_the_write_is_as_it_was(write, conditional):
    Author.objects.create(name="other")
    write()
    names = set(Author.objects.values_list("name", flat=True))
    assert "new" in names or "other" not in names


def test_it_costs_no_round_trip(conditional):
    in_a_transaction()
    Author.objects.exclude(name="key").delete()
    with assert_round_trips(1):
        in_a_transaction()
    with assert_round_trips(1):
        Author.objects.filter(name="new").update(name="newest")


def test_a_write_may_end_what_it_depends_on(conditional, key):
    with transaction.atomic():
        update_or_conflict(Author.objects.filter(pk=key.pk), name="lost")
        Author.objects.create(name="new")
    assert Author.objects.filter(name="new").exists()
    with pytest.raises(ConditionFailed):
        Author.objects.create(name="newer")


def test_it_ends_with_its_block_and_belongs_to_its_thread(key):
    with conditional_writes():
        write_only_if("SELECT 1 WHERE 1 = %s", [2], "arithmetic")
        thread = threading.Thread(target=lambda: (Author.objects.create(name="threads"), connection.close()))
        thread.start()
        thread.join()
        with pytest.raises(ConditionFailed):
            Author.objects.create(name="new")
    Author.objects.create(name="after")
    assert set(Author.objects.values_list("name", flat=True)) == {"key", "threads", "after"}


def test_without_a_block_there_is_no_condition():
    with pytest.raises(LookupError, match="conditional_writes"):
        write_only_if("SELECT 1", [], "nothing")
