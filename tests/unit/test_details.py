"""How full names and contacts are compared, and which texts are telephone numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.details import digits_of, is_one_line, is_telephone, searchable, searchable_contact
from accounts.models import User
from gallery_project.environment import COPIED

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), max_size=20)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Renée", "RENEE"),
        ("Ångström", "angstrom"),
        ("Αθήνα", "αθηνα"),
        ("Ёлка", "елка"),
        ("İstanbul", "istanbul"),
        ("Straße", "STRASSE"),
        ("ශ්‍රී", "ශ්රී"),
        ("बड़ा", "बडा"),
        ("শ়", "শ"),
        ("مُحَمَّد", "محمد"),
        ("שָׁלוֹם", "שלום"),
        ("Ｍeera", "meera"),
        ("Meera \u00a0 Devi", "meera devi"),
        ("\u0301\u0301", ""),
    ],
)
def test_case_accents_and_joiners_do_not_count(one, other):
    assert searchable(one) == searchable(other)


@pytest.mark.parametrize(
    ("one", "other"), [("किता", "कता"), ("क्", "क"), ("か", "が"), ("กุ", "ก"), ("a", "b")]
)
def test_vowel_signs_and_other_letters_do(one, other):
    assert searchable(one) != searchable(other)


@given(WORDS)
def test_a_searched_text_is_one_that_is_stored(text):
    assert searchable(searchable(text)) == searchable(text)
    assert searchable(text.upper()) == searchable(text.upper().lower())


@given(WORDS, WORDS)
def test_a_part_of_a_text_is_found_in_it(one, other):
    assert searchable(one) in searchable(f"{one} {other}")


@given(st.lists(st.sampled_from([*"0123456789०१", *" ().-"]), max_size=30).map("".join))
def test_a_telephone_number_has_six_to_fifteen_digits(text):
    assert is_telephone("+" + text) is (6 <= len(digits_of(text)) <= 15)
    assert digits_of(text).isascii()


def test_of_a_telephone_number_the_digits_are_searched():
    assert searchable_contact("+91 (98765) 43-210") == "919876543210"
    assert searchable_contact("Asha@Example.com") == "asha@example.com"


@pytest.mark.parametrize("text", ["a\nb", "a\tb", "a\x85b", "a\u2028b", "\u202eb"])
def test_a_control_character_makes_no_line(text):
    assert not is_one_line(text)


def test_names_may_have_joiners_and_marks_of_direction():
    assert is_one_line("ශ්‍රී \u200fمحمد")


def test_what_the_model_keeps_to_the_database_is_what_the_copies_leave_out():
    columns = [User._meta.get_field(name).column for name in User.uncopied_fields]
    assert sorted(columns) == sorted(COPIED["hide"]["users"])
