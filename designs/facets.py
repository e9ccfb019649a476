"""The number of designs with each value of each facet field."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import TypedDict

from django.db.models import Count, F, Min, QuerySet
from django.db.models.functions import Collate

from d1backend import gather
from designs.facet_columns import FacetColumns, all_of
from designs.fields import FACET_FIELDS, LIVE_STATUSES
from designs.models import Design, SearchRow
from designs.queries import DesignQuery, ids_found, spellings

columns = FacetColumns()


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


# All ways to count give the same facets, in which the filter of a field does not narrow its own counts.


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


def facets_by_columns(query: DesignQuery, version: str = "") -> Facets:
    """Count in the columns that this process holds; the database finds the designs of a search or a time.

    `version` is the `listing` that the facets are for. Raises TooSparse.
    """
    found = found_ids(query)
    with columns.lock:
        columns.refresh(version)
        size = len(columns.statuses)
        chosen = [columns.of_statuses(query.statuses or LIVE_STATUSES)]
        chosen += [columns.of_ids(ids) for ids in (found, query.ids) if ids is not None]
        if query.featured is not None:
            chosen.append(columns.of_featured(query.featured))
        common = all_of(chosen, size)
        wanted = {name: columns.columns[name].choose(is_one_of(values)) for name, values in query.attributes}
        every = all_of([common, *wanted.values()], size)
        tallies = {}
        for name in FACET_FIELDS:
            others = [flags for field, flags in wanted.items() if field != name]
            tallies[name] = columns.columns[name].counts(
                all_of([common, *others], size) if name in wanted else every
            )
    counts = {name: merge_spellings(tallied) for name, tallied in tallies.items()}
    return {"total": every.count(1), "facets": counts}


def found_ids(query: DesignQuery) -> Sequence[int] | None:
    """The ids of what the search and the times of a query find, whatever else it asks for; None if it has neither."""
    asked = replace(query, attributes=(), featured=None, ids=None)
    if not (asked.is_search or asked.created_after or asked.created_before):
        return None
    if asked.words.expression and not (asked.created_after or asked.created_before):
        return ids_found(
            SearchRow.objects.filter(matches=asked.words.expression).values_list("pk", flat=True)
        )
    return ids_found(asked.designs().values_list("pk", flat=True))


def is_one_of(values: tuple[str, ...]) -> Callable[[str], bool]:
    """Whether a text equals one of these values, as a filter compares them."""
    wanted = {as_compared(value) for value in spellings(values)}
    return lambda text: as_compared(text) in wanted


def as_compared(text: str) -> bytes:
    """A text as NOCASE compares it: bytes have lower case for ASCII only."""
    return text.encode().lower()


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
    """The counts as value_counts orders them."""
    found: dict[bytes, tuple[str, int]] = {}
    for value, count in tallied.items():
        if value:
            key = as_compared(value)
            first, before = found.get(key, (value, 0))
            found[key] = (min(first, value), before + count)
    ordered = sorted(found.items(), key=lambda pair: (-pair[1][1], pair[0]))
    return [{"value": value, "count": count} for _, (value, count) in ordered]
