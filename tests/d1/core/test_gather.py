"""Several questions in one round trip, asked ahead, with a write or with a commit."""

import itertools

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from d1backend import ask_ahead, ask_with_commit, gather, update_uncounted, write_then_gather
from d1backend.test import assert_round_trips
from tests.d1.app.models import Author, Book

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("warm")]


def test_gather_asks_several_questions_in_one():
    Author.objects.create(name="A").books.create(title="B")
    authors = Author.objects.order_by("-pk")
    books = Book.objects.select_related("author").order_by("-pk")
    with assert_round_trips(1):
        found, last, total = gather(authors, books[:1], authors.count)
    assert (len(found), total, last[0].author.name) == (4, 4, "A")
    with assert_round_trips(0):
        assert list(authors) == found


def test_gather_takes_one_more_for_all_prefetches_together():
    Author.objects.create(name="A").books.create(title="B")
    with assert_round_trips(2):
        authors, books = gather(
            Author.objects.prefetch_related("books"), Book.objects.prefetch_related("author")
        )
    with assert_round_trips(0):
        assert [b.title for a in authors for b in a.books.all()]
        assert [b.author for b in books]


def test_gather_ends_when_a_question_differs_each_time_it_is_asked():
    moments = itertools.count()

    def asks_for_now():
        list(Author.objects.filter(name="warm"))
        return Author.objects.filter(score__lt=next(moments)).count()

    with assert_round_trips(3):
        found, later = gather(Author.objects.order_by("pk"), asks_for_now)
    assert (len(found), later) == (3, 3)


def test_gather_within_gather_asks_all_at_once():
    with assert_round_trips(1):
        ((found, total), books) = gather(
            lambda: gather(Author.objects.order_by("pk"), Author.objects.count), Book.objects.all()
        )
    assert (len(found), total, len(books)) == (3, 3, 1)


class TestAskAhead:
    """What follows from an answer is asked along with it, by what the caller assumes it to be."""

    @staticmethod
    def books_of(name, assumed):
        key = Author.objects.get(name="warm").pk if assumed == "right" else 0
        seen = []

        def ask():
            author = ask_ahead(Author.objects.filter(name=name).first, lambda: Author(pk=key))
            seen.append(author and author.name)
            if author is None:
                raise Author.DoesNotExist
            return list(Book.objects.filter(author=author).values_list("title", flat=True))

        return ask, seen

    @pytest.mark.parametrize(("assumed", "trips"), [("right", 1), ("wrong", 2)])
    def test_costs_one_where_the_assumption_was_right_and_is_right_anyway(self, assumed, trips):
        ask, seen = self.books_of("warm", assumed)
        with assert_round_trips(trips):
            assert gather(ask) == [["warm"]]
        assert set(seen) == {"", "warm"}

    def test_counts_only_what_the_answer_leads_to(self):
        ask, seen = self.books_of("nobody", "right")
        with assert_round_trips(1), pytest.raises(Author.DoesNotExist):
            gather(ask)
        assert seen == ["", None]

    def test_drops_an_error_that_the_assumption_led_to(self):
        def ask():
            return 1 // ask_ahead(Author.objects.count, lambda: 0)

        with assert_round_trips(1):
            assert gather(ask) == [0]

    def test_is_the_answer_outside_gather(self):
        assert ask_ahead(Author.objects.count, lambda: 7) == 3


def test_a_question_of_gather_may_not_write():
    with pytest.raises(ProgrammingError, match="only read"):
        gather(lambda: Author.objects.filter(name="warm").update(score=1))
    assert Author.objects.get(name="warm").score == 0


class TestWriteThenGather:
    UPDATE = "UPDATE app_author SET score = score + %s WHERE name = %s"

    def test_costs_one_and_answers_what_the_write_left(self):
        warm = Author.objects.filter(name="warm")
        with assert_round_trips(1):
            score, total = write_then_gather(
                self.UPDATE, [5, "warm"], lambda: warm.get().score, Author.objects.count
            )
        assert (score, total) == (5, 3)

    def test_is_the_same_in_a_transaction(self):
        with transaction.atomic():
            (score,) = write_then_gather(
                self.UPDATE, [5, "warm"], lambda: Author.objects.get(name="warm").score
            )
        assert score == Author.objects.get(name="warm").score == 5

    def test_raises_the_error_of_the_write_and_writes_nothing(self):
        with pytest.raises(IntegrityError):
            write_then_gather(self.UPDATE, [-5000, "warm"], Author.objects.count)
        assert Author.objects.get(name="warm").score == 0

    def test_writes_once_where_a_question_needs_a_second_query(self):
        with assert_round_trips(2):
            (books,) = write_then_gather(
                self.UPDATE, [5, "warm"], lambda: list(Book.objects.prefetch_related("author"))
            )
        assert [book.author.score for book in books] == [5]


class TestAskWithCommit:
    """Questions about what a transaction leaves, in the round trip of its commit."""

    def test_costs_nothing_more_and_answers_what_the_transaction_left(self):
        warm = Author.objects.filter(name="warm")
        with assert_round_trips(1):
            with transaction.atomic():
                update_uncounted(warm, score=5)
                score = ask_with_commit(lambda: warm.get().score)
                total = ask_with_commit(Author.objects.count)
                update_uncounted(warm, score=6)
            assert (score(), total()) == (6, 3)

    def test_asks_within_the_transaction_before_the_commit(self):
        with transaction.atomic():
            Author.objects.create(name="new")
            total = ask_with_commit(Author.objects.count)
            assert total() == 4

    def test_asks_where_nothing_was_written(self):
        with assert_round_trips(1):
            with transaction.atomic():
                total = ask_with_commit(Author.objects.count)
            assert total() == 3

    def test_asks_afterwards_where_one_query_follows_from_another(self):
        with assert_round_trips(3):
            with transaction.atomic():
                update_uncounted(Author.objects.filter(name="warm"), score=5)
                books = ask_with_commit(lambda: list(Book.objects.prefetch_related("author")))
            assert [book.author.score for book in books()] == [5]

    def test_is_for_one_transaction_alone(self):
        with pytest.raises(LookupError), transaction.atomic():
            Author.objects.create(name="lost")
            ask_with_commit(Author.objects.count)
            raise LookupError
        with assert_round_trips(1), transaction.atomic():
            update_uncounted(Author.objects.filter(name="warm"), score=5)

    def test_may_not_write(self):
        warm = Author.objects.filter(name="warm")
        with pytest.raises(ProgrammingError), transaction.atomic():
            ask_with_commit(lambda: warm.update(score=1))
            update_uncounted(warm, score=5)
        assert warm.get().score == 0

    def test_is_the_answer_outside_a_transaction(self):
        assert ask_with_commit(Author.objects.count)() == 3
