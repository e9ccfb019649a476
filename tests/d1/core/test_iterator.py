"""iterator() reads page by page where the order is the key's, and gives what the whole answer would give."""

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.db.models import Count, F, Window
from django.db.models.functions import RowNumber
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from d1backend.compilers import pages
from d1backend.test import assert_round_trips
from tests.d1.app.models import Author, Book, Tag

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def library(monkeypatch):
    """25 books of 5 authors, and pages of 10 rows."""
    monkeypatch.setattr(pages, "SMALLEST_PAGE", 10)
    authors = Author.objects.bulk_create(Author(name=f"A{i}", score=9 - i) for i in range(5))
    books = Book.objects.bulk_create(Book(title=f"B{i % 7}", author=authors[i % 5]) for i in range(25))
    tag = Tag.objects.create(label="t")
    tag.books.set(books[:15])
    Tag.objects.create(label="u").books.set(books[:15])


def keys(queryset, size=10):
    return [book.pk for book in queryset.iterator(size)]


PAGED = {
    "all": lambda: Book.objects.all(),
    "by key": lambda: Book.objects.order_by("pk"),
    "by key, descending": lambda: Book.objects.order_by("-id"),
    "filtered": lambda: Book.objects.exclude(title="B3"),
    "filtered through a foreign key": lambda: Book.objects.filter(author__score__gt=5),
    "with related objects": lambda: Book.objects.select_related("author"),
    "with fewer columns": lambda: Book.objects.only("title"),
    "annotated": lambda: Book.objects.annotate(twice=F("price") * 2),
    "with prefetched objects": lambda: Book.objects.prefetch_related("tags"),
}
WHOLE = {
    "by another column": lambda: Book.objects.order_by("title", "pk"),
    "by another column, backwards": lambda: Book.objects.order_by("pk").reverse(),
    "sliced": lambda: Book.objects.order_by("pk")[3:20],
    "distinct": lambda: Book.objects.distinct(),
    "of several queries": lambda: Book.objects.filter(title="B1").union(Book.objects.filter(title="B2")),
    "joined to many rows": lambda: Book.objects.filter(tags__label__in="tu").order_by("pk"),
    "numbered": lambda: Book.objects.annotate(n=Window(RowNumber(), order_by="pk")).order_by("pk"),
    "grouped": lambda: Book.objects.annotate(n=Count("tags")).order_by("pk"),
}


@pytest.mark.parametrize("name", PAGED)
def test_pages_give_what_the_whole_answer_gives(name):
    queryset = PAGED[name]()
    expected = [book.pk for book in queryset]
    with CaptureQueriesContext(connection) as queries:
        assert keys(queryset) == expected
    pages_sent = [q for q in queries if "app_book" in q["sql"] and " LIMIT 10" in q["sql"]]
    assert len(pages_sent) == len(expected) // 10 + 1


@pytest.mark.parametrize("name", WHOLE)
def test_other_queries_are_one_answer(name):
    queryset = WHOLE[name]()
    expected = [book.pk for book in queryset]
    with assert_round_trips(1):
        assert keys(queryset) == expected


def test_values_without_the_key_are_one_answer():
    with assert_round_trips(1):
        assert len(list(Book.objects.values_list("title", flat=True).iterator(10))) == 25


def test_values_with_the_key_are_paged():
    with assert_round_trips(3):
        values = list(Book.objects.order_by("pk").values_list("title", "pk").iterator(10))
    assert values == list(Book.objects.order_by("pk").values_list("title", "pk"))


def test_few_rows_cost_one_round_trip():
    with assert_round_trips(1):
        assert len(keys(Book.objects.filter(title="B1"))) == 4


def test_a_row_written_between_two_pages_comes_once_or_not_at_all():
    found = []
    for book in Book.objects.iterator(10):
        found.append(book.pk)
        if len(found) in (5, 15):
            Book.objects.filter(pk=book.pk).delete()
            Book.objects.create(title="new", author_id=book.author_id)
    assert len(found) == len(set(found)) == 27


def test_in_a_transaction_there_is_one_answer():
    with assert_round_trips(1), transaction.atomic():
        for number, book in enumerate(Book.objects.iterator(10)):
            book.title = f"C{number}"
        assert number == 24


def test_text_keys_are_paged():
    now = timezone.now()
    Session.objects.bulk_create(
        Session(session_key=f"k{i:02}é'", session_data="", expire_date=now) for i in range(25)
    )
    with assert_round_trips(3):
        assert [s.pk for s in Session.objects.iterator(10)] == [f"k{i:02}é'" for i in range(25)]


def test_an_order_of_the_model_is_kept():
    expected = [p.pk for p in Permission.objects.all()]
    with assert_round_trips(1):
        assert [p.pk for p in Permission.objects.iterator(10)] == expected
    assert list(User.objects.none().iterator(10)) == []
    assert list(Group.objects.filter(pk__in=[]).iterator(10)) == []
