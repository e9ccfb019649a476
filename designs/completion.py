"""Which texts complete what somebody is typing. Pure: designs.suggestions reads what it compares.

The last word typed may be the beginning of any word of a text, the others stand whole anywhere in it. Words that
begin as typed come first, then those that sound alike, then those a letter or two away.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from heapq import nsmallest
from itertools import chain, islice, takewhile
from typing import NamedTuple, TypedDict

from rapidfuzz.distance import OSA

from designs.search.scripts import romanised
from designs.search.sounds import sound_of
from designs.search.tokens import fold, split

MOST = 8  # suggestions
TITLE = "title"
# A shorter sound is that of too many words.
SOUND_LENGTH = 3
# The letters of a typed word from which on one of them, or two, may be wrong.
ONE_WRONG, TWO_WRONG = 5, 8
EXACT, ALIKE, FAR = 0, 1, 9  # distances; each wrong letter adds one to ALIKE


class Heard(NamedTuple):
    """A folded word, and how it may sound, the likeliest first; one of another script by its Latin spellings."""

    word: str
    sounds: tuple[str, ...]
    typed: str  # with its nukta, which folding takes away


def words_of(text: str) -> Iterator[Heard]:
    """The words of a text."""
    return chain.from_iterable(map(heard, text.split()))


@lru_cache(maxsize=32768)
def heard(typed: str) -> tuple[Heard, ...]:
    """The words between two spaces."""
    parts = split(fold(typed))
    if len(parts) == 1 and not typed.isascii():
        return (Heard(parts[0], sounds_of(parts[0], typed), typed),)
    return tuple(Heard(part, sounds_of(part, part), part) for part in parts)


def sounds_of(folded: str, typed: str) -> tuple[str, ...]:
    spellings = (*romanised(typed), *romanised(folded)) or (folded,)
    return tuple(dict.fromkeys(filter(None, map(sound_of, spellings))))


class Suggestion(TypedDict):
    """A text that completes what was typed, and how many designs have it."""

    text: str
    kind: str  # a facet field, or "title"
    count: int


@dataclass(frozen=True, order=True, slots=True)
class Known:
    """What could be suggested."""

    text: str
    kind: str
    count: int


@dataclass(frozen=True)
class Typed:
    """The words typed so far, of which the last may be unfinished."""

    words: tuple[Heard, ...]

    @classmethod
    def of(cls, text: str) -> "Typed":
        """Nothing is typed where `text` has no letter or digit. A repeated word counts once, as unfinished if last."""
        if not (words := list(words_of(text))):
            return cls(())
        *whole, last = words
        return cls((*(word for word in dict.fromkeys(whole) if word != last), last))

    def __bool__(self) -> bool:
        return bool(self.words)

    @property
    def wanted(self) -> Iterator[tuple[Heard, bool]]:
        """Each word, and whether it may be the beginning of one."""
        last = len(self.words) - 1
        return ((word, place == last) for place, word in enumerate(self.words))


class Lexicon:
    """Words, and which of them are near to a typed one."""

    def __init__(self, words: Iterable[Heard]) -> None:
        self.sounds = {word.word: word.sounds for word in words}
        self.words = sorted(self.sounds)

    @cached_property
    def spellings(self) -> dict[str, list[tuple[str, str]]]:
        """The words with each of their spellings, by its first letter."""
        found: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for word in self.words:
            for spelling in dict.fromkeys((word, *self.sounds[word])):
                found[spelling[0]].append((spelling, word))
        return found

    def exact(self, typed: Heard, *, begins: bool) -> dict[str, int]:
        """The words that are the typed one, each with its distance, or those that begin so."""
        if not begins:
            return {typed.word: EXACT} if typed.word in self.sounds else {}
        following = islice(self.words, bisect_left(self.words, typed.word), None)
        return dict.fromkeys(takewhile(lambda word: word.startswith(typed.word), following), EXACT)

    def near(self, typed: Heard, *, begins: bool) -> dict[str, int]:
        """The same, and all that are near to it."""
        found = self.exact(typed, begins=begins)
        for spelling in dict.fromkeys((typed.word, *typed.sounds)):
            for other, word in self.spellings.get(spelling[0], ()):
                distance = distance_of(spelling, other, begins=begins)
                if distance is not None and distance < found.get(word, FAR):
                    found[word] = distance
        return found


def distance_of(typed: str, other: str, *, begins: bool) -> int | None:
    """How far a word or its sound is from a typed one, None if too far."""
    if len(typed) < SOUND_LENGTH:
        return None
    if other.startswith(typed) if begins else other == typed:
        return ALIKE
    most = (len(typed) >= ONE_WRONG) + (len(typed) >= TWO_WRONG)
    ends = range(len(typed) - most, len(typed) + most + 1) if begins else (len(other),)
    wrong = min(OSA.distance(typed, other[:end], score_cutoff=most) for end in ends) if most else 1
    return ALIKE + wrong if wrong <= most else None


class Texts:
    """Texts that could be suggested, by their words."""

    def __init__(self, known: Iterable[Known]) -> None:
        self.known = list(known)
        self.holders: dict[str, list[int]] = defaultdict(list)
        words: set[Heard] = set()
        for index, text in enumerate(self.known):
            of_text = set(words_of(text.text))
            words |= of_text
            for word in of_text:
                self.holders[word.word].append(index)
        self.lexicon = Lexicon(words)

    def complete(self, typed: Typed, *, exactly: bool = False) -> Iterator[tuple[int, Known]]:
        """Those that complete what was typed, each with its distance; with `exactly` just the exact ones."""
        near = self.lexicon.exact if exactly else self.lexicon.near
        found: dict[int, int] = {}
        for place, (word, begins) in enumerate(typed.wanted):
            distances: dict[int, int] = {}
            for other, distance in near(word, begins=begins).items():
                for index in self.holders[other]:
                    if place == 0 or index in found:
                        distances[index] = min(distance, distances.get(index, distance))
            found = {index: found.get(index, EXACT) + distance for index, distance in distances.items()}
        return ((distance, self.known[index]) for index, distance in found.items())


def best(found: Iterable[tuple[int, Known]]) -> list[Suggestion]:
    """The nearest of what was found, of equal ones the commonest, then by text."""
    nearest = nsmallest(MOST, found, key=lambda pair: (pair[0], -pair[1].count, fold(pair[1].text), pair[1]))
    return [Suggestion(text=known.text, kind=known.kind, count=known.count) for _, known in nearest]
