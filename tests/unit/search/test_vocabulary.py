"""Which words are near to one, and what a vocabulary costs."""

import tracemalloc

import pytest

from designs.search.vocabulary import Vocabulary

WORDS = {
    "garad": 3,
    "garlands": 40,
    "kovai": 5,
    "koorai": 9,
    "creeper": 8,
    "crepe": 20,
    "saree": 90,
    "zari": 4,
    "kurta": 30,
}


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("garlnads", ("garlands",)),
        ("garands", ("garlands",)),
        ("koovai", ("kovai",)),
        ("creper", ("crepe", "creeper")),
        ("kuta", ("kurta",)),
        ("sari", ("saree",)),
        ("jari", ("zari",)),
        ("kurtas", ("kurta",)),
        ("urta", None),
        ("gurta", None),
        ("kur7a", None),
        ("sar", None),
    ],
)
def test_the_nearest_words(typed, words):
    candidate = Vocabulary(WORDS.items()).nearest(typed)
    assert (candidate and candidate.words) == words


def test_the_beginning_of_a_word_counts_where_the_word_is_unfinished():
    vocabulary = Vocabulary([("kanjivaram", 1), ("kani", 1)])
    assert vocabulary.nearest("kanjeev") is None
    assert vocabulary.nearest("kanjeev", unfinished=True).words == ("kanjivaram",)


def test_words_of_any_script_are_found_by_their_spelling_and_sound():
    vocabulary = Vocabulary([("μεταξι", 1), ("बनारसी", 1)])
    assert vocabulary.nearest("μεταξυ").words == ("μεταξι",)
    assert vocabulary.nearest("banarsi").words == ("बनारसी",)


def test_a_new_one_borrows_the_sounds_of_the_old():
    old = Vocabulary(WORDS.items())
    new = Vocabulary([*WORDS.items(), ("patola", 1)], previous=old)
    assert new.by_sound == old.by_sound | {"patola": ["patola"]}


def test_the_words_of_a_large_catalogue_fit_in_memory():
    pieces = ["ka", "go", "ti", "du", "sha", "mi", "rna", "le", "pha", "bo", "ndi", "vu"]
    words = [a + b + c + d for a in pieces for b in pieces for c in pieces for d in pieces]
    tracemalloc.start()
    vocabulary = Vocabulary((word, 1) for word in words)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(vocabulary.counts) > 20_000
    assert held < 20_000_000


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("कुर्ती", ("kurti",)),
        ("कुर्सी", ()),  # a chair
        ("কাঞ্জিভরম", ("kanjivaram",)),
        ("ಕಾಂಜೀವರಂ", ("kanjivaram",)),
        ("गाड़ी", ()),  # a cart
        ("kursi", ("kurti",)),  # may be mistyped
    ],
)
def test_a_short_word_of_an_indic_script_keeps_its_consonants(typed, words):
    found = Vocabulary([("kurti", 1), ("garmi", 1), ("kanjivaram", 1)]).nearest(typed)
    assert (found.words if found else ()) == words
