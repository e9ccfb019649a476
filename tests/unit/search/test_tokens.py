"""Which words are the same, and that the index parts a text where `tokens` does."""

import sqlite3
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from designs.search.tokens import fold, folded_words, split, typed_words

TOKENIZER = "unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc Cf'"
# SQLite's tables are older than Python's: it takes newer emoji for letters.
KNOWN_LETTERS = st.sampled_from("abcXYZ019 -_'\"%*()éÉßİñΆώςйЁअआकखसर्िीुंா\u200d\u200cதமிழ்ਪੰਜਾবাংগુજ١٢½²ﬁ👗।")


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("kanjivaram", "KANJIVARAM"),
        ("cafe", "Café"),
        ("μεταξι", "Μετάξι"),
        ("ωδη", "ᾨδή"),
        ("ΟΔΟΣ", "οδός"),
        ("елка", "Ёлка"),
        ("шелковыи", "Шёлковый"),
        ("सिल्क", "सिल्\u200dक"),
        ("जरी", "ज़री"),
        ("ज\u093cरी", "\u095bरी"),
        ("সাড়ি", unicodedata.normalize("NFD", "সাড়ি")),
        ("weiss", "weiß"),
        ("می\u200cخواهم", "میخواهم"),
        ("葛", "葛\U000e0100"),
        ("1", "1\ufe0f"),
    ],
)
def test_the_same_word_however_it_is_written(typed, stored):
    assert fold(typed) == fold(stored)


@pytest.mark.parametrize(
    ("one", "other"),
    [("कि", "की"), ("कल", "काल"), ("क्ल", "कल"), ("நூல்", "நூல"), ("ผ้า", "ผา"), ("が", "か"), ("साँप", "साप")],
)
def test_vowel_signs_viramas_and_tones_are_letters(one, other):
    assert fold(one) != fold(other)


@given(st.text())
def test_folding_twice_is_folding_once(text):
    assert fold(fold(text)) == fold(text)


@given(st.text(KNOWN_LETTERS, max_size=20))
def test_the_index_parts_a_folded_text_as_split_does(text):
    database = sqlite3.connect(":memory:")
    database.execute(f'CREATE VIRTUAL TABLE texts USING fts5(text, tokenize="{TOKENIZER}")')
    database.execute("CREATE VIRTUAL TABLE terms USING fts5vocab(texts, instance)")
    database.execute("INSERT INTO texts VALUES (?)", [fold(text)])
    terms = [term for (term,) in database.execute("SELECT term FROM terms ORDER BY offset")]
    assert [term for term in terms if split(term)] == list(split(fold(text)))


def test_only_words_that_the_index_reads_otherwise_are_folded_apart():
    assert folded_words(["Plain silk", "Soie brodée, brodée", "ज़री off-écru 🪷lotus 🪷"]) == "जरी lotus"


def test_what_was_typed_keeps_its_spelling_and_its_phrases():
    words = typed_words("Off-White  *** Zarī\0")
    assert [(word.typed, word.parts) for word in words] == [
        ("Off-White", ("off", "white")),
        ("***", ()),
        ("Zarī", ("zari",)),
    ]
