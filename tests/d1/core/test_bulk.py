"""Bulk work inside a transaction: its round trips, and statements that grow with the rows and not with their square."""

import json
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from d1backend import SerializationFailure
from d1backend.test import assert_round_trips
from d1backend.transaction import keys
from tests.d1.app.models import Author, Book, Tag, Wide

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def warm():
    """The connection stands."""
    Tag.objects.count()


def authors(count):
    Author.objects.bulk_create(Author(name=f"A{i}", score=0) for i in range(count))
    return Author.objects.order_by("pk")


def test_a_thousand_saves_of_rows_read_in_the_transaction_take_two_trips(sent):
    found = authors(1000)
    sent.clear()
    with assert_round_trips(2), transaction.atomic():
        for author in found:
            author.score += 1
            author.save()
    assert sum(map(len, sent)) < 2_100
    assert set(Author.objects.values_list("score", flat=True)) == {1}


@pytest.mark.parametrize("step", [1, -1])
def test_a_thousand_saves_of_rows_read_before_take_at_most_three_trips(sent, step):
    loaded = list(authors(1000))[::step]
    before = connection.round_trips
    sent.clear()
    with transaction.atomic():
        for author in loaded:
            author.score += 1
            author.save()
    assert connection.round_trips - before <= 3
    assert sum(map(len, sent)) < 2_100
    assert set(Author.objects.values_list("score", flat=True)) == {1}


def test_a_single_save_reads_few_keys(sent):
    author = authors(1000)[500]
    sent.clear()
    with assert_round_trips(2), transaction.atomic():
        author.save()
    assert "LIMIT 1" in sent[0][0]


def test_saves_in_inner_blocks_take_what_their_constraints_take():
    with transaction.atomic():
        wide = [Wide.objects.create() for _ in range(50)]
    with assert_round_trips(2), transaction.atomic():
        for row in Wide.objects.all():
            with transaction.atomic():
                row.c0 = "x"
                row.save()
    assert Wide.objects.filter(c0="x").count() == len(wide)


def fixture(path, count, first=1):
    rows = [
        {"model": "app.author", "pk": first + i, "fields": {"name": f"A{i}", "score": i}}
        for i in range(count)
    ]
    path.write_text(json.dumps(rows))
    return str(path)


def test_loaddata_of_a_thousand_objects_into_an_empty_table_takes_three_trips(tmp_path, sent):
    path = fixture(tmp_path / "authors.json", 1000)
    with assert_round_trips(3):
        call_command("loaddata", path, verbosity=0)
    assert Author.objects.count() == 1000
    with assert_round_trips(4):
        call_command("loaddata", path, verbosity=0)
    assert Author.objects.count() == 1000


def test_loaddata_of_several_models_checks_their_references_in_one_trip(tmp_path):
    rows = json.loads(Path(fixture(tmp_path / "a.json", 300)).read_text())
    rows += [{"model": "app.book", "pk": i, "fields": {"title": "t", "author": i}} for i in range(1, 301)]
    rows += [{"model": "app.tag", "pk": i, "fields": {"label": "t"}} for i in range(1, 301)]
    (tmp_path / "all.json").write_text(json.dumps(rows))
    before = connection.round_trips
    call_command("loaddata", str(tmp_path / "all.json"), verbosity=0)
    assert (Book.objects.count(), Tag.objects.count()) == (300, 300)
    assert connection.round_trips - before <= 5 + 2


def test_loaddata_rejects_a_reference_that_leads_nowhere(tmp_path):
    rows = [{"model": "app.book", "pk": 1, "fields": {"title": "t", "author": 99}}]
    (tmp_path / "b.json").write_text(json.dumps(rows))
    with pytest.raises(IntegrityError, match="author_id"):
        call_command("loaddata", str(tmp_path / "b.json"), verbosity=0)
    assert not Book.objects.exists()


