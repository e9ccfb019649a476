"""Reads what completions are made of: the values of facet fields, and titles with the words that were typed."""

from collections.abc import Mapping, Sequence
from heapq import nsmallest

from django.db import router

from accounts.models import User
from core import sql
from designs.completion import TITLE, Heard, Known, Lexicon, Texts, Typed
from designs.facets import LIVE_STATUSES, ValueCount
from designs.fields import Status
from designs.models import Design
from designs.search.expression import Term, all_of, any_of, expression

# What is kept of a field with more values: the commonest.
VALUES_MOST = 1000
# The designs found by their titles, the newest first, and the mistyped words that are looked for in place of one.
TITLES_MOST, NEAR_MOST = 100, 8
# The index of statuses and titles counts those of the newest designs that are found.
TITLES = """
    SELECT min(d.title COLLATE BINARY), count(*) FROM designs AS d
    WHERE d.status IN ({statuses}) AND d.title IN (
        SELECT t.title FROM designs_search AS s CROSS JOIN designs AS t ON t.id = s.rowid
        WHERE s.designs_search MATCH %s AND +t.status IN ({statuses}) ORDER BY s.rowid DESC LIMIT %s
    )
    GROUP BY d.title
"""


def values_by_words(facets: Mapping[str, Sequence[ValueCount]]) -> Texts:
    """The values of facet fields, by their words."""
    return Texts(
        Known(found["value"], field, found["count"])
        for field, counts in facets.items()
        for found in counts[:VALUES_MOST]
    )


def titles_of(user: User | None, typed: Typed, *lexicons: Lexicon) -> list[Known]:
    """Titles that may hold the typed words, or words near to them in `lexicons`, of designs that the user may see.

    Titles that differ in ASCII case only count as one, under the first of them in byte order.
    """
    sees_all = user is not None and user.is_admin
    statuses = ", ".join(f"'{status}'" for status in (LIVE_STATUSES if sees_all else (Status.PUBLISHED,)))
    parameters = [expression_of(typed, lexicons), TITLES_MOST]
    found = sql.rows(
        TITLES.format(statuses=statuses), parameters, router.db_for_read(Design, values_only=True)
    )
    return [Known(text, TITLE, count) for text, count in found]


def expression_of(typed: Typed, lexicons: Sequence[Lexicon]) -> str:
    """The search of the full-text index for such titles. `folded` holds words of other fields, too."""
    words = (
        any_of([Term((word.word,), begins), *(Term((other,)) for other in near(word, begins, lexicons))])
        for word, begins in typed.wanted
    )
    return f"{{title folded}} : ({expression(all_of(words), ())})"


def near(word: Heard, begins: bool, lexicons: Sequence[Lexicon]) -> list[str]:
    """The words that are looked for in place of a typed one, the nearest first."""
    found = (pair for lexicon in lexicons for pair in lexicon.near(word, begins=begins).items() if pair[1])
    return [other for other, _ in nsmallest(NEAR_MOST, found, key=lambda pair: (pair[1], pair[0]))]
