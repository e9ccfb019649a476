"""Reads what completions are made of: the values of facet fields, and titles with the words that were typed."""

from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Count, F, Min, QuerySet
from django.db.models.functions import Collate

from accounts.models import User
from designs.completion import TITLE, Known, Lexicon, Texts, Typed
from designs.facets import LIVE_STATUSES, ValueCount
from designs.fields import Status
from designs.models import Design
from designs.search.sql import quoted

# What is kept of a field with more values: the commonest.
VALUES_MOST = 2000
# The designs found by their titles, the newest first, and the mistyped words that are looked for in place of one.
TITLES_MOST, NEAR_MOST = 200, 8


def values_by_words(facets: Mapping[str, Sequence[ValueCount]]) -> Texts:
    """The values of facet fields, by their words."""
    return Texts(
        Known(found["value"], field, found["count"])
        for field, counts in facets.items()
        for found in counts[:VALUES_MOST]
    )


def titles_of(user: User | None, typed: Typed, lexicons: Iterable[Lexicon] = ()) -> list[Known]:
    """Titles that may hold the typed words, or words near to them in `lexicons`, of designs that the user may see.

    Titles that differ in ASCII case only count as one, under the first of them in byte order.
    """
    sees_all = user is not None and user.is_admin
    statuses = LIVE_STATUSES if sees_all else (Status.PUBLISHED,)
    counts = (
        Design.objects.filter(status__in=statuses, title__in=titles_holding(typed, lexicons, statuses))
        .order_by()
        .values(grouped=F("title"))
        .annotate(text=Min(Collate(F("title"), "BINARY")), count=Count("*"))
        .values_list("text", "count")
    )
    return [Known(text, TITLE, count) for text, count in counts]


def titles_holding(
    typed: Typed, lexicons: Iterable[Lexicon], statuses: Sequence[Status]
) -> "QuerySet[Design, str]":
    """The titles of some designs that may hold the typed words."""
    found = Design.objects.filter(
        search_row__matches=expression_of(typed, lexicons), status__unindexed__in=statuses
    )
    return found.order_by("-search_row__design_id").values_list("title", flat=True)[:TITLES_MOST]


def expression_of(typed: Typed, lexicons: Iterable[Lexicon]) -> str:
    """The search of the full-text index for titles that may hold the typed words."""
    terms = []
    for word, begins in typed.wanted:
        near: dict[str, int] = {}
        for lexicon in lexicons:
            near |= lexicon.near(word, begins=begins)
        nearest = sorted((distance, other) for other, distance in near.items() if distance)[:NEAR_MOST]
        strings = [quoted(word.word) + "*" * begins, *(quoted(other) for _, other in nearest)]
        terms.append(f"({' OR '.join(strings)})")
    return f"{{title folded}} : ({' AND '.join(terms)})"