def test_a_row_that_is_not_there_is_created_by_save():
    authors(3)
    last = Author.objects.order_by("-pk")[0].pk
    with transaction.atomic():
        assert Author.objects.filter(pk=last + 5).update(score=1) == 0
        Author(pk=last + 7, name="new").save()
        Author(pk=last + 7, name="newer").save()
        Author(pk=last, name="old").save()
    assert set(Author.objects.values_list("pk", "name")) >= {(last + 7, "newer"), (last, "old")}
    assert Author.objects.count() == 4


def test_a_row_deleted_in_the_transaction_is_created_again_by_save():
    found = authors(5)
    with transaction.atomic():
        loaded = list(found)
        Author.objects.filter(score=0).delete()
        for author in loaded:
            author.save()
    assert Author.objects.count() == 5
    with transaction.atomic():
        loaded = list(found)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM app_author")
        loaded[0].save()
    assert Author.objects.count() == 1


def test_a_row_of_a_union_is_not_taken_for_one_of_its_first_table():
    (author,) = authors(1)
    tags = [Tag.objects.create(label=str(i)) for i in range(3)]
    with transaction.atomic():
        assert len(Author.objects.values("pk").union(Tag.objects.values("pk"))) >= 3
        for tag in tags:
            if tag.pk != author.pk:
                Author(pk=tag.pk, name=f"t{tag.pk}").save()
    assert Author.objects.count() == len({author.pk, *(tag.pk for tag in tags)})


def elsewhere(sql):
    """Another process writes."""
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute(sql)
    finally:
        other.close()


@pytest.mark.parametrize("read", [True, False])
def test_a_row_that_another_deletes_before_the_commit_is_a_conflict(read):
    loaded = list(authors(3))
    with pytest.raises(SerializationFailure), transaction.atomic():
        if read:
            loaded = list(Author.objects.order_by("pk"))
        for author in loaded:
            author.score = 9
            author.save()
        elsewhere(f"DELETE FROM app_author WHERE id = {loaded[1].pk}")
    assert list(Author.objects.values_list("score", flat=True)) == [0, 0]


def test_a_key_that_another_takes_before_the_commit_is_an_error_and_nothing_is_written():
    authors(3)
    last = Author.objects.order_by("-pk")[0].pk
    with pytest.raises(SerializationFailure), transaction.atomic():
        Author(pk=last + 9, name="mine").save()
        elsewhere(f"INSERT INTO app_author (id, name, score) VALUES ({last + 9}, 'theirs', 0)")
    assert Author.objects.get(pk=last + 9).name == "theirs"


def test_a_chosen_key_that_is_taken_is_an_error_at_the_statement():
    first = authors(3)[0]
    with transaction.atomic():
        Author(pk=first.pk + 100, name="asks for the keys").save()
        with pytest.raises(IntegrityError), transaction.atomic():
            Author.objects.create(pk=first.pk, name="x")
        assert Author.objects.filter(pk=first.pk).update(score=3) == 1
    assert Author.objects.get(pk=first.pk).name == "A0"


def test_creates_of_a_process_that_holds_no_keys_reserve_ever_more_of_them():
    keys.forget(connection.connection.identity)
    before = connection.round_trips
    with transaction.atomic():
        for i in range(600):
            Author.objects.create(name=f"C{i}")
    assert connection.round_trips - before <= 5
    assert Author.objects.count() == 600


def calls_of(function):
    """How many Python functions a function calls, with every step of a generator."""
    calls = 0

    def count(frame, event, argument):
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize("blocks", [False, True])
def test_listing_creates_is_linear(blocks):
    def create(count):
        for _ in range(count):
            with transaction.atomic() if blocks else nullcontext():
                Wide.objects.create(c0="x")

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        create(1)
        keys.keep(connection.connection.identity, "app_wide", 10**6, 5000)
        few, many = (calls_of(lambda count=count: create(count)) for count in (100, 400))
        assert many < 4.2 * few
        1 / 0  # noqa: B018
