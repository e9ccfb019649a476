"""What was typed, read step by step: as it stands and widened, then corrected, and last without one of its words.

`read` needs the synonyms only. Where its reading finds nothing, `designs.search.corrections` needs the vocabulary,
and which parts of the reading the catalogue has.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from designs.search.expression import Boosted, Node, Term, Within, all_of, any_of
from designs.search.inflections import other_genders, other_numbers
from designs.search.stop_words import STOP_WORDS
from designs.search.synonyms import Phrase, SynonymTable
from designs.search.tokens import Word, typed_words


@dataclass(frozen=True)
class Token:
    """One word of the search, folded, and as typed. `place` counts tokens; "off-white" are two of one `chunk`."""

    text: str
    typed: str
    place: int
    chunk: int

    @property
    def spelled(self) -> str:
        """As a script needs it to be read aloud, where a letter's nukta changes its sound."""
        return self.text if self.typed.isascii() else self.typed.lower()


@dataclass(frozen=True)
class Part:
    """A word of the search, or a phrase of the synonyms, as it is read.

    `exact` finds it as it stands, `node` in each of its forms. `phrases` are what it may stand for, word by word.

    `words` are what the API shows of it. `is_given` tells that staff know it, so it is never corrected; `corrected`
    that it is another word than typed; `is_mistyped` that letters of it were changed.
    """

    tokens: tuple[Token, ...]
    exact: Node
    node: Node
    phrases: tuple[Phrase, ...]
    words: tuple[str, ...]
    is_given: bool = False
    corrected: bool = False
    is_mistyped: bool = False

    @property
    def typed(self) -> str:
        return " ".join(token.typed for token in self.tokens)


@dataclass(frozen=True)
class Reading:
    """One way to read a search. It finds what any of `sets` finds; what `exact` finds comes first.

    `words`, `corrected` and `ignored` are what the API answers as `understood`. `symbols` are to be found letter by
    letter where the search has no words. `parts` and `tokens` are what corrections start from. Several sets do
    without one part each, in their order.
    """

    sets: tuple[Node, ...] = ()
    exact: Node | None = None
    words: tuple[str, ...] = ()
    corrected: tuple[tuple[str, str], ...] = ()
    ignored: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    tokens: tuple[Token, ...] = ()

    @property
    def node(self) -> Node | None:
        """What the search finds, or None where it has no words."""
        return any_of(self.sets) if self.sets else None

    @property
    def shown(self) -> "Reading":
        """No more than the API shows of it, small enough to be kept with each page."""
        return Reading(words=self.words, corrected=self.corrected, ignored=self.ignored)

    def settled(self, found: Collection[int]) -> "Reading":
        """The reading once it is known which of its sets find something: what they all do without is ignored."""
        if len(self.sets) == 1 or len(found) != 1:
            return self
        [place] = found
        kept = [part for index, part in enumerate(self.parts) if index != place]
        return reading_of([kept], kept, self.tokens)


def read(text: str, table: SynonymTable) -> Reading:
    """The first reading: every word but stop words, in its singular and plurals and with its synonyms.

    A search of stop words alone asks for them as they were typed.
    """
    chunks = searchable(text)
    if not chunks:
        return Reading(symbols=tuple(dict.fromkeys(text.replace("\0", " ").split())))
    tokens = tokens_of(chunks)
    phrases = list(phrases_of(tokens, table))
    counted = [phrase for phrase in phrases if not is_stop(phrase, tokens, table)] or phrases
    last = counted[-1][-1]
    parts = tuple(part_of(phrase, table, unfinished=phrase[-1] == last) for phrase in counted)
    chosen = dict.fromkeys(token.chunk for phrase in counted for token in phrase)
    reading = reading_of([parts], parts, tokens)
    return replace(reading, exact=all_of(as_typed([chunks[chunk] for chunk in chosen])))


def read_every_word(text: str) -> Reading:
    """The reading of `match=all`: every word as typed, stop words too, and nothing else."""
    chunks = searchable(text)
    if not chunks:
        return read(text, SynonymTable())
    terms = as_typed(chunks)
    words = tuple(token.typed.lower() for token in tokens_of(chunks))
    return Reading((side_by_side((term, (term.phrase,)) for term in terms),), all_of(terms), words)


def searchable(text: str) -> list[Word]:
    """The words that have a letter or digit, each once."""
    chunks: dict[Phrase, Word] = {}
    for word in typed_words(text):
        if word.parts:
            chunks.setdefault(word.parts, word)
    return list(chunks.values())


def as_typed(chunks: list[Word]) -> list[Term]:
    *whole, last = (chunk.parts for chunk in chunks)
    return [*map(Term, whole), Term(last, prefix=True)]


def tokens_of(chunks: list[Word]) -> tuple[Token, ...]:
    parts = [
        (part, chunk.stripped if len(chunk.parts) == 1 else part, index)
        for index, chunk in enumerate(chunks)
        for part in chunk.parts
    ]
    return tuple(Token(text, typed, place, chunk) for place, (text, typed, chunk) in enumerate(parts))


