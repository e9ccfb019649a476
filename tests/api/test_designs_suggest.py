"""GET /api/designs/suggest: completions of what somebody is typing."""

import pytest
from django.db import connection

from core import app_settings
from d1backend.replica import on_primary
from designs.api.filters import SEARCH_LENGTH
from designs.models import Design
from tests.api.client import ApiClient, refused
from tests.factories.designs import DesignFactory

pytestmark = pytest.mark.django_db

SUGGEST = "/api/designs/suggest"


def suggested(q, reader=None):
    response = (reader or ApiClient.approved()).get(SUGGEST, q=q)
    assert response.status_code == 200, response.content
    body = response.json()
    assert list(body) == ["items"]
    return [(item["text"], item["kind"], item["count"]) for item in body["items"]]


def texts(q, reader=None):
    return [text for text, _, _ in suggested(q, reader)]


def designs(*titles, **fields):
    return [DesignFactory(**{"title": title, "category": "Zzz", **fields}) for title in titles]


def test_values_of_every_field_and_titles_come_with_their_kind_and_the_number_of_designs():
    designs("Kanji one", "Kanji two", category="Kanjari", style="Kanjivaram", fabric="Kanjot")
    designs("Kanji two", colour="Kanjil", occasion="Kanjoosi", season="Kanjmas")
    designs("Third", designer_name="Kanjali Rao", collection_name="Kanj Tales")
    assert suggested("kanj") == [
        ("Kanjari", "category", 2),
        ("Kanji two", "title", 2),
        ("Kanjivaram", "style", 2),
        ("Kanjot", "fabric", 2),
        ("Kanj Tales", "collection_name", 1),
        ("Kanjali Rao", "designer_name", 1),
        ("Kanji one", "title", 1),
        ("Kanjil", "colour", 1),
    ]


def test_any_word_may_be_completed_and_of_several_only_the_last():
    designs("A", "B", fabric="Silk and cotton")
    designs("Cotton saree of Kota", "Saree border")
    assert texts("cot") == ["Silk and cotton", "Cotton saree of Kota"]
    assert texts("cotton si") == ["Silk and cotton"]
    assert texts("kota saree cot") == ["Cotton saree of Kota"]
    assert texts("cot saree") == []
    assert texts("saree border") == ["Saree border"]


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        ("Écru", "ecru"),
        ("Ecru", "ÉCR"),
        ("Ελληνικό", "ελληνικο"),
        ("Ёлка", "елк"),
        ("सिल्\u200dक", "सिल्क"),
        ("ज़री", "जरी"),
        ("जरी", "ज़र"),
        ("தமிழ்", "தமி"),
        ("Off-white", "whi"),
        ("Silk, pure", "pure silk"),
        ('Say "hello"', '"hel'),
    ],
)
def test_words_are_folded_as_in_a_search(stored, typed):
    designs("One", "Two", fabric=stored)
    designs(stored)
    assert suggested(typed) == [(stored, "fabric", 2), (stored, "title", 1)]


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        ("Kanjivaram", "kanjeevar"),
        ("Banarasi", "bnarasi"),
        ("Bandhani", "bandhni"),
        ("Chikankari", "chickankari"),
        ("Kanjivaram", "knajivaram"),
        ("Lehenga", "lehng"),
        ("Saree", "साड़ी"),
        ("साड़ी", "sadi"),
        ("Zardozi", "ज़रदोज़ी"),
    ],
)
def test_a_mistyped_word_is_completed_too(stored, typed):
    designs("One", "Two", style=stored)
    assert suggested(typed) == [(stored, "style", 2)]


@pytest.mark.skipif(
    hasattr(connection, "round_trips"), reason="of D1 itself only values are asked with slips"
)
@pytest.mark.parametrize(
    ("title", "typed"),
    [
        ("Kanjivaram border", "kanjeevar"),
        ("Plain lehenga", "plain lehnga"),
        ("Plain saree", "साड़ी"),
        ("रेशम", "resham"),
    ],
)
def test_titles_with_a_mistyped_word_are_completed_too(title, typed):
    designs(title)
    assert suggested(typed) == [(title, "title", 1)]


def test_words_that_begin_as_typed_come_before_those_that_sound_alike_and_those_before_slips():
    designs("A", style="Banarasi")
    designs("B", "C", style="Bannarasi")
    designs("D", "E", "F", style="Benarasi")
    assert texts("banaras") == ["Banarasi", "Bannarasi", "Benarasi"]


def test_a_short_word_is_never_taken_for_another():
    for name in ("Kota", "Gota", "Kosa", "Kurta"):
        designs(f"Plain {name}", style=name)
    assert texts("kota") == ["Kota", "Plain Kota"]


def test_there_are_eight_at_most():
    designs(*(f"Ikat {number}" for number in range(12)))
    assert texts("ikat") == sorted(f"Ikat {number}" for number in range(12))[:8]


