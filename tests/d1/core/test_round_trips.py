"""What each kind of operation costs."""

import os
import re
import subprocess
import sys

import pytest
from django.db import connection, transaction
from django.db.models import F, Q
from django.test.utils import CaptureQueriesContext

from d1backend import (
    SerializationFailure,
    delete_or_conflict,
    insert_unkeyed,
    update_or_conflict,
    update_uncounted,
)
from d1backend.test import assert_round_trips
from d1backend.transaction import keys
from tests.d1.app.models import Author, Book, Tag, Wide

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("warm")]


def test_the_table_that_make_round_trips_prints():
    command = [sys.executable, "-m", "d1backend.local.round_trips"]
    environment = {key: value for key, value in os.environ.items() if key != "DJANGO_SETTINGS_MODULE"}
    printed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    lines = [re.split(r"\s{2,}", line, maxsplit=1) for line in printed.splitlines()[2:]]
    table = {name: [int(cell) for cell in cells.split()] for name, cells in lines}
    assert {name: cells[0] for name, cells in table.items()} == {
        "migrate from nothing": 46,
        "migrate, nothing to do": 18,
        "create": 1,
        "save of an existing row": 1,
        "update": 1,
        "delete": 1,
        "get": 1,
        "filter": 1,
        "atomic(), three creates, no keys held yet": 2,
        "get_or_create, exists": 1,
        "get_or_create, makes it": 2,
        "update_or_create, exists": 2,
        "bulk_create of 100": 2,
        "atomic(), three creates": 1,
        "the same with a read of what it wrote": 2,
        "an exception in atomic()": 0,
        "select_for_update(), save()": 2,
    }
    both = {name: cells for name, cells in table.items() if len(cells) == 6}
    single = [
        both[name] for name in ("create", "save of an existing row", "update", "delete", "get", "filter")
    ]
    assert [trips for _, _, _, trips, _, _ in single] == [1] * 6
    assert max(read for _, _, _, _, read, _ in single) < 60
    assert max(new_read - read for _, read, _, _, new_read, _ in both.values()) < 100


def test_single_statements_cost_one():
    with assert_round_trips(1):
        author = Author.objects.create(name="A")
    with assert_round_trips(1):
        author.save()
    with assert_round_trips(1):
        Author.objects.get(pk=author.pk)
    with assert_round_trips(1):
        list(Author.objects.filter(name="A"))
    with assert_round_trips(1):
        Author.objects.filter(pk=author.pk).update(score=F("score") + 1)
    with assert_round_trips(1):
        Tag.objects.filter(pk=1).delete()


def test_deleting_an_object_that_nothing_refers_to_costs_one():
    book = Author.objects.create(name="A").books.create(title="B")
    Tag.books.through.objects.all().delete()
    with assert_round_trips(1):
        Book.objects.filter(pk=book.pk)._raw_delete("default")


def test_three_writes_in_a_transaction_cost_one():
    with assert_round_trips(1), transaction.atomic():
        for name in "ABC":
            Author.objects.create(name=name)


def test_a_read_of_what_was_written_between_costs_one_more_and_only_once():
    with assert_round_trips(2), transaction.atomic():
        for name in "ABC":
            Author.objects.create(name=name)
        assert Author.objects.filter(name="B").exists()
        assert Author.objects.filter(name="B").exists()


def test_an_inner_block_costs_one_at_its_end_when_a_constraint_may_refuse_what_it_wrote():
    with transaction.atomic():
        for label in "abc":
            Tag.objects.create(label=label)
    with assert_round_trips(1), transaction.atomic():
        for label in "AB":
            with transaction.atomic():
                Tag.objects.create(label=label)
    with assert_round_trips(2), transaction.atomic(), transaction.atomic():
        Author.objects.create(name="A")


def test_a_rehearsal_carries_what_the_question_depends_on(sent):
    with transaction.atomic():
        for i in range(30):
            Author.objects.create(name=f"A{i}")
        Tag.objects.create(label="t")
        sent.clear()
        assert Tag.objects.count() == 1
    assert len(sent[0]) == 4
    assert not any("app_author" in sql for sql in sent[0])


def test_an_exception_costs_nothing():
    with assert_round_trips(0), pytest.raises(ZeroDivisionError), transaction.atomic():
        Author.objects.create(name="A")
        1 / 0  # noqa: B018


def test_saving_again_what_the_transaction_made_asks_nothing():
    with assert_round_trips(1), transaction.atomic():
        author = Author.objects.create(name="A")
        author.score = 5
        author.save()
        assert Author.objects.filter(pk=author.pk).update(score=6) == 1
    assert Author.objects.get(name="A").score == 6


def test_an_update_in_a_transaction_costs_one_more_for_its_row_count_unless_that_is_not_wanted():
    with assert_round_trips(2), transaction.atomic():
        Author.objects.create(name="A")
        assert Author.objects.filter(name="warm").update(score=F("score") + 1) == 1
    with assert_round_trips(1), transaction.atomic():
        Author.objects.create(name="B")
        update_uncounted(Author.objects.filter(name="warm"), score=F("score") + 1)
    assert Author.objects.get(name="warm").score == 2


