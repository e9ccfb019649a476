"""Which usernames are allowed."""

import sys
import unicodedata

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from accounts.usernames import is_word, username_key, username_plain
from accounts.validators import validate_username

LETTERS = st.characters(categories=["Lu", "Ll", "Lt", "Lm", "Lo"])
MARKS = st.characters(categories=["Mn", "Mc", "Me"])
OTHERS = st.characters(categories=["P", "S", "Z", "Cc", "Cf", "Co", "Cn"], exclude_characters="_.-")
JOINERS = "\u200c\u200d"


def is_allowed(username):
    try:
        validate_username(username)
    except ValidationError:
        return False
    return True


def stands_for_words_alone(character):
    return is_word(character) and is_word(username_key(character))


def is_visible(mark):
    return is_word(f"a{mark}")


@given(st.text(LETTERS.filter(stands_for_words_alone), min_size=3, max_size=50))
def test_letters_of_every_script_make_a_name(username):
    assert is_allowed(username) == (len(username_plain(username)) <= 50)


@given(LETTERS.filter(stands_for_words_alone), MARKS.filter(is_visible))
def test_a_mark_that_follows_a_letter_belongs_to_it(letter, mark):
    assert is_word(f"ab{letter}{mark}")


@given(MARKS, st.sampled_from("_.-7"))
def test_a_mark_without_a_letter_is_no_part_of_a_name(mark, before):
    assert not is_allowed(f"ab{before}{mark}")
    assert not is_allowed(f"{mark}ab")


@given(st.text(LETTERS, min_size=1, max_size=20), OTHERS)
def test_any_other_character_spoils_a_name(letters, other):
    assert not is_allowed(f"ab{letters}{other}c")


@given(st.text(max_size=60))
def test_what_is_allowed_has_three_to_fifty_characters_in_its_normal_form_too(text):
    if is_allowed(text):
        assert 3 <= len(text) <= 50
        assert 3 <= len(username_plain(text)) <= 50
        assert len(username_key(text)) <= User._meta.get_field("username_key").max_length


def test_fifty_of_the_letter_that_grows_most_fit_the_column():
    words = (chr(point) for point in range(sys.maxunicode + 1) if unicodedata.category(chr(point))[0] == "L")
    allowed = (
        letter for letter in words if len(username_plain(letter)) == 1 and stands_for_words_alone(letter)
    )
    longest = max((username_key(letter * 50) for letter in allowed), key=len)
    assert len(longest) <= User._meta.get_field("username_key").max_length


@pytest.mark.parametrize(
    "point", [0x034F, 0x115F, 0x1160, 0x17B4, 0x180B, 0x200B, 0x2060, 0x3164, 0xFE00, 0xFE0F]
)
def test_what_nobody_sees_is_no_part_of_a_name(point):
    assert not is_allowed(f"ab{chr(point)}cd")
    assert not is_allowed(f"abcd{chr(point)}")
    assert not is_allowed(f"क{chr(point)}ख")


@pytest.mark.parametrize(
    "point", [0xFEFF, 0xFFA0, 0xE0100, 0xE01EF, 0x16FE4, 0x13441, 0x2800, 0x00AD, 0x061C]
)
def test_nor_is_it_beyond_the_usual_blocks(point):
    assert not is_allowed(f"ab{chr(point)}cd")


# A consonant and a virama of the same script; each script has its own rules for what follows.
CLUSTERS = ["क्", "ক্", "ਕ੍", "ક્", "କ୍", "க்", "క్", "ಕ್", "ക്", "ශ්", "က္", "क़्"]


@pytest.mark.parametrize("joiner", JOINERS)
@pytest.mark.parametrize("cluster", CLUSTERS)
def test_a_joiner_may_follow_a_virama(cluster, joiner):
    assert is_allowed(f"{cluster}{joiner}{cluster[0]}")
    assert is_allowed(f"ab{cluster}{joiner}")


@pytest.mark.parametrize(
    "username",
    ["ශ්‍රී", "ශ්‍රීමතී_දේවී", "র‍্যাম", "র‌্যাম", "ന്‍ന്‍", "श्रीमान्‌जी", "नाम१२"],
)
def test_indic_names_keep_their_joiners(username):
    assert is_allowed(username)


@pytest.mark.parametrize(
    "username",
    [
        "ab\u200dc", "abc\u200c", "\u200dabc", "\u0995\u200d\u0995\u0995",  # after no virama
        "\u0915\u094d\u200d\u200d\u0915", "\u0915\u094d\u200c\u200d\u0915",  # two of them
        "ab\u094d\u200dc", "\u0995\u094d\u200d\u0995",  # a virama of another script
        "\u09b0\u200d\u09af\u09be", "\u09b0\u200d\u094d\u0995", "abc_\u200d",  # Bengali RA, without its virama
        "\u200d\u200d\u200d", "a\u200db",
    ],
)  # fmt: skip
def test_a_joiner_stands_nowhere_else(username):
    assert not is_allowed(username)


@given(st.text(LETTERS.filter(stands_for_words_alone), min_size=1, max_size=9), st.sampled_from(JOINERS))
def test_letters_alone_need_no_joiner(letters, joiner):
    assert not is_allowed(f"{letters}{joiner}xyz")


@pytest.mark.parametrize("username", ["ab\u0301", "\u1100\u1161b", "ﬁ_", "①②③", "ﷺﷺﷺ", "ﷲ" * 20])
def test_the_length_and_the_characters_of_the_normal_form_count(username):
    plain = unicodedata.normalize("NFKC", username)
    right = len(username) >= 3 and 3 <= len(plain) <= 50 and is_word(username) and is_word(plain)
    assert is_allowed(username) == right
