"""Searches that found little: counted once several people asked, without who they are, and written with the views."""

import datetime
import json
import sqlite3
from unittest import mock

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from designs import counters, search_counts, search_spool, searches
from designs.models import PHRASE_LENGTH, SearchCount
from designs.search_counts import mark_of, phrase_of, this_week
from tests.factories.designs import DesignFactory, SearchCountFactory

ON_D1 = pytest.mark.skipif(not hasattr(connection, "round_trips"), reason="only D1 bills (TEST_ENGINE=d1)")


@pytest.fixture
def host(settings, tmp_path):
    settings.DATA = tmp_path
    return tmp_path


@pytest.fixture
def counts(host):
    return counters.Counts()


@pytest.fixture
def neighbour(host):
    return counters.Counts()


def people(number):
    """Callers whose marks differ."""
    found = {}
    for n in range(1000):
        found.setdefault(mark_of((this_week().isoformat(), "toran"), f"user {n}"), f"user {n}")
    return list(found.values())[:number]


def ask(counts, number, text="toran", found=0):
    for caller in people(number):
        counts.add_search(text, found, caller)


def stored():
    return list(SearchCount.objects.values_list("phrase", "count", "found"))


@pytest.mark.django_db
class TestAPhrase:
    def test_counts_once_several_people_asked(self, counts):
        ask(counts, 2)
        ask(counts, 2)
        counts.flush()
        assert stored() == []
        ask(counts, 3)
        counts.flush()
        assert stored() == [("toran", 7, 0)]
        counts.add_search("Toran!", 1, people(1)[0])
        counts.flush()
        assert stored() == [("toran", 8, 1)]

    def test_of_one_person_never_counts(self, counts):
        for _ in range(50):
            counts.add_search("toran", 0, "user 1")
            counts.flush()
        assert stored() == []

    def test_that_found_enough_does_not_count(self, counts):
        ask(counts, 3, found=search_counts.LITTLE + 1)
        ask(counts, 3, text="%%%")
        counts.flush()
        assert (stored(), counts.searches) == ([], {})

    def test_counts_for_the_people_of_all_processes_of_a_host(self, counts, neighbour):
        first, *others = people(3)
        counts.add_search("toran", 0, first)
        counts.hand_over()
        for caller in others:
            neighbour.add_search("toran", 0, caller)
        neighbour.flush()
        assert stored() == [("toran", 3, 0)]

    def test_counts_by_week(self, counts):
        ask(counts, 3)
        counts.flush()
        with mock.patch(
            "django.utils.timezone.now", return_value=timezone.now() + datetime.timedelta(days=7)
        ):
            ask(counts, 2)
            counts.flush()
            assert SearchCount.objects.count() == 1
            for caller in range(9):
                counts.add_search("toran", 0, f"user {caller}")
            counts.flush()
        assert len(set(SearchCount.objects.values_list("week", flat=True))) == 2

    def test_is_kept_as_searches_compare_it_and_no_longer_than_its_column(self):
        assert phrase_of("  Bandhéj, SARI\n") == "bandhej sari"
        long = phrase_of("wort " * 99)
        assert (len(long) <= PHRASE_LENGTH, long.split(" ")[-1]) == (True, "wort")
        assert phrase_of("x" * 300) == ""


class TestWhoAsked:
    def test_leaves_the_process_as_a_mark_of_eight_bits_and_goes_with_the_count(self, counts, host):
        ask(counts, 2)
        counts.hand_over()
        with sqlite3.connect(host / "views.sqlite3") as db:
            ((marks,),) = db.execute("SELECT marks FROM asked").fetchall()
            assert all(0 <= mark < 256 for mark in json.loads(marks))
        ask(counts, 3)
        counts.hand_over()
        with sqlite3.connect(host / "views.sqlite3") as db:
            assert db.execute("SELECT marks FROM asked").fetchall() == [("[]",)]
        assert b"user" not in (host / "views.sqlite3").read_bytes()

    def test_is_not_known_again_by_another_phrase_or_week(self):
        keys = [(f"2026-01-{day:02}", phrase) for day in range(1, 20) for phrase in ("a", "b")]
        assert len({mark_of(key, "user 1") for key in keys}) > 1


@pytest.mark.django_db
class TestAWrite:
    def test_that_fails_keeps_the_counts(self, counts):
        ask(counts, 3)
        with (
            mock.patch.object(counters, "ADD_SEARCHES", "INSERT INTO no_such_table VALUES (%s)"),
            pytest.raises(OperationalError),
        ):
            counts.flush()
        assert stored() == []
        ask(counts, 1)
        counts.flush()
        assert stored() == [("toran", 4, 0)]

    def test_forgets_what_is_older_than_a_year(self, counts):
        old = this_week() - datetime.timedelta(weeks=search_counts.WEEKS_KEPT + 1)
        SearchCountFactory(week=old)
        ask(counts, 3)
        counts.flush()
        assert stored() == [("toran", 3, 0)]

    def test_without_counted_searches_asks_nothing_of_the_database(self, counts, django_assert_num_queries):
        ask(counts, 2)
        with django_assert_num_queries(0):
            counts.flush()


class TestTheBounds:
    def test_a_process_keeps_so_many_phrases(self, counts, monkeypatch):
        monkeypatch.setattr(search_counts, "MOST_PENDING", 2)
        for text in ("one", "two", "three", "one"):
            counts.add_search(text, 0, "user 1")
        assert [asked.count for asked in counts.searches.values()] == [2, 1]

    def test_a_host_forgets_the_oldest_that_wait(self, counts, host, monkeypatch):
        monkeypatch.setattr(search_spool, "MOST_WAITING", 2)
        for text in ("one", "two", "three"):
            counts.add_search(text, 0, "user 1")
            counts.hand_over()
        with sqlite3.connect(host / "views.sqlite3") as db:
            assert db.execute("SELECT phrase FROM asked ORDER BY rowid").fetchall() == [("two",), ("three",)]

    def test_a_host_counts_so_many_phrases_a_week(self, counts, host, monkeypatch):
        monkeypatch.setattr(search_spool, "MOST_COUNTED", 1)
        for text in ("toran", "pichwai"):
            for n in range(20):
                counts.add_search(text, 0, f"user {n}")
        counts.hand_over()
        with sqlite3.connect(host / "views.sqlite3") as db:
            assert db.execute("SELECT count(*) FROM asked WHERE counted").fetchall() == [(1,)]


@pytest.mark.django_db(transaction=True)
@ON_D1
def test_searches_go_with_the_views_in_one_round_trip(counts):
    design = DesignFactory()
    for _ in range(2):
        counts.add(design.pk)
        ask(counts, 3)
        before = connection.usage
        counts.flush()
        used = connection.usage.since(before)
        assert used.round_trips == 1
        # What a view writes (13), and for the phrase its row, its index and its line in the log of changes.
        assert used.rows_written <= 13 + 5
    assert stored() == [("toran", 6, 0)]


@pytest.mark.django_db
def test_the_list_adds_the_weeks_up_and_has_the_most_frequent_first():
    for ago, phrase, count, found in ((0, "a", 3, 0), (1, "a", 4, 2), (0, "b", 9, 1), (9, "c", 99, 0)):
        week = this_week() - datetime.timedelta(weeks=ago)
        SearchCountFactory(week=week, phrase=phrase, count=count, found=found)
    assert searches.missed_searches(this_week() - datetime.timedelta(days=3)) == [
        {"text": "b", "count": 9, "found": 1},
        {"text": "a", "count": 7, "found": 2},
    ]
