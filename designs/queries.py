"""Which designs a caller asks for, as a value: what the API's query string, and nothing of HTTP, says."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import QuerySet

from designs import search
from designs.models import Design


class Sort(StrEnum):
    NEWEST = "newest"
    OLDEST = "oldest"
    POPULAR = "popular"
    MOST_VIEWED = "most_viewed"
    TITLE = "title"
    RELEVANCE = "relevance"


# Each is total by its id, and all but the last come out of an index (Design.Meta).
ORDERS = {
    Sort.NEWEST: ("-created_at", "-id"),
    Sort.OLDEST: ("created_at", "id"),
    Sort.POPULAR: ("-like_count", "-id"),
    Sort.MOST_VIEWED: ("-view_count", "-id"),
    Sort.TITLE: ("title", "id"),
    Sort.RELEVANCE: ("search_row__rank", "-id"),
}


@dataclass(frozen=True)
class Liked:
    """The designs that a user likes and may see, the newest favourite first."""

    user_id: int
    statuses: tuple[str, ...] = ()

    @property
    def sort(self) -> None:
        """None of Sort's."""

    @property
    def unsorted(self) -> "Liked":
        return self

    def designs(self) -> QuerySet[Design]:
        liked = Design.objects.filter(favourites__user=self.user_id)
        return liked.filter(status__in=self.statuses) if self.statuses else liked

    def ordered(self) -> QuerySet[Design]:
        return self.designs().order_by("-favourites__created_at", "-favourites__id")


@dataclass(frozen=True)
class Wanted:
    """The filters, the search and the order of a list; an empty one wants every design, newest first."""

    attributes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    featured: bool | None = None
    statuses: tuple[str, ...] = ()
    created_after: datetime | None = None
    created_before: datetime | None = None
    words: search.Words = field(default_factory=lambda: search.Words("", ()))
    sort: Sort = Sort.NEWEST

    @property
    def unsorted(self) -> "Wanted":
        """The same in the default order: as many are found."""
        return replace(self, sort=Sort.NEWEST)

    def without(self, name: str) -> "Wanted":
        """The same without the filter of one attribute."""
        return replace(self, attributes=tuple(pair for pair in self.attributes if pair[0] != name))

    @property
    def is_narrow(self) -> bool:
        """Whether anything but the status says which designs are wanted."""
        return self.unsorted != Wanted(statuses=self.statuses)

    @property
    def is_ranked(self) -> bool:
        """Whether the order is that of relevance; without words to rank by there is none."""
        return self.sort is Sort.RELEVANCE and bool(self.words.expression)

    def conditions(self) -> dict[str, Any]:
        """The filters as lookups of designs."""
        wanted: dict[str, Any] = {f"{name}__in": spellings(values) for name, values in self.attributes}
        if self.statuses:
            wanted["status__in"] = self.statuses
        if self.featured is not None:
            wanted["featured"] = self.featured
        if self.created_after:
            wanted["created_at__gte"] = self.created_after
        if self.created_before:
            wanted["created_at__lt"] = self.created_before
        return wanted

    def designs(self) -> QuerySet[Design]:
        """The designs that are wanted, in no order."""
        if not self.words.expression:
            return search.holding(Design.objects.filter(**self.conditions()), self.words.symbols)
        narrowed = Design.objects.filter(**search.unindexed(self.conditions()))
        return search.matching(narrowed, self.words, ranked=self.is_ranked)

    def ordered(self) -> QuerySet[Design]:
        """The designs that are wanted, in the wanted order."""
        by_default = self.sort is Sort.RELEVANCE and not self.is_ranked
        return self.designs().order_by(*ORDERS[Sort.NEWEST if by_default else self.sort])


def spellings(values: tuple[str, ...]) -> list[str]:
    """The values as they may be stored: the columns are blind to ASCII case, these are the other scripts'."""
    found: dict[str, None] = {}
    for value in values:
        found[value] = None
        if not value.isascii():
            found |= dict.fromkeys((value.lower(), value.upper(), value.title(), value.capitalize()))
    return list(found)