def phrases_of(tokens: tuple[Token, ...], table: SynonymTable) -> Iterator[tuple[Token, ...]]:
    """The tokens one by one, those together that are a phrase of the synonyms, the longest such."""
    place = 0
    while place < len(tokens):
        lengths = range(min(table.longest, len(tokens) - place), 1, -1)
        length = next((n for n in lengths if meanings(tokens[place : place + n], table)), 1)
        yield tokens[place : place + length]
        place += length


def is_stop(phrase: tuple[Token, ...], tokens: tuple[Token, ...], table: SynonymTable) -> bool:
    """Whether the words need not match; a word that staff listed must, and so must one within "ready-made"."""
    if len(phrase) > 1 or phrase[0].text in table:
        return False
    if is_possessive(phrase[0], tokens):
        return True
    chunk = (token for token in tokens if token.chunk == phrase[0].chunk)
    return all(token.text in STOP_WORDS or is_possessive(token, tokens) for token in chunk)


def is_possessive(token: Token, tokens: tuple[Token, ...]) -> bool:
    """Whether this is the s of "men's"."""
    return token.text == "s" and token.place > 0 and tokens[token.place - 1].chunk == token.chunk


def part_of(tokens: tuple[Token, ...], table: SynonymTable, *, unfinished: bool) -> Part:
    phrase = tuple(token.text for token in tokens)
    typed = word_by_word(phrase, unfinished=unfinished)
    # What the unfinished word is the beginning of is found already; asked for again, it would rank too high.
    again = [
        Term((other,)) for other in other_numbers(phrase[-1]) if unfinished and other.startswith(phrase[-1])
    ]
    node = any_of([typed, *(each for each in forms(phrase, table) if each not in again)])
    is_given = len(phrase) > 1 or phrase[0] in table
    return Part(tokens, typed, node, (phrase,), tuple(token.typed.lower() for token in tokens), is_given)


def word_by_word(phrase: Phrase, *, unfinished: bool = False) -> Node:
    """Every word of a phrase, in any order and place."""
    terms = [*(Term((word,)) for word in phrase[:-1]), Term(phrase[-1:], prefix=unfinished)]
    return side_by_side((term, (term.phrase,)) for term in terms)


def side_by_side(found: Iterable[tuple[Node, tuple[Phrase, ...]]]) -> Node:
    """All of some nodes, each with phrases that it finds. Two phrases side by side in one column rank higher.

    The last word counts as a whole word there: to look for each word that a short one begins takes too long.
    """
    pairs = list(dict(found).items())
    boosted = [
        Boosted(node, tuple(dict.fromkeys(one + other for one in phrases for other in following)))
        for (node, phrases), (_, following) in pairwise(pairs)
    ]
    return all_of([*boosted, pairs[-1][0]])


def forms(phrase: Phrase, table: SynonymTable) -> Iterator[Node]:
    """What else finds a word or phrase: its other number, and its synonyms, those of an adjective in any gender.

    The other number of a synonym is looked for in titles and attributes only: it is rare in stories, and what is
    rare ranks high. Adjectives are the words that are bound to a field, as those of colours are.
    """
    if len(phrase) == 1:
        yield from (Term((other,)) for other in other_numbers(phrase[0]))
    for each in numbers(phrase):
        for meaning in table.of(each):
            others = [other for found in meaning.phrases for other in numbers(found)]
            if meaning.field is None:
                yield from map(Term, meaning.phrases)
            yield Within(meaning.field or "", tuple(dict.fromkeys(others)))
    for each in genders(phrase):
        for meaning in table.of(each):
            if meaning.field:
                yield Within(meaning.field, meaning.phrases)


def genders(phrase: Phrase) -> list[Phrase]:
    return [(other,) for other in other_genders(phrase[0])] if len(phrase) == 1 else []


def numbers(phrase: Phrase) -> list[Phrase]:
    """The phrase, and with its last word in the other number."""
    return [phrase, *((*phrase[:-1], other) for other in other_numbers(phrase[-1]))]


def meanings(tokens: tuple[Token, ...], table: SynonymTable) -> bool:
    return any(table.of(each) for each in numbers(tuple(token.text for token in tokens)))


def reading_of(sets: Sequence[Sequence[Part]], parts: Sequence[Part], tokens: tuple[Token, ...]) -> Reading:
    """A reading of some parts of a search, all of them or in sets; it ignores all other tokens."""
    used = {token for part in parts for token in part.tokens}
    return Reading(
        sets=tuple(side_by_side((part.node, part.phrases) for part in each) for each in sets),
        exact=any_of(all_of(part.exact for part in each) for each in sets),
        words=tuple(dict.fromkeys(word for part in parts for word in part.words)),
        corrected=tuple((part.typed, " ".join(part.words)) for part in parts if part.corrected),
        ignored=tuple(token.typed for token in tokens if token not in used),
        parts=tuple(parts),
        tokens=tokens,
    )
