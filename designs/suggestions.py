"""Reads what completions are made of: the values of facet fields, and titles with the words that were typed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from django.db import router

from accounts.models import User
from core import sql
from d1backend import gather
from designs.completion import MOST, TITLE, Heard, Known, Suggestion, Texts, Typed, best
from designs.facets import ValueCount, value_counts_of
from designs.fields import FACET_FIELDS
from designs.models import Design
from designs.queries import DesignQuery, restrict_to_visible
from designs.search.expression import Term, all_of, any_of, expression
from designs.search.vocabulary import Vocabulary

# What is kept of a field with more values: the commonest.
VALUES_MOST = 1000
# The designs found by their titles, the newest first, and the mistyped words that are looked for in place of one.
TITLES_MOST, NEAR_MOST = 100, 8
CORRECTED_MOST = 8  # words; more are only looked for as typed
# The index of statuses and titles counts those of the newest designs that are found.
TITLES = """
    SELECT min(d.title COLLATE BINARY), count(*) FROM designs AS d
    WHERE d.status IN ({statuses}) AND d.title IN (
        SELECT t.title FROM designs_search AS s CROSS JOIN designs AS t ON t.id = s.rowid
        WHERE s.designs_search MATCH %s AND +t.status IN ({statuses}) ORDER BY s.rowid DESC LIMIT %s
    )
    GROUP BY d.title
"""


Near = Callable[[Heard, bool], Iterable[str]]  # words in place of a typed one, which may be unfinished


def suggestions_read(user: User | None, typed: Typed) -> list[Suggestion]:
    """What completes the words, of designs that the user may see, in one round trip. Of titles just the exact ones."""
    query = restrict_to_visible(user, DesignQuery())
    counting: list[Callable[[], Any]] = [partial(value_counts_of, query, name) for name in FACET_FIELDS]
    titles, *counts = gather(partial(titles_of, typed, query), *counting)
    values = values_by_words(dict(zip(FACET_FIELDS, counts, strict=True)))
    return best([*values.complete(typed), *Texts(titles).complete(typed)])


def suggestions_among(
    values: Texts, typed: Typed, query: DesignQuery, vocabulary: Callable[[], Vocabulary]
) -> list[Suggestion]:
    """What completes the words, of known values, and of the titles of designs that a query finds.

    Mistyped words, which the vocabulary knows of titles, are looked for only where there are few exact ones.
    """
    titles = Texts(titles_of(typed, query))
    found = best([*values.complete(typed, exactly=True), *titles.complete(typed, exactly=True)])
    if len(found) == MOST or len(typed.words) > CORRECTED_MOST:
        return found

    def near(word: Heard, begins: bool) -> Iterable[str]:
        distances = values.lexicon.near(word, begins=begins)
        nearest = sorted((distance, other) for other, distance in distances.items() if distance)
        likeliest = vocabulary().nearest(word.typed, unfinished=begins)
        return dict.fromkeys(
            (
                *(likeliest.words if likeliest else ())[:NEAR_MOST],
                *(other for _, other in nearest[:NEAR_MOST]),
            )
        )

    titles = Texts(titles_of(typed, query, near))
    return best([*values.complete(typed), *titles.complete(typed)])


def values_by_words(facets: Mapping[str, Sequence[ValueCount]]) -> Texts:
    """The values of facet fields, by their words."""
    return Texts(
        Known(found["value"], field, found["count"])
        for field, counts in facets.items()
        for found in counts[:VALUES_MOST]
    )


def titles_of(typed: Typed, query: DesignQuery, near: Near = lambda word, begins: ()) -> list[Known]:
    """Titles that may hold the typed words, or words `near` to them, of designs that the caller of a query may see.

    Titles that differ in ASCII case only count as one, under the first of them in byte order.
    """
    statuses = ", ".join(f"'{status}'" for status in query.visible)
    parameters = [expression_of(typed, near), TITLES_MOST]
    found = sql.rows(
        TITLES.format(statuses=statuses), parameters, router.db_for_read(Design, values_only=True)
    )
    return [Known(text, TITLE, count) for text, count in found]


def expression_of(typed: Typed, near: Near) -> str:
    """The search of the full-text index for such titles. `folded` holds words of other fields, too."""
    words = (
        any_of([Term((word.word,), begins), *(Term((other,)) for other in near(word, begins))])
        for word, begins in typed.wanted
    )
    return f"{{title folded}} : ({expression(all_of(words), ())})"
