"""Which usernames are taken, and which of them are one and the same."""

import sys
import unicodedata

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User, username_key
from accounts.validators import is_word, validate_username

LETTERS = st.characters(categories=["Lu", "Ll", "Lt", "Lm", "Lo"])
MARKS = st.characters(categories=["Mn", "Mc", "Me"])
OTHERS = st.characters(categories=["P", "S", "Z", "Cc", "Cf", "Co", "Cn"], exclude_characters="_.-")


def is_taken(username):
    try:
        validate_username(username)
    except ValidationError:
        return False
    return True


def stands_for_words_alone(letter):
    return is_word(username_key(letter))


@given(st.text(LETTERS.filter(stands_for_words_alone), min_size=3, max_size=50))
def test_letters_of_every_script_make_a_name(username):
    assert is_taken(username)


@given(LETTERS.filter(stands_for_words_alone), MARKS)
def test_a_mark_that_follows_a_letter_belongs_to_it(letter, mark):
    name = f"ab{letter}{mark}"
    assert is_word(name)


@given(MARKS, st.sampled_from("_.-7"))
def test_a_mark_without_a_letter_is_no_part_of_a_name(mark, before):
    assert not is_taken(f"ab{before}{mark}")
    assert not is_taken(f"{mark}ab")


@given(st.text(LETTERS, min_size=1, max_size=20), OTHERS)
def test_any_other_character_spoils_a_name(letters, other):
    assert not is_taken(f"ab{letters}{other}c")


@given(st.text(max_size=60))
def test_whatever_is_taken_has_a_key_that_is_stable_and_fits_its_column(text):
    key = username_key(text)
    assert username_key(key) == key
    if is_taken(text):
        assert 3 <= len(text) <= 50
        assert len(key) <= User._meta.get_field("username_key").max_length


def test_fifty_of_the_letter_that_grows_most_fit_the_column():
    words = (chr(point) for point in range(sys.maxunicode + 1) if unicodedata.category(chr(point))[0] == "L")
    longest = max((username_key(letter * 50) for letter in words if stands_for_words_alone(letter)), key=len)
    assert len(longest) <= User._meta.get_field("username_key").max_length


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Meera", "MEERA"),
        ("straße", "STRASSE"),
        ("Ｍeera", "meera"),
        ("é" * 3, "e\u0301" * 3),
        ("ΣΑΣ", "σας"),
    ],
)
def test_names_that_look_the_same_are_the_same(one, other):
    assert username_key(one) == username_key(other)
