"""Words, as the full-text index knows them: where a text is parted, and which letters count as the same."""

import re
import string
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

# The categories that designs_search makes words of (designs.triggers). A word needs a letter or a digit in it.
LETTERS_AND_NUMBERS = ("L", "N", "Co")
OTHER_PARTS = ("Mn", "Mc", "Cf")
# Canonical combining classes of marks that are no letters: overlays, the nukta, the points of Hebrew, Arabic and
# Syriac, and the accents. The marks of the others spell: vowel signs, viramas, tones, the voicing of kana.
ACCENTS = {1, 7, *range(10, 37), *range(200, 241)}
# Marks that choose between pictures of one letter, and the one that joins graphemes.
INVISIBLE_MARKS = {
    "\u034f",
    *map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))),
}
ZERO_WIDTH_SPACE = "\u200b"  # a format character that parts words


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """The text with its letters reduced to what searches compare.

    Neither case, accents of any script, compatibility forms, the nukta nor format characters (the joiners among
    them) count. Stored and typed words are both compared in this form; folding it again changes nothing.
    """
    if text.isascii():
        return text.lower()
    plain = without_accents(text.replace(ZERO_WIDTH_SPACE, " "))
    return unicodedata.normalize("NFC", without_accents(plain.casefold()))


def without_accents(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not is_ignored(letter))


@lru_cache(maxsize=8192)
def is_ignored(letter: str) -> bool:
    if letter in INVISIBLE_MARKS or unicodedata.category(letter) == "Cf":
        return True
    return unicodedata.combining(letter) in ACCENTS


@lru_cache(maxsize=8192)
def is_part_of_words(letter: str) -> bool:
    category = unicodedata.category(letter)
    return category.startswith(LETTERS_AND_NUMBERS) or category in OTHER_PARTS


ASCII_WORD = re.compile(r"[0-9a-z]+")


def split(folded: str) -> tuple[str, ...]:
    """The words of a folded text, each with a letter or a digit in it."""
    if folded.isascii():
        return tuple(ASCII_WORD.findall(folded))
    parted = "".join(letter if is_part_of_words(letter) else " " for letter in folded)
    return tuple(word for word in parted.split() if has_letter(word))


def has_letter(word: str) -> bool:
    return any(unicodedata.category(letter).startswith(LETTERS_AND_NUMBERS) for letter in word)


# Letters with an accent that the index leaves as they are, unlike the others of Latin.
LEFT_AS_THEY_ARE = "ǠǡǢǣ"
PUNCTUATION = string.punctuation + "।॥‘’“”–—…"


def folded_words(texts: Iterable[str]) -> str:
    """The words of some texts that the index would not read in this form by itself, folded, each once.

    What stands between two spaces stays together, so that "off-écru" is a phrase.
    """
    words = (word for text in texts if not text.isascii() for word in text.split() if not is_read_alike(word))
    return " ".join(dict.fromkeys(filter(None, (" ".join(split(fold(word))) for word in words))))


def is_read_alike(word: str) -> bool:
    """Whether the index makes of a word what it makes of the folded one, as of Latin accents and of plain Hindi."""
    bare = word.strip(PUNCTUATION)
    return split(fold(bare)) == (bare,) or all(map(is_folded_by_index, bare))


@lru_cache(maxsize=8192)
def is_folded_by_index(letter: str) -> bool:
    if letter.isascii():
        return True
    first, *accents = list(unicodedata.normalize("NFD", letter))
    is_latin = first.isascii() and first.isalpha() and bool(accents)
    return is_latin and all(map(unicodedata.combining, accents)) and letter not in LEFT_AS_THEY_ARE


@dataclass(frozen=True)
class Word:
    """What stands between two spaces of a search: as it was typed, and its folded words ("off-white" has two)."""

    typed: str
    parts: tuple[str, ...]

    @property
    def text(self) -> str:
        return " ".join(self.parts)

    @property
    def stripped(self) -> str:
        """The word without the punctuation around it."""
        places = [place for place, letter in enumerate(self.typed) if is_part_of_words(letter)]
        return self.typed[places[0] : places[-1] + 1] if places else self.typed


def typed_words(text: str) -> list[Word]:
    """What was typed, word by word; one without a letter or digit ("%", an emoji) has no parts."""
    return [Word(typed, split(fold(typed))) for typed in text.replace("\0", " ").split()]
