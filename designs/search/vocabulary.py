"""The words that corrections lead to: those of titles and attributes, by their sound and their first letters."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from designs.search.inflections import singulars
from designs.search.scripts import romanised
from designs.search.sounds import sound_of

# Letters of a word, or of its sound, from which so many of them may be mistyped.
SLIPS = ((8, 2), (5, 1))
SHORTEST = 3  # letters of a word that is corrected at all
SHORTEST_BEGINNING = 5  # letters of a sound that may be the beginning of a word's


@dataclass(frozen=True, order=True)
class Distance:
    """How far a word is from what was typed; less is nearer.

    `slips` is 0 for the same sound, `letters` compares the spellings.
    """

    slips: int
    is_beginning: bool
    other_start: bool
    letters: int
    rarity: float

    @property
    def kind(self) -> tuple[int, bool, bool]:
        """What counts between words of different lists."""
        return self.slips, self.is_beginning, self.other_start


@dataclass(frozen=True)
class Candidate:
    """What a word may have been meant as: the likeliest word, and others of the same sound and beginning."""

    words: tuple[str, ...]
    distance: Distance


class Vocabulary:
    """Folded words with the number of texts they stand in.

    Built once for many searches, then only read: threads may share it.
    """

    def __init__(self, counts: Iterable[tuple[str, int]]) -> None:
        self.counts: dict[str, int] = {}
        for word, count in counts:
            self.counts[word] = self.counts.get(word, 0) + count
        self.words = sorted(self.counts)
        self.by_sound: dict[str, list[str]] = defaultdict(list)
        for word in self.words:
            for latin in latin_spellings(word)[:1]:
                self.by_sound[sound_of(latin)].append(word)
        self.by_sound.pop("", None)
        self.sounds = sorted(self.by_sound)
        self.near_words = Neighbours(self.words)
        self.near_sounds = Neighbours(self.sounds)

    def __contains__(self, word: str) -> bool:
        return word in self.counts

    def starting(self, beginning: str) -> Iterator[str]:
        """The words that start so, in their order."""
        return beginnings(self.words, beginning)

    def same_sound(self, word: str) -> list[str]:
        return self.by_sound.get(sound_of(word), [])

    def nearest(self, word: str, *, unfinished: bool = False) -> Candidate | None:
        """What a folded word may have been meant as, or None.

        Its sound decides; then, if the word may be `unfinished`, whether it is the beginning of another's; then
        one letter or two that are mistyped, in the word or in its sound, the first one never.
        """
        if len(word) < SHORTEST or any(letter.isdigit() for letter in word):
            return None
        for looked_up in (self.of_same_sound, self.of_same_beginning if unfinished else None, self.mistyped):
            if looked_up is None:
                continue
            found = [each for spelling in spellings(word) for each in looked_up(spelling)]
            if found:
                return self.chosen(found)
        return None

    def chosen(self, found: list[tuple[Distance, str]]) -> Candidate:
        best, likeliest = min(found)
        sound = sound_of(likeliest)
        alike = [
            each for distance, each in sorted(found)
            if distance.slips == best.slips and distance.other_start == best.other_start and sound_of(each) == sound
        ]  # fmt: skip
        return Candidate(tuple(dict.fromkeys(alike)), best)

    def of_same_sound(self, word: str) -> Iterator[tuple[Distance, str]]:
        return self.measured(word, self.by_sound.get(sound_of(word), ()), 0)

    def of_same_beginning(self, word: str) -> Iterator[tuple[Distance, str]]:
        sound = sound_of(word)
        if len(sound) >= SHORTEST_BEGINNING:
            for each in beginnings(self.sounds, sound):
                yield from self.measured(word, self.by_sound[each], 0, is_beginning=True)

    def mistyped(self, word: str) -> Iterator[tuple[Distance, str]]:
        for each, slips in self.near_words.of(word):
            yield from self.measured(word, (each,), slips)
        for each, slips in self.near_sounds.of(sound_of(word)):
            yield from self.measured(word, self.by_sound[each], slips)

    def measured(
        self, word: str, found: Iterable[str], slips: int, *, is_beginning: bool = False
    ) -> Iterator[tuple[Distance, str]]:
        for each in found:
            latin = latin_spellings(each)[0]
            start = latin[:1] != word[:1]
            yield Distance(slips, is_beginning, start, OSA.distance(word, latin), 1 / self.counts[each]), each


class Neighbours:
    """Texts by their first letter and length, so that few are compared with what was typed."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts: dict[tuple[str, int], list[str]] = defaultdict(list)
        for text in texts:
            self.texts[text[0], len(text)].append(text)

    def of(self, text: str) -> list[tuple[str, int]]:
        """The texts with the same first letter that are a slip or two away, with the number of slips."""
        most = next((slips for length, slips in SLIPS if len(text) >= length), 0)
        lengths = range(len(text) - most, len(text) + most + 1) if most else ()
        return [
            (found, int(slips))
            for length in lengths
            for found, slips, _ in extract(
                text,
                self.texts.get((text[0], length), ()),
                scorer=OSA.distance,
                score_cutoff=most,
                limit=None,
            )
        ]


def beginnings(ordered: list[str], beginning: str) -> Iterator[str]:
    for place in range(bisect_left(ordered, beginning), len(ordered)):
        if not ordered[place].startswith(beginning):
            return
        yield ordered[place]


def latin_spellings(word: str) -> tuple[str, ...]:
    return (word,) if word.isascii() else (romanised(word) or (word,))


def spellings(word: str) -> list[str]:
    """A typed word in Latin letters, as it may be spelled in the catalogue: in the singular, z for j."""
    latin = dict.fromkeys(latin_spellings(word))
    latin |= dict.fromkeys(each for spelling in latin for each in singulars(spelling))
    return list(latin | dict.fromkeys(each.replace("j", "z") for each in latin))
