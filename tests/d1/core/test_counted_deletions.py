"""delete_all_or_conflict(): rows whose number the caller knows."""

import pytest
from django.db import transaction

from d1backend import SerializationFailure, delete_all_or_conflict
from d1backend.test import assert_round_trips
from tests.d1.app.models import Author

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _authors(db):
    Author.objects.bulk_create([Author(name="silk 1"), Author(name="silk 2"), Author(name="wool")])


def deleted(name, count):
    with transaction.atomic():
        Author.objects.filter(name="wool").update(score=5)
        delete_all_or_conflict(Author.objects.filter(name__startswith=name), count)


@pytest.mark.parametrize(("name", "count"), [("silk", 2), ("nobody", 0)])
def test_so_many_rows_go_in_the_round_trip_of_the_transaction(name, count):
    with assert_round_trips(1), transaction.atomic():
        delete_all_or_conflict(Author.objects.filter(name__startswith=name), count)
    assert not Author.objects.filter(name__startswith=name).exists()
    assert Author.objects.filter(name="wool").exists()


@pytest.mark.parametrize(("name", "count"), [("silk", 1), ("silk", 3), ("silk", 0), ("nobody", 1)])
def test_another_number_is_a_conflict_and_nothing_is_written(name, count):
    with pytest.raises(SerializationFailure):
        deleted(name, count)
    assert Author.objects.count() == 3
    assert not Author.objects.filter(score=5).exists()
