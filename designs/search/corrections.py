"""The readings of a search that finds nothing as it stands: its unknown words corrected, last one word left out."""

from collections.abc import Collection
from dataclasses import dataclass

from designs.search.expression import Term, any_of
from designs.search.reading import Part, Reading, Token, forms, reading_of, word_by_word
from designs.search.synonyms import SynonymTable
from designs.search.vocabulary import Candidate, Vocabulary

MOST_CORRECTED = 16  # parts of a search that is corrected at all: each costs a look through the vocabulary
MOST_LEFT_OUT = (
    12  # parts of a search that is asked for without each in turn: the expression grows with the square
)
SHORTEST_HALF = 3  # letters of each half of a word that is parted
SHORTEST_ALIKE = 4  # letters of each half that only sounds like a word
SHORTEST_JOINED = 6  # letters of two unknown words that together sound like one
SHORTEST_JOINED_KNOWN = 8  # the same where one of them is known


def correct(
    reading: Reading, known: Collection[int], table: SynonymTable, vocabulary: Vocabulary
) -> list[Reading]:
    """What to ask next, one after the other, where a reading of `read` finds nothing.

    `known` are the places in `reading.parts` of those whose node finds something by itself: they are never
    corrected. Corrections lead to words of the vocabulary, or of the synonyms. There is nothing to ask for if two
    words remain that nobody knows.
    """
    if not 0 < len(reading.parts) <= MOST_CORRECTED:
        return []
    attempt = Attempt(reading, known, table, vocabulary)
    parts = attempt.corrected_parts()
    unknown = [part for part in parts if attempt.is_unknown(part)]
    rest = [part for part in parts if part not in unknown]
    if len(unknown) > 1 or not rest:
        return []
    if unknown:
        # A guess alone carries nothing: "bluetooth speaker" is no search for something like a speaker.
        is_firm = not all(part.is_mistyped for part in rest)
        return [reading_of([rest], rest, reading.tokens)] if is_firm else []
    readings = []
    if any(part.corrected for part in parts):
        readings.append(reading_of([parts], parts, reading.tokens))
    if 1 < len(parts) <= MOST_LEFT_OUT:
        sets = [[part for part in parts if part != left_out] for left_out in parts]
        readings.append(reading_of(sets, parts, reading.tokens))
    return readings


@dataclass
class Attempt:
    """One search while its words are corrected."""

    reading: Reading
    known: Collection[int]
    table: SynonymTable
    vocabulary: Vocabulary

    def is_unknown(self, part: Part) -> bool:
        return not part.corrected and (
            part not in self.reading.parts or self.reading.parts.index(part) not in self.known
        )

    def corrected_parts(self) -> list[Part]:
        """The parts, each unknown one joined with a neighbour, parted or corrected where that is possible."""
        joined = self.joined_parts()
        done = {token for part in joined for token in part.tokens}
        parts = joined + [self.corrected(part) for part in self.reading.parts if done.isdisjoint(part.tokens)]
        return sorted(parts, key=lambda part: part.tokens[0].place)

    def correctable(self, part: Part) -> bool:
        return not part.is_given and self.is_unknown(part)

    def is_fixed(self, part: Part) -> bool:
        """Whether staff say that it stays as it is: a phrase, or a word that is never corrected."""
        return len(part.tokens) > 1 or part.tokens[0].text in self.table.kept

    def joined_parts(self) -> list[Part]:
        """Two words in one, at least one of which is unknown: a stop word may be the other."""
        by_place = {part.tokens[0].place: part for part in self.reading.parts if len(part.tokens) == 1}
        fixed = {token for part in self.reading.parts if self.is_fixed(part) for token in part.tokens}
        joined: list[Part] = []
        used: set[Token] = set()
        for pair in zip(self.reading.tokens, self.reading.tokens[1:], strict=False):
            unknown = [
                token for token in pair if token.place in by_place and self.correctable(by_place[token.place])
            ]
            if unknown and used.isdisjoint(pair) and fixed.isdisjoint(pair):
                words = self.joined(pair, both_unknown=len(unknown) == 2)
                if words:
                    joined.append(self.part(pair, words))
                    used.update(pair)
        return joined

    def joined(self, pair: tuple[Token, Token], *, both_unknown: bool) -> tuple[str, ...]:
        word = "".join(token.text for token in pair)
        if word in self.vocabulary:
            return (word,)
        if len(word) >= (SHORTEST_JOINED if both_unknown else SHORTEST_JOINED_KNOWN):
            return tuple(self.vocabulary.same_sound(word))
        return ()

    def corrected(self, part: Part) -> Part:
        if not self.correctable(part):
            return part
        [token] = part.tokens
        halves = self.halves(token.text, SHORTEST_HALF, alike=False)
        candidate = None if halves else self.nearest(token)
        if not halves and (candidate is None or candidate.is_guess):
            halves = self.halves(token.text, SHORTEST_ALIKE, alike=True)
        if halves:
            return Part(part.tokens, Term(halves), word_by_word(halves), (halves,), halves, corrected=True)
        if candidate is None:
            return part
        return self.part(part.tokens, candidate.words, is_mistyped=candidate.is_guess)

    def part(self, tokens: tuple[Token, ...], words: tuple[str, ...], *, is_mistyped: bool = False) -> Part:
        terms = [Term((word,)) for word in words]
        wider = [node for term in terms for node in forms(term.phrase, self.table)]
        return Part(
            tokens,
            any_of(terms),
            any_of([*terms, *wider]),
            tuple(term.phrase for term in terms),
            words[:1],
            corrected=True,
            is_mistyped=is_mistyped,
        )

    def halves(self, word: str, shortest: int, *, alike: bool) -> tuple[str, ...]:
        """The two words of the vocabulary that a word is made of, those of even length first."""
        cuts = sorted(range(shortest, len(word) - shortest + 1), key=lambda cut: abs(len(word) - 2 * cut))
        for cut in cuts:
            halves = [word[:cut], word[cut:]]
            if alike:
                halves = [next(iter(self.vocabulary.same_sound(half)), "") for half in halves]
            if all(half in self.vocabulary for half in halves):
                return tuple(halves)
        return ()

    def nearest(self, token: Token) -> Candidate | None:
        """The nearest word of the catalogue, or of the synonyms where none is as near."""
        unfinished = self.reading.parts[-1].tokens[-1] == token
        found = [
            candidate
            for vocabulary in (self.vocabulary, self.table.vocabulary)
            if (candidate := vocabulary.nearest(token.spelled, unfinished=unfinished))
        ]
        return min(found, key=lambda each: (each.distance.likeness, each.distance.other_start), default=None)
