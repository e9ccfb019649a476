"""The words that corrections lead to: those of titles and attributes, by their sound and their first letters."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from designs.search.inflections import singulars
from designs.search.scripts import is_indic, romanised
from designs.search.sounds import consonants_of, sound_of

# From so many letters so many may be mistyped; a sound is shorter than its word, so that a slip changes more of it.
LETTER_SLIPS = ((8, 2), (5, 1))
SOUND_SLIPS = ((9, 2), (6, 1))
# Romanisation is least sure of vowels: of so many consonants, so many vowels between them may be others.
VOWEL_SLIPS = ((4, 2), (3, 1))
SHORTEST_SOUND = 5  # letters of a sound that may have slips at all
ONE_LETTER = ("ckq", "vw", "fp")  # first letters that begin the same sounds
MOST_SLIPS = 2
SHORTEST = 4  # Latin letters of a word that is corrected at all
SHORTEST_INDIC = 2  # letters of one in an Indic script
SHORTEST_INDIC_SLIP = (
    7  # letters of the sound of such a word whose consonants may be others: kursi is no kurti
)
SHORTEST_BEGINNING = 5  # letters of a sound that may be the beginning of a word's
MOST_ALIKE = 4  # words that are as near as the nearest


class Likeness(IntEnum):
    """What a word and one of the catalogue have in common, the likeliest first."""

    SOUND = 0
    ONE_SLIP = 1  # all letters but one
    BEGINNING = 2  # the sound of the unfinished word
    SOUND_BUT_ONE = 3
    TWO_SLIPS = 4
    SOUND_BUT_TWO = 5


OF_LETTERS = {1: Likeness.ONE_SLIP, 2: Likeness.TWO_SLIPS}
OF_SOUNDS = {1: Likeness.SOUND_BUT_ONE, 2: Likeness.SOUND_BUT_TWO}


@dataclass(frozen=True, order=True)
class Distance:
    """How far a word is from what was typed; less is nearer. `spelling` is the place of the one that was compared.

    Of two words that are a slip away the likelier one has the same letters, but for their order and for doubles.
    """

    likeness: Likeness
    other_start: bool
    letters: int
    spelling: int
    other_letters: bool


@dataclass(frozen=True)
class Candidate:
    """What a word may have been meant as: the words that are nearest to it, the commonest first."""

    words: tuple[str, ...]
    distance: Distance

    @property
    def is_guess(self) -> bool:
        """Whether more than the spelling of a sound is another."""
        return self.distance.likeness is not Likeness.SOUND


class Vocabulary:
    """Folded words with the number of texts they stand in.

    Built once for many searches, then only read: threads may share it. `previous` is an older one of the same
    catalogue; it lends the sounds of its words, which take most of the time (0.3 s for 27,500 words).
    """

    def __init__(self, counts: Iterable[tuple[str, int]], previous: "Vocabulary | None" = None) -> None:
        self.counts: dict[str, int] = {}
        for word, count in counts:
            self.counts[word] = self.counts.get(word, 0) + count
        known: dict[str, str] = previous.sound_by_word if previous else {}
        self.sound_by_word: dict[str, str] = {
            word: known.get(word) or stored_sound(word) for word in sorted(self.counts)
        }
        self.by_sound: dict[str, list[str]] = defaultdict(list)
        for word, sound in self.sound_by_word.items():
            if sound:
                self.by_sound[sound].append(word)
        self.sounds = sorted(self.by_sound)
        self.near_words = Neighbours(self.sound_by_word)
        self.near_sounds = Neighbours(self.sounds)

    def __contains__(self, word: str) -> bool:
        return word in self.counts

    def same_sound(self, word: str) -> list[str]:
        return self.by_sound.get(sound_of(word), [])

    def nearest(self, word: str, *, unfinished: bool = False) -> Candidate | None:
        """What a word, as typed or folded, may have been meant as, or None.

        Its sound decides; then one letter that is mistyped, but never the first; then, if the word may be
        `unfinished`, whether it sounds like the beginning of another; last a slip in its sound, and two slips.
        """
        shortest = SHORTEST_INDIC if is_indic(word) else SHORTEST
        if len(word) < shortest or any(letter.isdigit() for letter in word):
            return None
        tried = list(enumerate(spellings(word)))
        found = [each for place, spelling in tried for each in self.of_same_sound(spelling, place)]
        if not found:
            found = [each for place, spelling in tried for each in self.mistyped(spelling, place)]
            if is_indic(word):
                found = [each for each in found if is_near_enough(each[1], tried[each[0].spelling][1])]
            if unfinished:
                found += [
                    each for place, spelling in tried for each in self.of_same_beginning(spelling, place)
                ]
        if not found:
            return None
        best = min(distance for distance, _ in found)
        words = dict.fromkeys(word for distance, word in found if distance == best)
        common = sorted(words, key=lambda word: -self.counts[word])
        return Candidate(tuple(common[:MOST_ALIKE]), best)

    def of_same_sound(self, word: str, place: int) -> Iterator[tuple[Distance, str]]:
        for each in self.by_sound.get(sound_of(word), ()):
            yield distance_of(Likeness.SOUND, word, place, each), each

    def of_same_beginning(self, word: str, place: int) -> Iterator[tuple[Distance, str]]:
        sound = sound_of(word)
        if len(sound) >= SHORTEST_BEGINNING:
            for longer in beginnings(self.sounds, sound):
                for each in self.by_sound[longer]:
                    yield distance_of(Likeness.BEGINNING, word, place, each), each

    def mistyped(self, word: str, place: int) -> Iterator[tuple[Distance, str]]:
        # A word of five letters may have lost one of them.
        for each, slips in self.near_words.of(word):
            if slips <= allowed(LETTER_SLIPS, max(len(word), len(each))):
                yield distance_of(OF_LETTERS[slips], word, place, each), each
        sound = sound_of(word)
        for alike, slips in self.near_sounds.of(sound):
            for each in self.by_sound[alike] if slips <= sound_slips(sound, alike) else ():
                if same_start(word, latin_spellings(each)[0]):
                    yield distance_of(OF_SOUNDS[slips], word, place, each), each


def sound_slips(sound: str, alike: str) -> int:
    """How many letters of a sound may be others than those of the one that is like it."""
    if len(sound) < SHORTEST_SOUND:
        return 0
    most = allowed(SOUND_SLIPS, min(len(sound), len(alike)))
    consonants = consonants_of(sound)
    return max(most, allowed(VOWEL_SLIPS, len(consonants))) if consonants == consonants_of(alike) else most


def is_near_enough(word: str, spelling: str) -> bool:
    """Whether a word may be meant by a spelling of an Indic one: of a short sound the vowels alone are unsure."""
    sound = sound_of(spelling)
    if len(sound) >= SHORTEST_INDIC_SLIP:
        return True
    return consonants_of(sound_of(latin_spellings(word)[0])) == consonants_of(sound)


def same_start(one: str, other: str) -> bool:
    return one[0] == other[0] or any(one[0] in alike and other[0] in alike for alike in ONE_LETTER)


def distance_of(likeness: Likeness, word: str, place: int, found: str) -> Distance:
    latin = latin_spellings(found)[0]
    letters = OSA.distance(word, latin)
    return Distance(likeness, not same_start(latin, word), letters, place, set(word) != set(latin))


class Neighbours:
    """Texts by their first letter and length, so that few are compared with what was typed."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts: dict[tuple[str, int], list[str]] = defaultdict(list)
        for text in texts:
            self.texts[text[0], len(text)].append(text)

    def of(self, text: str) -> Iterator[tuple[str, int]]:
        """The texts with the same first letter that are a slip or two away, with the number of slips."""
        for length in range(len(text) - MOST_SLIPS, len(text) + MOST_SLIPS + 1):
            near = self.texts.get((text[:1], length), ())
            for found, slips, _ in extract(
                text, near, scorer=OSA.distance, score_cutoff=MOST_SLIPS, limit=None
            ):
                if slips:
                    yield found, int(slips)


def allowed(slips: tuple[tuple[int, int], ...], length: int) -> int:
    """How many letters of so many may be mistyped."""
    return next((most for letters, most in slips if length >= letters), 0)


def beginnings(ordered: list[str], beginning: str) -> Iterator[str]:
    for place in range(bisect_left(ordered, beginning), len(ordered)):
        if not ordered[place].startswith(beginning):
            return
        yield ordered[place]


def stored_sound(word: str) -> str:
    return sound_of.__wrapped__(latin_spellings(word)[0])  # past the cache, which is for typed words


def latin_spellings(word: str) -> tuple[str, ...]:
    return (word,) if word.isascii() else (romanised(word) or (word,))


def spellings(word: str) -> list[str]:
    """A typed word in Latin letters, as it may be spelled in the catalogue: in the singular, z for j."""
    latin = dict.fromkeys(latin_spellings(word))
    latin |= dict.fromkeys(
        each for spelling in latin for each in singulars(spelling) if len(each) >= SHORTEST
    )
    return list(latin | dict.fromkeys(each.replace("j", "z") for each in latin))
