"""Which usernames are one and the same, and which may be confused."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.usernames import confusables, skeleton, username_forms, username_key

NAMES = st.text(st.characters(categories=["L", "Nd"]), min_size=3, max_size=20)


def may_be_confused(one, other):
    ours, theirs = username_forms(one), username_forms(other)
    return any(ours[column] == theirs[column] for column in ours)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Meera", "MEERA"),
        ("straße", "STRASSE"),
        ("Ｍeera", "meera"),
        ("é" * 3, "e\u0301" * 3),
        ("ΣΑΣ", "σας"),
        ("ශ්‍රී", "ශ්රී"),
        ("क्‌ष", "क्‍ष"),
    ],
)
def test_names_that_differ_by_case_form_or_joiners_are_the_same(one, other):
    assert username_key(one) == username_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("admin", "аdmin"),  # Cyrillic а
        ("admin", "Аdmin"),  # Cyrillic А
        ("admin", "АDMIN"),
        ("admin", "αdmin"),  # Greek α
        ("scope", "ѕсоре"),  # all of it Cyrillic
        ("paul", "pauI"),
        ("paul", "pau1"),
        ("pop", "p0p"),
        ("POP", "p0p"),
        ("modern", "modem"),
        ("नाम०", "नाम0"),
        ("mira", "mіrа"),
    ],
)
def test_names_that_look_alike_may_be_confused(one, other):
    assert username_key(one) != username_key(other)
    assert may_be_confused(one, other)


@pytest.mark.parametrize(
    ("one", "other"), [("ian", "lan"), ("meera", "mira"), ("राम", "रमा"), ("anna", "ann")]
)
def test_names_that_only_resemble_each_other_may_not(one, other):
    assert not may_be_confused(one, other)


@given(st.text(max_size=60))
def test_a_key_is_its_own_key(text):
    assert username_key(username_key(text)) == username_key(text)


@given(NAMES)
def test_the_case_changes_neither_the_key_nor_its_skeleton(name):
    for variant in (name.upper(), name.lower(), name.title(), unicodedata.normalize("NFD", name)):
        if username_key(variant) == username_key(name):
            assert username_forms(variant)["username_skeleton"] == username_forms(name)["username_skeleton"]


@given(NAMES, st.data())
def test_a_letter_in_place_of_its_lookalike_is_always_noticed(name, data):
    """Whatever stands for the same prototype may be confused."""
    plain = unicodedata.normalize("NFKC", name)
    at = data.draw(st.integers(0, len(plain) - 1))
    twins = [chr(other) for other, to in confusables().items() if to == confusables().get(ord(plain[at]))]
    if twins:
        assert may_be_confused(plain, plain[:at] + data.draw(st.sampled_from(twins)) + plain[at + 1 :])


def test_what_looks_like_its_prototype_has_the_same_skeleton():
    for character, prototype in confusables().items():
        assert skeleton(chr(character)) == skeleton(prototype)
