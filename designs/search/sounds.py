"""How a word sounds: one key for the spellings that romanisation and habit make of one word."""

import re
from functools import lru_cache

# In this order. Doubled letters become one at the end.
RULES = [
    (r"[^a-z0-9]", ""),
    # Consonants.
    (r"ph", "f"),
    (r"x", "ks"),
    (r"ck|q", "k"),
    (r"t?ch+", "ç"),
    (r"c(?=[eiy])", "s"),
    (r"c", "k"),
    (r"([kgjtdbsr])h", r"\1"),
    (r"geo", "jo"),
    (r"g(?=ett)", "j"),
    (r"tte$", "t"),
    (r"z", "s"),
    (r"(?<=[aeiou])w(?![aeiouy])", "u"),
    (r"w", "v"),
    (r"n(?=[pbm])", "m"),
    # Vowels; y is one, except at the start of a word and after another vowel than i.
    (r"(?<=[^aeou])y(?=[aeou])", "i"),
    (r"iy(?=[aeou])", "i"),
    (r"(?<=[^aeiou])y", "i"),
    (r"ee|ea|ei|ie(?=.)|ii", "i"),
    (r"oo|ou|uu", "u"),
    (r"a[iy](?![aeiou])|ey(?![aeiou])", "e"),
    (r"au|ao", "o"),
    (r"(?<=[aeiou])h(?![aeiou])", ""),
    (r"(.)\1+", r"\1"),
]
COMPILED = [(re.compile(pattern), replacement) for pattern, replacement in RULES]


@lru_cache(maxsize=4096)
def sound_of(word: str) -> str:
    """The key of a folded word: "kanjeevaram" and "kanjivaram" have one. Empty for a word without Latin letters."""
    for pattern, replacement in COMPILED:
        word = pattern.sub(replacement, word)
    return word


VOWELS = str.maketrans("", "", "aeiou")


def consonants_of(sound: str) -> str:
    return sound.translate(VOWELS)
