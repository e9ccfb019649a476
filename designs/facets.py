"""How many designs there are of each value of each attribute."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db.models import Count, F, Min, QuerySet
from django.db.models.functions import Collate

from d1backend import gather
from designs import catalogue
from designs.catalogue import Stamp
from designs.models import FACET_FIELDS, Design
from designs.queries import Wanted

Counts = list[dict[str, Any]]


def value_counts(designs: QuerySet[Design], name: str) -> Counts:
    """[{"value", "count"}, …] of one attribute: counts fall, then values rise, empty values are left out.

    Spellings that differ in ASCII case alone count as one, under the first of them in byte order.
    """
    merged = (
        designs.order_by()
        .exclude(**{name: ""})
        .values(name)
        .annotate(value=Min(Collate(F(name), "BINARY")), count=Count("*"))
        .order_by("-count", name)
        .values_list("value", "count")
    )
    return [{"value": value, "count": count} for value, count in merged]


def facets(wanted: Wanted, stamp: Stamp | None) -> dict[str, Any]:
    """`{"total", "facets": {field: counts}}` of what is asked for.

    The filter of a field does not narrow the counts of that field.
    """
    seen = wanted.unsorted
    if stamp is None:
        return counted(seen)
    return catalogue.small.answer(stamp.listing, ("facets", seen), lambda: counted(seen))


def counted(seen: Wanted) -> dict[str, Any]:
    asks: list[Callable[[], Any]] = [
        partial(value_counts, seen.without(name).designs(), name) for name in FACET_FIELDS
    ]
    total, *counts = gather(seen.designs().count, *asks)
    return {"total": total, "facets": dict(zip(FACET_FIELDS, counts, strict=True))}
