"""Words that stand beside each other rank higher; what is found stays the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from designs.search.corrections import correct
from designs.search.reading import read, read_every_word
from designs.search.sql import words_by
from designs.search.synonyms import NO_SYNONYMS, Kind, Synonym, SynonymTable
from tests.search_catalogue import Catalogue

TABLE = SynonymTable(
    [
        Synonym(Kind.SAME, "saree", words=("sari",)),
        Synonym(Kind.MEANS, "navy blue", "colour", ("indigo",)),
        Synonym(Kind.MEANS, "burgundy", "colour", ("maroon", "wine red")),
    ]
)
# Each pair holds the same words; the first title has them apart, and would come first by its place.
PAIRS = {
    "mulberry silk": ("Silk of mulberry", "Mulberry silk of"),
    "off-white silk": ("Of silk, off-white", "Off-white, silk of"),
    "navy blue": ("Blue as navy", "As navy blue"),
}


def catalogue_of(*titles):
    return Catalogue(dict.fromkeys(titles, ""), TABLE)


@pytest.mark.parametrize("text", PAIRS)
@pytest.mark.parametrize("beside_is_newer", [True, False])
def test_words_beside_each_other_come_before_the_same_words_apart(text, beside_is_newer):
    apart, beside = PAIRS[text]
    catalogue = catalogue_of(*((apart, beside) if beside_is_newer else (beside, apart)))
    for node in (read(text, TABLE).node, read_every_word(text).node):
        assert catalogue.ranked(node) == [beside, apart]


@pytest.mark.parametrize("beside_is_newer", [True, False])
@pytest.mark.parametrize(
    ("text", "apart", "beside"),
    [
        ("mulbery silk", "Silk of mulberry", "Mulberry silk of"),
        ("mulbery sillk", "Silk of mulberry", "Mulberry silk of"),
        ("mul berry silk", "Silk of mulberry", "Mulberry silk of"),
        ("mulberrysilk", "Silk of mulberry", "Mulberry silk of"),
        ("mulberry silk pajama", "Silk of mulberry", "Mulberry silk of"),
        ("mulberry pajamma silk", "Silk of mulberry", "Mulberry silk of"),
        # Of two words that are as near, the one that stands beside the next word ranks higher.
        ("silka saree", "Silke of saree", "Silks saree of"),
    ],
)
def test_a_corrected_search_is_ranked_as_the_one_typed_right(text, apart, beside, beside_is_newer):
    catalogue = catalogue_of(*((apart, beside) if beside_is_newer else (beside, apart)), "Silke", "Silks")
    found, reading = catalogue.search(text)
    assert {*found} == {apart, beside}
    assert catalogue.ranked(reading.node) == [beside, apart]


def test_an_unfinished_word_counts_as_a_whole_one():
    words = words_by(read_every_word("red cotton sil"))
    assert words.expression == '("red" AND "cotton" AND "sil"*)'
    assert words.ranked == '(("red" OR "red cotton") AND ("cotton" OR "cotton sil") AND "sil"*)'


def test_a_phrase_of_synonyms_and_what_follows_stand_together():
    ranked = words_by(read("navy blue saree", TABLE)).ranked
    assert '"navy blue"' in ranked
    assert '"navy blue saree"' in ranked
    assert '"blue saree"' not in ranked


@pytest.mark.parametrize(
    "reading", [read("the silk", NO_SYNONYMS), read_every_word("off-white"), read("%", TABLE)]
)
def test_one_word_needs_no_expression_of_its_own_to_be_ranked(reading):
    assert words_by(reading).ranked == ""


def test_the_exact_search_needs_no_query_of_its_own_because_of_the_rank():
    assert words_by(read_every_word("mulberry silk saree")).exact == ""


@pytest.mark.parametrize("words", [["a"], ["mulberry"], ["off-white", "navy"]])
def test_the_longest_search_is_ranked(words):
    text = " ".join(f"{number}{words[number % len(words)]}" for number in range(250))
    catalogue = catalogue_of(text)
    for reading in (read(text, TABLE), read_every_word(text)):
        assert catalogue.ranked(reading.node) == [text]


WORDS = st.sampled_from(
    [
        "silk",
        "red",
        "saree",
        "sarees",
        "sari",
        "navy",
        "blue",
        "wine",
        "off-white",
        "for",
        "42",
        "mul",
        "berry",
    ]
)
TEXTS = st.lists(WORDS, min_size=1, max_size=5).map(" ".join)


@given(st.lists(TEXTS, min_size=1, max_size=6), TEXTS, st.sampled_from(["", "mulbery", "sarre", "xyz"]))
def test_the_rank_finds_nothing_more_and_nothing_less(titles, text, slip):
    catalogue = catalogue_of(*titles)
    first = read(f"{slip} {text}", TABLE)
    known = [place for place, part in enumerate(first.parts) if catalogue.titles(part.node)]
    corrected = correct(first, known, TABLE, catalogue.vocabulary)
    for reading in (first, read_every_word(text), *corrected):
        assert sorted(catalogue.ranked(reading.node)) == sorted(catalogue.titles(reading.node))
