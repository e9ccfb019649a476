"""How many designs there are of each value of each attribute."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import islice
from typing import Any

from django.db.models import Count, F, Min, QuerySet
from django.db.models.functions import Collate

from d1backend import gather
from designs import catalogue
from designs.catalogue import Stamp
from designs.models import FACET_FIELDS, Design
from designs.queries import Wanted

Counts = list[dict[str, Any]]


def value_counts(designs: QuerySet[Design], name: str, *, narrow: bool = False) -> Counts:
    """[{"value", "count"}, …] of one attribute: counts fall, then values rise, empty values are left out.

    Spellings that differ in ASCII case alone count as one, under the first of them in byte order.
    `narrow`: `designs` has filters, so that it is not worth to walk through the whole index of the attribute, as
    SQLite does to group by a bare column.
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


def facets(wanted: Wanted, stamp: Stamp | None) -> dict[str, Any]:
    """`{"total", "facets": {field: counts}}` of what is asked for.

    The filter of a field does not narrow the counts of that field.
    """
    seen = wanted.unsorted
    if stamp is None:
        return by_groups(seen)
    count = by_rows if seen.is_narrow else by_groups
    return catalogue.facets.answer(stamp.listing, seen, lambda: count(seen))


def counts_of(found: Wanted, name: str) -> Counts:
    return value_counts(found.designs(), name, narrow=found.is_narrow)


def by_groups(seen: Wanted) -> dict[str, Any]:
    """The facets by a GROUP BY for each field, in one round trip. Without filters each reads an index alone."""
    asks: list[Callable[[], Any]] = [partial(counts_of, seen.without(name), name) for name in FACET_FIELDS]
    total, *counts = gather(seen.designs().count, *asks)
    return {"total": total, "facets": dict(zip(FACET_FIELDS, counts, strict=True))}


def by_rows(seen: Wanted) -> dict[str, Any]:
    """The same by reading once what is found, for all fields but those with a filter of their own."""
    filtered = [name for name, _ in seen.attributes]
    others = [name for name in FACET_FIELDS if name not in filtered]
    total, tallies = tally(seen, others)
    counts = {name: merged(tallied) for name, tallied in tallies.items()}
    counts |= {name: counts_of(seen.without(name), name) for name in filtered}
    return {"total": total, "facets": {name: counts[name] for name in FACET_FIELDS}}


def tally(found: Wanted, names: list[str]) -> tuple[int, dict[str, Counter[str]]]:
    """How many designs are found, and how many have each value of each of these attributes."""
    rows = found.designs().values_list("pk", *names).iterator(chunk_size=2000)
    total, tallies = 0, [Counter[str]() for _ in names]
    while part := list(islice(rows, 2000)):
        total += len(part)
        for counter, values in zip(tallies, list(zip(*part, strict=True))[1:], strict=True):
            counter.update(values)
    return total, dict(zip(names, tallies, strict=True))


def merged(tallied: Counter[str]) -> Counts:
    """As value_counts: bytes know lower case of ASCII alone, as NOCASE does."""
    found: dict[bytes, tuple[str, int]] = {}
    for value, count in tallied.items():
        if value:
            key = value.encode().lower()
            first, before = found.get(key, (value, 0))
            found[key] = (min(first, value), before + count)
    ordered = sorted(found.items(), key=lambda pair: (-pair[1][1], pair[0]))
    return [{"value": value, "count": count} for _, (value, count) in ordered]
