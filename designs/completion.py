"""Which texts complete what somebody is typing. Pure: designs.suggestions reads what it compares.

The last word typed may be the beginning of any word of a text, the others stand whole anywhere in it. Words that
begin as typed come first, then those that sound alike, then those a letter or two away.
"""

from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from heapq import nsmallest
from itertools import islice
from typing import NamedTuple, TypedDict

from rapidfuzz.distance import OSA

from designs.search.scripts import romanised
from designs.search.sounds import sound_of
from designs.search.tokens import fold, typed_words

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


@lru_cache(maxsize=32768)
def words_of(text: str) -> tuple[Heard, ...]:
    """The words of a text. Folding takes the nukta away, which is heard."""
    return tuple(
        Heard(part, sounds_of(part, word.typed if len(word.parts) == 1 else part))
        for word in typed_words(text)
        for part in word.parts
    )


def sounds_of(folded: str, typed: str) -> tuple[str, ...]:
    spellings = (*romanised(typed), *romanised(folded)) or (folded,)
    return tuple(dict.fromkeys(filter(None, map(sound_of, spellings))))


class Suggestion(TypedDict):
    """A text that completes what was typed, and how many designs have it."""

    text: str
    kind: str  # a facet field, or "title"
    count: int


class Known(NamedTuple):
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
        if not (words := words_of(text)):
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
        sounds = dict(words)
        self.words = sorted(sounds)
        self.by_start: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for word in self.words:
            for spelling in dict.fromkeys((word, *sounds[word])):
                self.by_start[spelling[0]].append((spelling, word))

    def near(self, typed: Heard, *, begins: bool) -> dict[str, int]:
        """The distance of each word near to a typed one. `begins`: it may be the beginning of a word."""
        found = dict.fromkeys(self.exact(typed.word, begins=begins), EXACT)
        for spelling in dict.fromkeys((typed.word, *typed.sounds)):
            for other, word in self.by_start.get(spelling[0], ()):
                distance = distance_of(spelling, other, begins=begins)
                if distance is not None and distance < found.get(word, FAR):
                    found[word] = distance
        return found

    def exact(self, typed: str, *, begins: bool) -> Iterator[str]:
        for word in islice(self.words, bisect_left(self.words, typed), None):
            if not (word.startswith(typed) if begins else word == typed):
                return
            yield word


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
        self.holders: dict[str, array[int]] = defaultdict(lambda: array("l"))
        words: set[Heard] = set()
        for index, text in enumerate(self.known):
            of_text = set(words_of(text.text))
            words |= of_text
            for word in {heard.word for heard in of_text}:
                self.holders[word].append(index)
        self.lexicon = Lexicon(words)

    def complete(self, typed: Typed) -> Iterator[tuple[int, Known]]:
        """Those that complete what was typed, each with its distance."""
        found: dict[int, int] | None = None
        for word, begins in typed.wanted:
            distances: dict[int, int] = {}
            for near, distance in self.lexicon.near(word, begins=begins).items():
                for index in self.holders[near]:
                    distances[index] = min(distance, distances.get(index, distance))
            found = (
                distances
                if found is None
                else {
                    index: found[index] + distance for index, distance in distances.items() if index in found
                }
            )
        return ((distance, self.known[index]) for index, distance in (found or {}).items())


def best(found: Iterable[tuple[int, Known]]) -> list[Suggestion]:
    """The nearest of what was found, of equal ones the commonest, then by text."""
    nearest = nsmallest(MOST, found, key=lambda pair: (pair[0], -pair[1].count, fold(pair[1].text), pair[1]))
    return [Suggestion(text=known.text, kind=known.kind, count=known.count) for _, known in nearest]
