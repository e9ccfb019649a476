"""From what a person types to a full-text search: their words are text, never FTS5 syntax."""

import json
from dataclasses import dataclass

from django.db.models import (
    BigAutoField,
    BooleanField,
    CharField,
    DateTimeField,
    Func,
    QuerySet,
    TextField,
    Transform,
    Value,
)

from designs.fields import SEARCH_WEIGHTS, Values
from designs.models import Design, SearchRow
from designs.search.tokens import typed_words


@dataclass(frozen=True)
class Words:
    """A parsed search: an FTS5 expression, or else the words that have no letter or digit."""

    expression: str
    symbols: tuple[str, ...]


NO_WORDS = Words("", ())


def words_of(text: str) -> Words:
    """The search for every word of `text`, the last one as the beginning of a word.

    A word becomes a quoted FTS5 string, which may hold anything once its quotes are doubled
    (https://sqlite.org/fts5.html, section 3.1). Words without any token ("%", "***", an emoji) count only if there
    are no others, and must be found letter for letter then.
    """
    words = typed_words(text)
    searchable = list(dict.fromkeys(word.text for word in words if word.parts))
    if not searchable:
        return Words("", tuple(dict.fromkeys(word.typed for word in words)))
    *whole, last = searchable
    return Words(" AND ".join([*map(quoted, whole), f"{quoted(last)}*"]), ())


def quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'


class Lines(Func):
    """Texts, none of them null, joined by line breaks."""

    # Not Concat, whose nested pairs overflow SQLite's parser at ten columns.
    template = "%(expressions)s"
    arg_joiner = " || char(10) || "
    output_field = TextField()


class HoldsAll(Func):
    """Whether a text holds every string of a JSON list, letter for letter."""

    arity = 2
    arg_joiner = ") AS word WHERE instr("
    template = "(NOT EXISTS (SELECT 1 FROM json_each(%(expressions)s, word.value) = 0))"
    output_field = BooleanField()


def holding(designs: QuerySet[Design], symbols: tuple[str, ...]) -> QuerySet[Design]:
    """The designs whose text holds every symbol."""
    if not symbols:
        return designs
    # One JSON text for all symbols: D1 limits the depth of an expression to 100.
    return designs.filter(HoldsAll(Value(json.dumps(symbols)), Lines(*SEARCH_WEIGHTS)))


def matching(designs: QuerySet[Design], words: Words, *, ranked: bool = False) -> QuerySet[Design]:
    """The designs in which the words are found.

    `ranked` joins them to the full-text index, so they can be ordered by its rank. Filter `designs` by `unindexed`
    conditions only.
    """
    if ranked:
        return designs.filter(search_row__matches=words.expression)
    if words.expression:
        return designs.filter(pk__in=SearchRow.objects.filter(matches=words.expression).values("pk"))
    return holding(designs, words.symbols)


@BigAutoField.register_lookup
@CharField.register_lookup
@BooleanField.register_lookup
@DateTimeField.register_lookup
class Unindexed(Transform):
    """A column that SQLite does not look up in an index (https://sqlite.org/optoverview.html, section 4)."""

    lookup_name = "unindexed"
    template = "+%(expressions)s"
    arity = 1


def unindexed(conditions: Values) -> Values:
    """The same conditions in a form that uses no index.

    SQLite prefers any index of designs to the full-text search, and then repeats the search for each design in the
    index: 4 s, instead of 5 ms for the search first and the conditions after it.
    """
    parts = (name.replace("__unindexed", "").partition("__") for name in conditions)
    names = [f"{column}__unindexed__{lookup or 'exact'}" for column, _, lookup in parts]
    return dict(zip(names, conditions.values(), strict=True))
