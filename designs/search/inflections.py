"""Other forms of a word: singular, plurals and genders, by the endings of English and of Hindi and its neighbours."""

import re
from functools import lru_cache

# A singular has this many letters at least: "as" is no plural of "a".
SHORTEST = 3
SINGULARS = [
    (r"(?<!s)s$", ""),  # sarees
    (r"(ss|sh|ch|x|z|us)es$", r"\1"),  # dresses, lotuses
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
# Adjectives of Hindi and its neighbours have the gender and number of what they describe: neela, neeli, neele. A list
# of words has the first. Gujarati says lilo and lili.
GENDERS = [
    (r"[ie]$", "a"),
    (r"i$", "o"),
    (r"[ीे]$", "ा"),
    (r"[ੀੇ]$", "ਾ"),
    (r"ી$", "ો"),
]
SHORTEST_ADJECTIVE = 4  # Latin letters
SHORTEST_INDIC_ADJECTIVE = 3


def singulars(word: str) -> list[str]:
    """What the word may be the plural of."""
    return [each for each in changed(word, SINGULARS) if len(each) >= SHORTEST]


@lru_cache(maxsize=4096)
def other_numbers(word: str) -> tuple[str, ...]:
    """The word in its other number, in each form that may be right."""
    if len(word) < SHORTEST or not (word.isascii() and word.isalpha()):
        return ()
    return tuple(dict.fromkeys(singulars(word) + changed(word, PLURALS)))


@lru_cache(maxsize=4096)
def other_genders(word: str) -> tuple[str, ...]:
    """The forms that an adjective may have in a list of words."""
    shortest = SHORTEST_ADJECTIVE if word.isascii() else SHORTEST_INDIC_ADJECTIVE
    return tuple(changed(word, GENDERS)) if len(word) >= shortest else ()


def changed(word: str, endings: list[tuple[str, str]]) -> list[str]:
    found = (re.sub(ending, other, word) for ending, other in endings if re.search(ending, word))
    return list(dict.fromkeys(each for each in found if each != word))
