"""The filters of the admin's list of designs: what there is to choose, and how many designs each choice leaves."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from d1backend.gather import gather
from designs.facets import value_counts
from designs.models import FACET_FIELDS, Design, Status
from designs.queries import Wanted, spellings
from designs.search import unindexed, words_of

SHOWN = 20  # values of one attribute; the search finds the others
FLAGS = {"1": True, "0": False}

Counts = list[tuple[str, int]]


def wanted_by(request: HttpRequest) -> Wanted:
    """The designs that the list's address asks for."""
    sent = request.GET
    attributes = tuple((name, (sent[name],)) for name in FACET_FIELDS if name in sent)
    statuses = tuple(status for status in Status.values if status == sent.get("status"))
    featured = FLAGS.get(sent.get("featured", ""))
    return Wanted(attributes, featured, statuses, words=words_of(sent.get("q", "")))


def counts_for(request: HttpRequest) -> dict[str, Counts]:
    """For each filter its values with their counts, among what the other filters leave; one trip to D1."""
    wanted = wanted_by(request)
    by_status = replace(wanted, statuses=()).designs()
    by_featured = replace(wanted, featured=None).designs()
    statuses, featured, *attributes = gather(
        lambda: dict(counted(by_status, "status")),
        lambda: dict(counted(by_featured, "featured")),
        *(lambda name=name: value_counts(wanted.without(name).designs(), name) for name in FACET_FIELDS),
    )
    counts = {
        "status": [(status, statuses.get(status, 0)) for status in Status.values],
        "featured": [(text, featured.get(flag, 0)) for text, flag in FLAGS.items()],
    }
    for name, rows in zip(FACET_FIELDS, attributes, strict=True):
        counts[name] = [(row["value"], row["count"]) for row in rows]
    return counts


def counted(designs: QuerySet[Design], name: str) -> QuerySet[Any]:
    return designs.order_by().values_list(name).annotate(count=Count("*"))


class CountedFilter(admin.SimpleListFilter):
    """A filter whose choices come with the number of designs that they leave."""

    template = "admin/designs/design/counted_filter.html"
    labels: dict[str, str] = {}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        if not hasattr(request, "design_counts"):  # one reckoning for all the filters of a page
            request.design_counts = counts_for(request)  # type: ignore[attr-defined]
        self.counts: Counts = request.design_counts[self.parameter_name]  # type: ignore[attr-defined]
        return [(value, self.labels.get(value, value)) for value, _ in self.counts]

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: Any) -> Iterator[Any]:
        chosen, counts = self.value(), dict(self.counts)
        values = [value for value, _ in self.counts[:SHOWN]]
        if chosen is not None and chosen not in values:
            values.append(chosen)
        rows = [
            {
                "display": self.labels.get(value, value),
                "count": counts.get(value, 0),
                "selected": value == chosen,
                "query_string": changelist.get_query_string({self.parameter_name: value}),
            }
            for value in values
        ]
        yield {
            "rows": rows,
            "more": max(0, len(self.counts) - SHOWN),
            "is_active": chosen is not None,
            "clear": changelist.get_query_string(remove=[self.parameter_name]),
        }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Design]) -> QuerySet[Design]:
        value = self.value()
        if value is None:
            return queryset
        name = str(self.parameter_name)
        if name in FACET_FIELDS:
            condition: dict[str, Any] = {f"{name}__in": spellings((value,))}
        else:
            condition = {name: FLAGS.get(value) if name == "featured" else value}
        return queryset.filter(**(unindexed(condition) if request.GET.get("q") else condition))


def filters() -> list[type[CountedFilter]]:
    """One for the status, one for whether it is featured, and one for each attribute."""
    titles = {"status": "status", "featured": "featured"} | {
        name: name.replace("_name", "").replace("_", " ") for name in FACET_FIELDS
    }
    labels: dict[str, dict[str, str]] = {
        "status": {status.value: str(status.label) for status in Status},
        "featured": {"1": "Featured", "0": "Not featured"},
    }
    return [
        type(
            f"{name}_filter",
            (CountedFilter,),
            {"title": title, "parameter_name": name, "labels": labels.get(name, {})},
        )
        for name, title in titles.items()
    ]
