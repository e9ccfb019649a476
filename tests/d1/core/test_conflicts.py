"""What others changed meanwhile fails the commit: rows that were counted, or read for update."""

import threading

import pytest
from django.db import OperationalError, connection, transaction

from d1backend import SerializationFailure, retry_on_conflict
from tests.d1.app.models import Author, Book
from tests.d1.core.test_transactions import in_another_thread

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_row_count_that_no_longer_holds_fails_the_commit():
    author = Author.objects.create(name="A")
    with pytest.raises(SerializationFailure, match="app_author"), transaction.atomic():
        Author.objects.create(name="B")
        assert Author.objects.filter(name="A").update(score=1) == 1
        in_another_thread(Author.objects.filter(pk=author.pk).delete)
    assert not Author.objects.exists()


def test_rows_read_for_update_are_held_to_the_commit():
    author = Author.objects.create(name="A")
    with pytest.raises(SerializationFailure), transaction.atomic():
        read = Author.objects.select_for_update().get(pk=author.pk)
        in_another_thread(lambda: Author.objects.filter(pk=author.pk).update(score=7))
        read.score += 1
        read.save()
    assert Author.objects.get().score == 7


@pytest.mark.parametrize(
    "options", [{"nowait": True}, {"skip_locked": True}, {"of": ("self", "author")}, {"no_key": True}]
)
def test_the_options_of_a_locking_read_change_nothing(options):
    """As on Django's SQLite, where there is no row lock either."""
    Book.objects.create(title="B", author=Author.objects.create(name="A"))
    books = Book.objects.select_related("author")
    with transaction.atomic():
        assert books.select_for_update(**options).get().author.name == "A"
    with pytest.raises(SerializationFailure), transaction.atomic():
        book = books.select_for_update(**options).get()
        in_another_thread(lambda: Author.objects.update(name="changed"))
        book.save()


def test_threads_that_add_through_select_for_update_lose_nothing():
    author = Author.objects.create(name="A")

    @retry_on_conflict
    def add():
        with transaction.atomic():
            read = Author.objects.select_for_update().get(pk=author.pk)
            read.score += 1
            read.save()

    def run():
        for _ in range(5):
            add()
        connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Author.objects.get().score == 20


def test_select_for_update_needs_a_transaction():
    with pytest.raises(transaction.TransactionManagementError):
        list(Author.objects.select_for_update())


def test_a_serialization_failure_is_an_operational_error():
    assert issubclass(SerializationFailure, OperationalError)
