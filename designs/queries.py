"""Which designs a caller asks for, as a value that knows nothing of HTTP."""

import hashlib
from array import array
from collections.abc import Hashable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from django.db import router
from django.db.models import F, Model, QuerySet

from accounts.models import User
from core import sql
from designs.fields import LIVE, LIVE_STATUSES, Status, Values
from designs.models import Design
from designs.places import Follows, Part, columns_of
from designs.search import sql as search


class Sort(StrEnum):
    NEWEST = "newest"
    OLDEST = "oldest"
    POPULAR = "popular"
    MOST_VIEWED = "most_viewed"
    TITLE = "title"
    RELEVANCE = "relevance"


LARGEST_KEY = 4000  # bytes of a query
TEXT_BYTES = 50  # what a short text takes besides its characters
M = TypeVar("M", bound=Model)
R = TypeVar("R")


# The id makes each order total. All except the last come out of an index (Design.Meta).
ORDERS = {
    Sort.NEWEST: ("-created_at", "-id"),
    Sort.OLDEST: ("created_at", "id"),
    Sort.POPULAR: ("-like_count", "-id"),
    Sort.MOST_VIEWED: ("-view_count", "-id"),
    Sort.TITLE: ("title", "id"),
    Sort.RELEVANCE: ("search_row__rank", "-id"),
}


def for_values(designs: QuerySet[M, R]) -> QuerySet[M, R]:
    """The queryset, read where only values are asked for: no object that comes of it may be saved.

    The router notes the state of the copy that an object was read from, which takes a query.
    """
    return designs.using(router.db_for_read(designs.model, values_only=True))


def ids_found(designs: "QuerySet[Any, int]") -> "array[int]":
    """The ids that a query of ids finds, in its order: the ORM's work on each row costs as much as a search."""
    alias = router.db_for_read(designs.model, values_only=True)
    statement, parameters = designs.query.get_compiler(alias).as_sql()
    found = array("q")
    for part in sql.parts(statement, parameters, alias):
        found.extend([design_id for (design_id,) in part])
    return found


class Listed:
    """A list that has an order."""

    @property
    def order(self) -> tuple[str, str]:
        """The columns of the order; the second makes it total."""
        raise NotImplementedError

    @property
    def key(self) -> Hashable:
        """What stands for the query where answers are kept."""
        return self

    @property
    def has_index(self) -> bool:
        """Whether an index has the order, so that a place in it can be looked up."""
        return True

    def designs(self) -> QuerySet[Design]:
        """The designs in no order."""
        raise NotImplementedError

    def ordered(self) -> QuerySet[Design]:
        """The designs in their order."""
        return self.designs().order_by(*self.order)

    def keyed(self, part: Part) -> QuerySet[Design, tuple[Any, ...]]:
        """The ids of a part, and of one row more, each with its values of the columns of the order."""
        designs = self.ordered()
        if part.after is not None:
            designs = designs.filter(Follows(self.order, part.after.key))
        return designs.values_list("pk", *map(F, columns_of(self.order)))[part.start : part.stop + 1]


@dataclass(frozen=True)
class FavouritesQuery(Listed):
    """The designs that a user likes and may see, the newest favourite first."""

    user_id: int
    statuses: tuple[str, ...] = ()
    order = ("-liked_at", "-like")

    @property
    def sort(self) -> None:
        """Favourites have an order of their own."""

    @property
    def unsorted(self) -> "FavouritesQuery":
        return self

    def designs(self) -> QuerySet[Design]:
        liked = Design.objects.filter(favourites__user=self.user_id)
        liked = liked.alias(liked_at=F("favourites__created_at"), like=F("favourites__pk"))
        return liked.filter(status__in=self.statuses) if self.statuses else liked.filter(LIVE)


