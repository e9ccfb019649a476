"""The singular and the plurals of a word, by the endings of English and of romanised Hindi."""

import re
from functools import lru_cache

# A singular has this many letters at least: "as" is no plural of "a".
SHORTEST = 3
SINGULARS = [
    (r"(?<!s)s$", ""),  # sarees
    (r"(ss|sh|ch|x|z)es$", r"\1"),  # dresses
    (r"ies$", "y"),  # parties
    (r"ves$", "f"),  # scarves
    (r"ves$", "fe"),
    (r"iy?aa?n?$", "i"),  # sariyan
]
PLURALS = [
    (r"([^s])$", r"\1s"),
    (r"(ss|sh|ch|x|z|s)$", r"\1es"),
    (r"(?<=[^aeiou])y$", "ies"),
    (r"f$", "ves"),
    (r"fe$", "ves"),
]


def singulars(word: str) -> list[str]:
    """What the word may be the plural of."""
    return [each for each in changed(word, SINGULARS) if len(each) >= SHORTEST]


@lru_cache(maxsize=4096)
def other_numbers(word: str) -> tuple[str, ...]:
    """The word in its other number, in each form that may be right."""
    if len(word) < SHORTEST or not (word.isascii() and word.isalpha()):
        return ()
    return tuple(dict.fromkeys(singulars(word) + changed(word, PLURALS)))


def changed(word: str, endings: list[tuple[str, str]]) -> list[str]:
    found = (re.sub(ending, other, word) for ending, other in endings if re.search(ending, word))
    return list(dict.fromkeys(each for each in found if each != word))
