"""How searches are read that find something as they stand: words, stop words, plurals, synonyms."""

import pytest

from designs.search.reading import read, read_every_word
from designs.search.synonyms import NO_SYNONYMS, Kind, Synonym, SynonymTable
from tests.search_catalogue import Catalogue

TABLE = SynonymTable(
    [
        Synonym(Kind.SAME, "saree", words=("sari",)),
        Synonym(Kind.MEANS, "burgundy", "colour", ("maroon", "wine red")),
        Synonym(Kind.MEANS, "hathi", "", ("elephant",)),
        Synonym(Kind.MEANS, "daily wear", "", ("casual",)),
        Synonym(Kind.MEANS, "online", "colour", ("blue",)),
        Synonym(Kind.MEANS, "neela", "colour", ("blue",)),
        Synonym(Kind.MEANS, "नीला", "colour", ("blue",)),
        Synonym(Kind.MEANS, "kairi", "", ("elephant",)),
    ]
)
DESIGNS = {
    "Patola Saree / Saree / Maroon": "A maroon saree of two ikats.",
    "Patola Stole with Elephants / Stole / Wine Red": "For the office.",
    "Casual Kurta / Kurta / Blue": "Dyed in a maroon vat, worn daily.",
    "Off-white Scarf / Stole / Off-white": "White, and off to the office.",
    "Café Dress / Dress / Blue": "A sari went into it.",
}


@pytest.fixture(scope="module")
def catalogue():
    return Catalogue(DESIGNS, TABLE)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("PATOLA", ["Patola Saree", "Patola Stole with Elephants"]),
        ("pato", ["Patola Saree", "Patola Stole with Elephants"]),
        ("pato saree", []),
        ("patolas for the office", ["Patola Stole with Elephants"]),
        ("elephant stole", ["Patola Stole with Elephants"]),
        ("scarves", ["Off-white Scarf"]),
        ("dresses", ["Café Dress"]),
        ("cafe", ["Café Dress"]),
        ("off-white", ["Off-white Scarf"]),
        ("saree", ["Patola Saree", "Café Dress"]),
        ("hathi", ["Patola Stole with Elephants"]),
        ("hathis blue", []),
        ("buy burgundy online", []),  # staff say what "online" means
        ("neeli kurta", ["Casual Kurta"]),
        ("neele rang ka kurta", ["Casual Kurta"]),
        ("नीली", ["Casual Kurta", "Café Dress"]),
        ("kaira", []),  # no adjective
        ("my mother's scarf", ["Off-white Scarf"]),
        ("men’s kurta, size xl", ["Casual Kurta"]),
        ("blue coloured kurta", ["Casual Kurta"]),
    ],
)
def test_what_a_search_finds(catalogue, text, found):
    assert catalogue.titles(read(text, TABLE).node) == found


def test_a_meaning_never_meets_a_story(catalogue):
    assert catalogue.titles(read("burgundy", TABLE).node) == ["Patola Saree", "Patola Stole with Elephants"]


def test_a_phrase_of_the_synonyms_counts_with_its_stop_word(catalogue):
    reading = read("kurta for daily wear", TABLE)
    assert catalogue.titles(reading.node) == ["Casual Kurta"]
    assert (reading.words, reading.ignored) == (("kurta", "daily", "wear"), ("for",))


def test_as_typed_comes_first(catalogue):
    reading = read("sari", TABLE)
    assert catalogue.titles(reading.exact) == ["Café Dress"]
    assert set(catalogue.titles(reading.node)) == {"Patola Saree", "Café Dress"}


@pytest.mark.parametrize("text", ["buy the latest designs online", "the", "PRICE"])
def test_stop_words_alone_are_searched_as_typed(text):
    reading = read(text, NO_SYNONYMS)
    assert reading.words == tuple(text.lower().split())
    assert reading.ignored == ()


def test_what_is_understood_is_told_as_typed():
    reading = read("“Kanjivaram”, SAREE   Café off-white Price! saree", NO_SYNONYMS)
    assert reading.words == ("kanjivaram", "saree", "café", "off", "white")
    assert reading.ignored == ("Price",)
    assert reading.corrected == ()


def test_the_s_of_a_possessive_need_not_match():
    reading = read("Mother's  kurta s", NO_SYNONYMS)
    assert (reading.words, reading.ignored) == (("kurta", "s"), ("mother", "s"))
    assert read("s", NO_SYNONYMS).words == ("s",)


def test_words_without_a_letter_count_only_alone():
    assert read("% *** %", NO_SYNONYMS).symbols == ("%", "***")
    assert read("% saree", NO_SYNONYMS).symbols == ()
    assert read("  ", NO_SYNONYMS).node is None


def test_every_word_and_nothing_else(catalogue):
    assert catalogue.titles(read_every_word("the offs").node) == []
    assert catalogue.titles(read_every_word("to the off").node) == ["Off-white Scarf"]
    assert catalogue.titles(read_every_word("sari").node) == ["Café Dress"]
    assert read_every_word("To the Office").words == ("to", "the", "office")
    assert read_every_word("%").symbols == ("%",)