@dataclass(frozen=True)
class DesignQuery(Listed):
    """The filters, the search and the order of a list. By default every design outside the trash, newest first.

    A search is the `text` that was typed. How it is read depends on what the caller may see, the `visible` statuses,
    and not on the other filters; designs.readings gives the query the `words` to find.
    """

    attributes: tuple[tuple[str, tuple[str, ...]], ...] = ()
    featured: bool | None = None
    statuses: tuple[str, ...] = ()
    created_after: datetime | None = None
    created_before: datetime | None = None
    ids: tuple[int, ...] | None = None
    text: str = ""
    every_word: bool = False  # as typed, and nothing else
    visible: tuple[str, ...] = LIVE_STATUSES
    words: search.Words = search.NO_WORDS
    sort: Sort = Sort.NEWEST
    by_place: bool = False  # in the order that staff gave the featured designs

    @property
    def unsorted(self) -> "DesignQuery":
        """The same in the default order, which finds the same designs."""
        return replace(self, sort=Sort.NEWEST, by_place=False)

    @property
    def key(self) -> Hashable:
        """The query itself, or a digest of a large one, which would take more memory than the answer."""
        if self.size <= LARGEST_KEY:
            return self
        return hashlib.blake2b(repr(self).encode("utf-8", "surrogateescape"), digest_size=16).digest()

    @property
    def size(self) -> int:
        """About how many bytes its texts take."""
        words = self.words
        length = len(words.expression) + len(words.exact) + len(words.ranked)
        return length + sum(TEXT_BYTES + len(value) for _, values in self.attributes for value in values)

    @property
    def is_filtered(self) -> bool:
        """Whether anything but words and status narrows the list."""
        narrowed = (self.featured, self.created_after, self.created_before, self.ids)
        return bool(self.attributes) or any(value is not None for value in narrowed)

    def without(self, name: str) -> "DesignQuery":
        """The same without the filter of one facet field."""
        return replace(self, attributes=tuple(pair for pair in self.attributes if pair[0] != name))

    @property
    def is_search(self) -> bool:
        return bool(self.text or self.words.expression or self.words.symbols)

    @property
    def has_index(self) -> bool:
        return not (self.is_search or self.by_place)

    @property
    def is_narrow(self) -> bool:
        """Whether there is a filter or a search besides the status."""
        return self.unsorted != DesignQuery(statuses=self.statuses, visible=self.visible)

    @property
    def is_ranked(self) -> bool:
        """Whether the order is that of relevance, which takes words to rank by."""
        return self.sort is Sort.RELEVANCE and bool(self.words.expression)

    def conditions(self) -> Values:
        """The filters as lookups of Design."""
        lookups: Values = {f"{name}__in": spellings(values) for name, values in self.attributes}
        if self.statuses:
            lookups["status__in"] = self.statuses
        if self.featured is not None:
            lookups["featured"] = self.featured
        if self.created_after:
            lookups["created_at__gte"] = self.created_after
        if self.created_before:
            lookups["created_at__lt"] = self.created_before
        return lookups

    @property
    def order(self) -> tuple[str, str]:
        by_default = self.sort is Sort.RELEVANCE and not self.is_ranked
        return ORDERS[Sort.NEWEST if by_default else self.sort]

    def ordered(self) -> QuerySet[Design]:
        if self.by_place:
            return self.designs().order_by(F("featured_place").asc(nulls_last=True), *self.order)
        if self.words.exact:
            return self.designs().order_by(search.comes_first(self.words).desc(), *self.order)
        return super().ordered()

    def designs(self) -> QuerySet[Design]:
        if self.text and self.words is search.NO_WORDS:
            raise ValueError("Read the search first: designs.readings gives the query its words.")
        conditions = self.conditions()
        if self.ids is not None:
            # SQLite would take an index for narrower than a hundred ids.
            conditions = search.unindexed(conditions) | {"pk__in": self.ids}
        found = Design.objects.all() if self.statuses else Design.objects.filter(LIVE)
        if not self.words.expression:
            designs = found.filter(**conditions)
            return search.holding(designs, self.words.symbols) if self.is_search else designs
        narrowed = found.filter(**search.unindexed(conditions))
        return search.matching(narrowed, self.words, ranked=self.is_ranked)


def restrict_to_visible(user: User | None, query: DesignQuery) -> DesignQuery:
    """The query, of which all but admins see published designs only; admins see the trash where they ask for it."""
    if user is not None and user.is_admin:
        asks_for_trash = Status.DELETED in query.statuses
        return replace(query, visible=tuple(Status) if asks_for_trash else LIVE_STATUSES)
    return replace(query, statuses=(Status.PUBLISHED,), visible=(Status.PUBLISHED,))


def featured_query() -> DesignQuery:
    """Featured, published designs in the order that staff gave them, the others newest first."""
    return DesignQuery(featured=True, statuses=(Status.PUBLISHED,), by_place=True)


def favourites_query(user: User) -> FavouritesQuery:
    """What the user likes and may see, the newest favourite first."""
    return FavouritesQuery(user.pk, () if user.is_admin else (Status.PUBLISHED,))


def spellings(values: tuple[str, ...]) -> list[str]:
    """The values in each case they may be stored in: NOCASE ignores ASCII case, these are other scripts' cases."""
    found: dict[str, None] = {}
    for value in values:
        found[value] = None
        if not value.isascii():
            found |= dict.fromkeys((value.lower(), value.upper(), value.title(), value.capitalize()))
    return list(found)
