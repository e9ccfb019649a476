"""Synonyms that staff keep, as values: what else a word finds, and which words no correction may touch."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from designs.search.tokens import fold, split
from designs.search.vocabulary import Vocabulary

Phrase = tuple[str, ...]  # folded words, one after the other


class Kind(StrEnum):
    SAME = "same"  # all of them are one word in other spellings or languages: each finds the others
    MEANS = "means"  # the phrase also finds the words, which do not find it
    KEPT = "kept"  # a word of the trade that is never corrected


@dataclass(frozen=True)
class Synonym:
    """One entry of the list.

    `phrase` is one word or several ("daily wear"), and so is each of `words`; KEPT has none. `field` binds the
    words of MEANS to one column, so that they find nothing in a story; empty, they are looked for in the title and
    every attribute.
    """

    kind: Kind
    phrase: str
    field: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Meaning:
    """Phrases, any of which will do: anywhere (`field` is None), in the title and attributes (""), in one column."""

    field: str | None
    phrases: tuple[Phrase, ...]


class SynonymTable:
    """The list, ready to look up. Entries without a letter or digit in their phrase count for nothing."""

    def __init__(self, synonyms: Iterable[Synonym] = ()) -> None:
        self.kept: set[str] = set()
        found: dict[Phrase, dict[str | None, dict[Phrase, None]]] = defaultdict(lambda: defaultdict(dict))
        for synonym in synonyms:
            phrase = phrase_of(synonym.phrase)
            words = [each for each in map(phrase_of, synonym.words) if each]
            if synonym.kind is Kind.KEPT:
                self.kept.update(phrase)
            elif synonym.kind is Kind.MEANS:
                found[phrase][synonym.field].update(dict.fromkeys(words))
            else:
                group = dict.fromkeys(filter(None, (phrase, *words)))
                for one in group:
                    found[one][None].update(dict.fromkeys(each for each in group if each != one))
        found.pop((), None)
        self.meanings: dict[Phrase, tuple[Meaning, ...]] = {
            phrase: tuple(Meaning(field, tuple(phrases)) for field, phrases in by_field.items() if phrases)
            for phrase, by_field in found.items()
        }
        self.longest = max(map(len, self.meanings), default=0)

    def of(self, phrase: Phrase) -> tuple[Meaning, ...]:
        return self.meanings.get(phrase, ())

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The words that stand alone in the list: a spelling near to one of them is read as it."""
        alone = {phrase[0] for phrase in self.meanings if len(phrase) == 1}
        return Vocabulary((word, 1) for word in alone | self.kept)

    def __contains__(self, word: str) -> bool:
        """Whether a word alone is in the list, so that it needs no correction."""
        return word in self.kept or (word,) in self.meanings


NO_SYNONYMS = SynonymTable()


def phrase_of(text: str) -> Phrase:
    return split(fold(text))
