"""A search in the database: the designs that a reading finds."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import (
    BigAutoField,
    BooleanField,
    CharField,
    DateTimeField,
    ExpressionWrapper,
    Func,
    Q,
    QuerySet,
    TextField,
    Transform,
    Value,
)

from designs.fields import FACET_FIELDS, SEARCH_WEIGHTS, Values
from designs.models import Design, SearchRow
from designs.search.expression import expression
from designs.search.reading import Reading

# The columns of the title and the attributes, as synonyms may name them.
NAMED = ("title", *FACET_FIELDS)


@dataclass(frozen=True)
class Words:
    """What a search asks the database for: an FTS5 expression, or else words that have no letter or digit.

    Where `exact` is given, an expression too, what it finds comes before the rest of what `expression` finds. `ranked`
    finds the same as `expression`, in another order of relevance; it is given where that order differs.
    """

    expression: str
    symbols: tuple[str, ...]
    exact: str = ""
    ranked: str = ""


# The index first: SQLite would look each design up in it.
FINDS = (
    "EXISTS (SELECT 1 FROM designs_search AS s CROSS JOIN designs AS d ON d.id = s.rowid "
    "WHERE s.designs_search MATCH {matching} AND +d.status IN ({statuses}))"
)
NO_WORDS = Words("", ())


def words_by(reading: Reading) -> Words:
    """What a reading asks for. A word is a quoted FTS5 string in it, never syntax."""
    if reading.node is None:
        return Words("", reading.symbols)
    asked = expression(reading.node, NAMED)
    exact = expression(reading.exact, NAMED) if reading.exact else asked
    ranked = expression(reading.node, NAMED, ranked=True)
    return Words(asked, (), "" if exact == asked else exact, "" if ranked == asked else ranked)


def finds(matching: str, statuses: Iterable[str]) -> str:
    """The condition in SQL that an expression, as `matching` says it, finds a design with one of these statuses."""
    listed = ", ".join(f"'{status}'" for status in statuses)
    return FINDS.format(matching=matching, statuses=listed)


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


def comes_first(words: Words) -> ExpressionWrapper:
    """Whether a design is one of those that come first."""
    exact = SearchRow.objects.filter(matches=words.exact).values("pk")
    return ExpressionWrapper(Q(pk__in=exact), output_field=BooleanField())


def matching(designs: QuerySet[Design], words: Words, *, ranked: bool = False) -> QuerySet[Design]:
    """The designs in which the words are found.

    `ranked` joins them to the full-text index, so they can be ordered by its rank. Filter `designs` by `unindexed`
    conditions only.
    """
    if ranked:
        return designs.filter(search_row__matches=words.ranked or words.expression)
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
