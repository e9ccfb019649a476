"""The other forms of a word."""

import pytest

from designs.search.inflections import other_genders, other_numbers


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("saree", "sarees"),
        ("lotuses", "lotus"),
        ("lotus", "lotuses"),
        ("parties", "party"),
        ("scarves", "scarf"),
    ],
)
def test_a_word_has_another_number(word, other):
    assert other in other_numbers(word)


@pytest.mark.parametrize(
    ("word", "other"),
    [
        ("neeli", "neela"),
        ("kale", "kala"),
        ("lili", "lilo"),
        ("हरी", "हरा"),
        ("ਕਾਲੀ", "ਕਾਲਾ"),
        ("લીલી", "લીલો"),
    ],
)
def test_an_adjective_has_another_gender(word, other):
    assert other in other_genders(word)


@pytest.mark.parametrize("word", ["red", "ali", "", "silk"])
def test_other_words_have_none(word):
    assert other_genders(word) == ()