def test_an_update_of_one_row_that_is_known_to_be_there_costs_nothing_in_a_transaction():
    with assert_round_trips(1), transaction.atomic():
        update_or_conflict(Author.objects.filter(name="warm"), score=F("score") + 1)
        Author.objects.create(name="B")
    assert Author.objects.get(name="warm").score == 1


@pytest.mark.parametrize("name", ["nobody", "warm "])
def test_an_update_of_no_row_or_of_two_is_a_conflict_and_nothing_is_written(name):
    with pytest.raises(SerializationFailure), transaction.atomic():
        Author.objects.create(name="B")
        update_or_conflict(Author.objects.filter(name__startswith=name), score=5)
    with pytest.raises(SerializationFailure):
        update_or_conflict(Author.objects.filter(name="nobody"), score=5)
    assert not Author.objects.filter(name="B").exists()
    assert not Author.objects.filter(score=5).exists()


def test_a_deletion_of_one_row_with_what_refers_to_it_costs_nothing_in_a_transaction():
    author = Author.objects.get(name="warm")
    assert author.books.exists()
    with assert_round_trips(2), transaction.atomic():  # books have tags, so Django reads which ones there are
        Author.objects.create(name="B")
        delete_or_conflict(author)
    assert not Author.objects.filter(name="warm").exists()
    assert not Book.objects.exists()
    tag = Tag.objects.create(label="silk")
    tag.books.add(Book.objects.create(title="A", author=Author.objects.get(name="B")))
    with assert_round_trips(1), transaction.atomic():
        delete_or_conflict(tag)
    assert not Tag.objects.exists()
    assert not Tag.books.through.objects.exists()


@pytest.mark.parametrize("score", [0, 5])
def test_a_deletion_of_no_row_is_a_conflict_and_nothing_is_written(score):
    author = Author.objects.get(name="warm")
    with pytest.raises(SerializationFailure), transaction.atomic():
        Author.objects.create(name="B")
        delete_or_conflict(author, Q(name="nobody") | Q(score__gt=0), score=score)
    assert list(Book.objects.values_list("title", flat=True)) == ["warm"]
    assert not Author.objects.filter(name="B").exists()


def test_a_new_row_without_its_key_costs_nothing_before_the_commit():
    keys.forget(connection.connection.identity)
    with assert_round_trips(1), transaction.atomic():
        insert_unkeyed(Author(name="B"))
        insert_unkeyed(Author(name="C", score=7))
    assert list(Author.objects.filter(name__in="BC").values_list("name", "score")) == [("B", 0), ("C", 7)]


def test_read_for_update_and_save_cost_two():
    key = Author.objects.create(name="A").pk
    with assert_round_trips(2), transaction.atomic():
        author = Author.objects.select_for_update().get(pk=key)
        author.score += 1
        author.save()


def test_update_or_create_of_a_row_that_exists_costs_two():
    Author.objects.create(name="A")
    with assert_round_trips(2):
        Author.objects.update_or_create(name="A", defaults={"score": 3})


def test_get_or_create_costs_one_when_it_exists_and_two_when_not():
    with assert_round_trips(2):
        Author.objects.get_or_create(name="A")
    with assert_round_trips(1):
        Author.objects.get_or_create(name="A")


def test_a_thousand_rows_of_seventeen_columns_cost_two():
    rows = [Wide(**{f"c{j}": f"साड़ी {i} {j}" for j in range(16)}) for i in range(1000)]
    with assert_round_trips(2):
        made = Wide.objects.bulk_create(rows)
    assert Wide.objects.get(pk=made[500].pk).c3 == "साड़ी 500 3"


def test_the_query_log_asks_nothing():
    with assert_round_trips(1), CaptureQueriesContext(connection) as captured:
        list(Author.objects.filter(name="it's", score=3))
    assert "\"name\" = 'it''s' AND" in captured[0]["sql"]


def test_the_query_log_shows_what_was_asked_though_the_key_was_known():
    with CaptureQueriesContext(connection) as captured, transaction.atomic():
        Author.objects.create(name="A")
    assert captured[1]["sql"].endswith('RETURNING "app_author"."id"')


def test_executemany_costs_one():
    with assert_round_trips(1), connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO app_author (name, score) VALUES (%s, 0)", [(f"m{i}",) for i in range(50)]
        )
        assert cursor.rowcount == 50


def test_keys_of_migrations_come_from_one_block():
    """Dropping a table gives up its keys, not those of the others."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE passing (id integer PRIMARY KEY AUTOINCREMENT)")
        cursor.execute("DROP TABLE passing")
    with assert_round_trips(1), transaction.atomic():
        Author.objects.create(name="A")
