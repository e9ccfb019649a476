"""Usernames: which are allowed, and which of them count as the same name.

Two names are one if their keys are equal (NFKC, case folding, no joiners), and too alike if one of their skeletons is
equal: Unicode's confusables, UTS #39, section 4 (https://www.unicode.org/reports/tr39/#Confusable_Detection).
docs/decisions/0018-usernames-have-three-keys.md says why there are two skeletons.
"""

import re
import unicodedata
from functools import cache
from pathlib import Path

from core.audit import ANONYMOUS_PREFIX

SIGNS = "_.-"
ANONYMOUS = re.compile(rf"{ANONYMOUS_PREFIX}\d+")
ZWNJ, ZWJ = "\u200c", "\u200d"
BENGALI_RA, BENGALI_VIRAMA = "\u09b0", "\u09cd"
VIRAMA = 9  # Canonical_Combining_Class, UAX #44
WITHOUT_JOINERS = {ord(ZWNJ): None, ord(ZWJ): None}
# Default_Ignorable_Code_Point (UAX #44, Unicode 17) among letters and marks, which unicodedata does not know, and the
# fillers that Unicode does not count among them: nobody sees any of these.
INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0\U00016fe4").union(
    map(chr, range(0xFE00, 0xFE10)), map(chr, range(0xE0100, 0xE01F0)), "\U00013441\U00013442"
)


def folded(text: str) -> str:
    # Case folding can undo the normal form, so it is applied again: Unicode 16, section 3.13.5, identifier matching.
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def username_key(username: str) -> str:
    """Return the same key for usernames that differ only in case, Unicode form or joiners."""
    return folded(username.translate(WITHOUT_JOINERS))


def skeleton(text: str) -> str:
    """Return what the text looks like, regardless of case: equal for texts that may be confused."""
    shown = unicodedata.normalize("NFD", text)
    for _ in range(2):  # a few prototypes of Unicode 17, decomposed, have prototypes themselves
        shown = unicodedata.normalize("NFD", shown.translate(confusables()))
    return folded(shown)


@cache
def confusables() -> dict[int, str]:
    """Return Unicode's confusable characters with their prototypes, as far as a normalised name can have them.

    devtools/confusables.py writes the file: in each line a prototype, a tab, and the characters that it stands for.
    """
    lines = Path(__file__).with_name("confusables.txt").read_text(encoding="utf-8").splitlines()
    pairs = (line.split("\t") for line in lines if not line.startswith("#"))
    return {ord(character): prototype for prototype, characters in pairs for character in characters}


def username_forms(username: str) -> dict[str, str]:
    """Return the columns of a user that follow from the username. Each is unique."""
    plain = username_plain(username)
    return {
        "username_key": username_key(username),
        "username_skeleton": skeleton(username_key(username)),
        "username_written_skeleton": skeleton(plain),
    }


def is_reserved(username: str) -> bool:
    """Return whether this is, or looks like, a name of the audit trail for who has left (core.audit)."""
    forms = username_forms(username)
    return ANONYMOUS.fullmatch(forms.pop("username_key")) is not None or any(
        looks_anonymous().fullmatch(form) for form in forms.values()
    )


@cache
def looks_anonymous() -> re.Pattern[str]:
    """Return what skeletons of these names match."""
    digits = "|".join({re.escape(skeleton(digit)) for digit in "0123456789"})
    return re.compile(f"{re.escape(skeleton(ANONYMOUS_PREFIX))}(?:{digits})+")


def username_plain(username: str) -> str:
    """Return the username in NFKC and without joiners, in the case that it was written in."""
    return unicodedata.normalize("NFKC", username.translate(WITHOUT_JOINERS))


def is_word(text: str) -> bool:
    """Return whether the text has only letters, digits, signs, and joiners where Indic scripts need them.

    Vowel signs and other marks belong to the letter before them.
    """
    after_letter = False
    for index, character in enumerate(text):
        category = unicodedata.category(character)
        if character in INVISIBLE:
            return False
        if character in (ZWJ, ZWNJ):
            if not is_joint(text, index):
                return False
            continue
        after_letter = category[0] == "L" or (category[0] == "M" and after_letter)
        if not (after_letter or category == "Nd" or character in SIGNS):
            return False
    return True


def is_joint(text: str, index: int) -> bool:
    """Return whether a joiner may stand at the index: after a virama of the letter's own script, or in Bengali ra-ya.

    The rule of RFC 5892, appendix A, and also Bengali RA, joiner, virama (Unicode 16, section 12.2).
    """
    before = text[:index]
    if before.endswith(BENGALI_RA):
        return text[index + 1 : index + 2] == BENGALI_VIRAMA
    if not before or unicodedata.combining(before[-1]) != VIRAMA:
        return False
    letter = next((char for char in reversed(before) if unicodedata.category(char)[0] != "M"), "")
    return unicodedata.category(letter or " ")[0] == "L" and script_of(letter) == script_of(before[-1])


def script_of(character: str) -> str:
    """Return the first word of the character's name: the script, for letters and viramas."""
    return unicodedata.name(character, "").partition(" ")[0]
