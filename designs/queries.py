"""Which designs a caller asks for, as a value: what the API's query string, and nothing of HTTP, says."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

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
class Wanted:
    """The filters, the search and the order of a list; an empty one wants every design, newest first."""

    attributes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    featured: bool | None = None
    statuses: tuple[str, ...] = ()
    created_after: datetime | None = None
    created_before: datetime | None = None
    words: search.Words = field(default_factory=lambda: search.Words("", ()))
    sort: Sort = Sort.NEWEST

    def without(self, name: str) -> "Wanted":
        """The same without the filter of one attribute."""
        return replace(self, attributes=tuple(pair for pair in self.attributes if pair[0] != name))

    def filter(self, designs: QuerySet[Design]) -> QuerySet[Design]:
        """Those of `designs` that are wanted, in no order."""
        for name, values in self.attributes:
            designs = designs.filter(**{f"{name}__in": spellings(values)})
        if self.featured is not None:
            designs = designs.filter(featured=self.featured)
        if self.statuses:
            designs = designs.filter(status__in=self.statuses)
        if self.created_after:
            designs = designs.filter(created_at__gte=self.created_after)
        if self.created_before:
            designs = designs.filter(created_at__lt=self.created_before)
        return search.matching(designs, self.words)

    def order(self, designs: QuerySet[Design]) -> QuerySet[Design]:
        """`designs` in the wanted order; relevance without words to find is newest."""
        by_rank = self.sort is Sort.RELEVANCE and not self.words.expression
        return designs.order_by(*ORDERS[Sort.NEWEST if by_rank else self.sort])


def spellings(values: tuple[str, ...]) -> list[str]:
    """The values as they may be stored: the columns are blind to ASCII case, these are the other scripts'."""
    found: dict[str, None] = {}
    for value in values:
        found[value] = None
        if not value.isascii():
            found |= dict.fromkeys((value.lower(), value.upper(), value.title(), value.capitalize()))
    return list(found)
