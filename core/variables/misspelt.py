"""Finds names in the environment that are nearly those of variables, and that nobody reads."""

from collections.abc import Iterable, Iterator

from rapidfuzz.distance import OSA

from core.variables.declared import ALL

SHORTEST = 6  # characters: many programs have names like HOST and DATE
BEGINNING = 3  # characters that both begin with
ALIKE = 0.8  # of 1: one letter in five may differ


def misspelt(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each name that is none of a variable, and the unset variable that it may stand for, also in capitals."""
    given = set(names)
    for name in sorted(given - ALL.keys()):
        if len(name) < SHORTEST:
            continue
        capitals = name.upper()
        near = [known for known in ALL.keys() - given if known[:BEGINNING] == capitals[:BEGINNING]]
        if found := max(
            ((OSA.normalized_similarity(capitals, known), known) for known in near), default=None
        ):
            likeness, known = found
            if likeness >= ALIKE:
                yield name, known
