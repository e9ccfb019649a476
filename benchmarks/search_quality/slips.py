"""Words of the catalogue's own titles and attributes, mistyped by chance: nobody can have learnt them."""

import random
from collections.abc import Iterator

from benchmarks.search_quality.rules import FIELDS, Query, Rule, Texts

KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
BESIDE = {
    key: row[max(0, place - 1) : place] + row[place + 1 : place + 2]
    for row in KEYS
    for place, key in enumerate(row)
}
# Letters of a word that is mistyped once, and from which every second one is mistyped twice.
ONCE, TWICE = 5, 9


def slip(chance: random.Random, word: str) -> str:
    """The word with a letter left out, doubled, swapped or beside the right one on the keyboard; the first stays."""
    at = chance.randrange(1, len(word) - 1)
    return chance.choice(
        (
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + chance.choice(BESIDE[word[at]]) + word[at + 1 :],
        )
    )


def slips(count: int, seed: str, designs: dict[int, Texts]) -> Iterator[Query]:
    """`count` mistyped words; none is itself a word of the catalogue, or the beginning of one."""
    chance = random.Random(seed)
    texts = list(designs.values())
    every = {word for text in texts for field in FIELDS for word in text[field].split()}
    named = {
        word for text in texts for field in FIELDS if field != "description" for word in text[field].split()
    }
    words = sorted(word for word in named if len(word) >= ONCE and word.isalpha())
    while count:
        word = chance.choice(words)
        kind, typed = "slip1", slip(chance, word)
        if len(word) >= TWICE and chance.random() < 0.5:
            kind, typed = "slip2", slip(chance, typed)
        if not any(each.startswith(typed) for each in every):
            yield Query(kind, typed, Rule(f"text: {word}", {}))
            count -= 1
