"""The column `folded` holds every word that the index reads in another form than searches do, and few others."""

import sqlite3
import unicodedata

import pytest

from designs.fields import folded_text
from designs.models import Design
from designs.search.tokens import fold, folded_words, split
from designs.triggers import SEARCH_TABLE
from tests.factories.designs import DesignFactory

TOKENIZER = SEARCH_TABLE[SEARCH_TABLE.index("tokenize=") :]
LETTERS = [
    letter
    for letter in map(chr, range(0x80, 0x20000))
    if unicodedata.category(letter)[0] in "LMN" or unicodedata.category(letter) in ("Cf", "Co")
]


def test_each_letter_of_unicode_is_found_by_itself_and_folded():
    table = sqlite3.connect(":memory:")
    table.execute(f"CREATE VIRTUAL TABLE texts USING fts5(word, folded, {TOKENIZER}")
    words = [form.format(letter) for letter in LETTERS for form in ("z{}z", "{}", "z{}\u093cz,", "z-{}")]
    rows = [(number, word, folded_words([word])) for number, word in enumerate(words)]
    table.executemany("INSERT INTO texts (rowid, word, folded) VALUES (?, ?, ?)", rows)
    missing = [
        word
        for number, word in enumerate(words)
        if (parts := split(fold(word)))
        and not table.execute(
            "SELECT 1 FROM texts WHERE texts MATCH ? AND rowid = ?", ['"{}"'.format(" ".join(parts)), number]
        ).fetchone()
    ]
    assert missing == []


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Silk saree, off-white!", ""),
        ("Crème Brûlée", ""),
        ("रेशम की साड़ी", "साडी"),
        ("बनारसी, कला।", ""),
        ("சில்க்", ""),
        ("सिल्\u200dक", "सिल्क"),
        ("ज़री ज़री ज़री", "जरी"),
        ("Cre\u0301me", "creme"),
        ("Straße", "strasse"),
        ("Αθήνα", "αθηνα"),
    ],
)
def test_only_what_differs_is_kept(text, folded):
    assert folded_words([text]) == folded


@pytest.mark.django_db
def test_every_way_to_save_a_design_folds_its_words():
    made = DesignFactory(title="ज़री", colour="नीला")
    (several,) = Design.objects.bulk_create([Design(title="Ёлка", category="Kurta", image=made.image)])
    for design in (made, several):
        design.refresh_from_db()
        assert design.folded == folded_text(vars(design)) != ""
    made.title = "Silk"
    made.save()
    made.refresh_from_db()
    assert made.folded == ""