@pytest.mark.parametrize("q", ["", "  ", "%", "* ' \" -", "🪷", "\u200d"])
def test_nothing_is_suggested_for_nothing(q):
    designs("% * 🪷", style="%")
    assert suggested(q) == []
    assert suggested("zzz") != []


@pytest.mark.parametrize(
    "q", ['"', "a*", "title:x", "NEAR(a b)", "a AND", "a' OR 1=1 --", "{title} : x", "^a"]
)
def test_operators_are_plain_text(q):
    suggested(q)


def test_what_is_left_out_is_nothing_and_too_much_or_a_nul_is_refused():
    reader = ApiClient.approved()
    assert reader.get(SUGGEST, other="x").json() == {"items": []}
    assert set(refused(reader.get(SUGGEST, q="x" * (SEARCH_LENGTH + 1)), 400, "invalid")) == {"q"}
    assert set(refused(reader.get(SUGGEST, q="a\0b"), 400, "invalid")) == {"q"}
    assert reader.get(SUGGEST, q="a " * (SEARCH_LENGTH // 2), sort="x", page="x").status_code == 200


def test_only_what_the_caller_sees_is_suggested_and_counted():
    designs("Ikat", style="Ikat")
    designs("Ikat", "Ikat hidden", style="Ikat", status="draft")
    designs("Ikat", style="Ikat hidden", status="archived")
    designs("Ikat", "Ikat gone", style="Ikat gone", status="deleted")
    assert suggested("ika") == [("Ikat", "style", 1), ("Ikat", "title", 1)]
    assert suggested("ika", ApiClient.admin()) == [
        ("Ikat", "style", 3),
        ("Ikat", "title", 3),
        ("Ikat hidden", "style", 1),
        ("Ikat hidden", "title", 1),
    ]


def test_readers_alone_are_answered():
    designs("Ikat")
    refused(ApiClient().get(SUGGEST, q="ika"), 401, "not_authenticated")
    app_settings.settings_update(None, {"public_catalogue": True})
    assert texts("ika", ApiClient()) == ["Ikat"]


def test_spellings_that_differ_in_case_count_as_one():
    designs("ikat", "Ikat", fabric="silk")
    designs("IKAT", fabric="Silk")
    assert suggested("ikat") == [("IKAT", "title", 3)]
    assert suggested("silk") == [("Silk", "fabric", 3)]


def test_a_change_shows_at_once_and_what_the_caller_has_is_a_304():
    (design,) = designs("Ikat")
    reader = ApiClient.approved()
    response = reader.get(SUGGEST, q="ika")
    assert response.headers["Cache-Control"] == "private, no-cache"
    held = {"If-None-Match": response.headers["ETag"]}
    assert reader.send("GET", f"{SUGGEST}?q=ika", headers=held).status_code == 304
    Design.objects.filter(pk=design.pk).update(title="Ikat of Patan")
    again = reader.send("GET", f"{SUGGEST}?q=ika", headers=held)
    assert (again.status_code, again.json()["items"][0]["text"]) == (200, "Ikat of Patan")
    Design.objects.filter(pk=design.pk).update(status="draft")
    assert texts("ika", reader) == []


@pytest.mark.skipif(hasattr(connection, "round_trips"), reason="on D1 itself nothing is kept")
def test_what_was_typed_before_is_remembered(django_assert_num_queries):
    designs("Ikat", style="Ikat")
    reader = ApiClient.approved()
    assert texts("ika", reader) == texts("ika", reader)
    with django_assert_num_queries(2):  # the sign-in, the version
        assert texts("ika", reader) == ["Ikat", "Ikat"]
    with django_assert_num_queries(5):  # and the titles, also mistyped ones; the version before they are kept
        assert texts("ikat", reader) == ["Ikat", "Ikat"]


def test_few_values_of_each_field_and_few_titles_are_looked_at(monkeypatch):
    monkeypatch.setattr("designs.suggestions.VALUES_MOST", 2)
    monkeypatch.setattr("designs.suggestions.TITLES_MOST", 3)
    for number in range(4):
        designs(f"Ikat {number}", style=f"Ikat style {number}")
    assert suggested("ikat") == [
        ("Ikat 1", "title", 1),
        ("Ikat 2", "title", 1),
        ("Ikat 3", "title", 1),
        ("Ikat style 0", "style", 1),
        ("Ikat style 1", "style", 1),
    ]


@pytest.mark.skipif(not hasattr(connection, "round_trips"), reason="only D1 bills (TEST_ENGINE=d1)")
def test_without_the_replica_it_is_one_round_trip_that_reads_each_field_of_each_design_once():
    designs(*(f"Ikat {number}" for number in range(50)), style="Ikat", colour="Red")
    reader = ApiClient.approved()
    with on_primary():
        texts("ika", reader)
        before = connection.usage
        assert len(texts("ikat", reader)) == 8
        used = connection.usage.since(before)
    assert used.round_trips == 1
    # Of eight fields and of the titles, which are found, looked up and counted; 100 rows are the sign-in's.
    assert used.rows_read <= (8 + 4) * 50 + 100
