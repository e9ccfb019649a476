"""The number of designs with each value of each facet field."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import TypedDict

from django.db.models import Count, F, Min, QuerySet
from django.db.models.functions import Collate

from d1backend import gather
from designs.fields import FACET_FIELDS
from designs.models import Design
from designs.queries import DesignQuery


class ValueCount(TypedDict):
    value: str
    count: int


class Facets(TypedDict):
    """The facets of a query: `total` designs, and the counts of each field."""

    total: int
    facets: dict[str, list[ValueCount]]


def value_counts(designs: QuerySet[Design], name: str, *, narrow: bool = False) -> list[ValueCount]:
    """The values of one facet field: counts fall, then values rise, and the empty value is left out.

    Spellings that differ in ASCII case only count as one, under the first of them in byte order.
    `narrow`: `designs` has filters, so it does not pay to walk the whole index of the field, as SQLite does to group
    by a bare column.
    """
    column = f"{name}__unindexed" if narrow else name
    groups = (
        designs.order_by()
        .exclude(**{name: ""})
        .values(grouped=F(column))
        .annotate(value=Min(Collate(F(name), "BINARY")), count=Count("*"))
        .order_by("-count", "grouped")
        .values_list("value", "count")
    )
    return [{"value": value, "count": count} for value, count in groups]


def value_counts_of(query: DesignQuery, name: str) -> list[ValueCount]:
    """value_counts of the designs that a query finds."""
    return value_counts(query.designs(), name, narrow=query.is_narrow)


# Both ways to count give the same facets, in which the filter of a field does not narrow its own counts.


def facets_by_groups(query: DesignQuery) -> Facets:
    """Count by a GROUP BY for each field, in one round trip. Without filters each reads only an index."""
    counting: list[Callable[[], list[ValueCount]]] = [
        partial(value_counts_of, query.without(name), name) for name in FACET_FIELDS
    ]
    total, *counts = gather(query.designs().count, *counting)
    return {"total": total, "facets": dict(zip(FACET_FIELDS, counts, strict=True))}


def facets_by_rows(query: DesignQuery) -> Facets:
    """Count by reading the designs once, for all fields without a filter of their own."""
    filtered = [name for name, _ in query.attributes]
    total, tallies = tally(query, [name for name in FACET_FIELDS if name not in filtered])
    counts = {name: merge_spellings(tallied) for name, tallied in tallies.items()}
    counts |= {name: value_counts_of(query.without(name), name) for name in filtered}
    return {"total": total, "facets": {name: counts[name] for name in FACET_FIELDS}}


def tally(query: DesignQuery, names: list[str]) -> tuple[int, dict[str, Counter[str]]]:
    """The number of designs that the query finds, and of each value of these fields among them."""
    rows = query.designs().values_list("pk", *names).iterator(chunk_size=2000)
    total, tallies = 0, [Counter[str]() for _ in names]
    while part := list(islice(rows, 2000)):
        total += len(part)
        for counter, values in zip(tallies, list(zip(*part, strict=True))[1:], strict=True):
            counter.update(values)
    return total, dict(zip(names, tallies, strict=True))


def merge_spellings(tallied: Counter[str]) -> list[ValueCount]:
    """The counts as value_counts orders them. Bytes have lower case for ASCII only, as NOCASE does."""
    found: dict[bytes, tuple[str, int]] = {}
    for value, count in tallied.items():
        if value:
            key = value.encode().lower()
            first, before = found.get(key, (value, 0))
            found[key] = (min(first, value), before + count)
    ordered = sorted(found.items(), key=lambda pair: (-pair[1][1], pair[0]))
    return [{"value": value, "count": count} for _, (value, count) in ordered]
