"""The filters of the admin's list of designs: what there is to choose, and how many designs each choice leaves.

The counts look at every design, so they are reckoned when somebody opens the filters, not with each list.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from d1backend.gather import gather
from designs.facets import value_counts_of
from designs.fields import FACET_FIELDS, Status
from designs.models import Design
from designs.queries import DesignQuery, spellings
from designs.search import unindexed, words_of

SHOWN = 20  # values of one attribute; the search finds the others
FLAGS = {"1": True, "0": False}
TITLES = {"status": "status", "featured": "featured"} | {
    name: name.replace("_name", "").replace("_", " ") for name in FACET_FIELDS
}
LABELS: dict[str, dict[str, str]] = {
    "status": {status.value: str(status.label) for status in Status},
    "featured": {"1": "Featured", "0": "Not featured"},
}

Counts = list[tuple[str, int]]


class CountedFilters(admin.ListFilter):
    """All the filters of the list as one, whose choices come when they are asked for."""

    title = "filters"
    template = "admin/designs/design/filters.html"
    parameter_names = tuple(TITLES)

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        self.chosen: dict[str, str] = {name: params.pop(name)[-1] for name in TITLES if name in params}

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return [*self.parameter_names]

    def choices(self, changelist: Any) -> Iterator[Any]:
        yield {"address": reverse("admin:designs_design_filters") + changelist.get_query_string()}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Design]) -> QuerySet[Design]:
        conditions: dict[str, Any] = {}
        for name, value in self.chosen.items():
            if name in FACET_FIELDS:
                conditions[f"{name}__in"] = spellings((value,))
            else:
                conditions[name] = FLAGS.get(value) if name == "featured" else value
        return queryset.filter(**(unindexed(conditions) if request.GET.get("q") else conditions))


def filters_view(model_admin: Any, request: HttpRequest) -> HttpResponse:
    """The choices of every filter, as they stand for the list of this address."""
    changelist = model_admin.get_changelist_instance(request)
    groups = [
        group_of(changelist, name, found, request.GET.get(name))
        for name, found in counts_for(wanted_by(request)).items()
    ]
    return TemplateResponse(request, "admin/designs/design/filter_groups.html", {"groups": groups})


def wanted_by(request: HttpRequest) -> DesignQuery:
    """The designs that the list's address asks for."""
    sent = request.GET
    attributes = tuple((name, (sent[name],)) for name in FACET_FIELDS if name in sent)
    statuses = tuple(status for status in Status.values if status == sent.get("status"))
    featured = FLAGS.get(sent.get("featured", ""))
    return DesignQuery(attributes, featured, statuses, words=words_of(sent.get("q", "")))


def counts_for(query: DesignQuery) -> dict[str, Counts]:
    """For each filter its values with their counts, among what the other filters leave; one trip to D1."""
    by_status = replace(query, statuses=()).designs()
    by_featured = replace(query, featured=None).designs()
    statuses, featured, *attributes = gather(
        lambda: dict(counted(by_status, "status")),
        lambda: dict(counted(by_featured, "featured")),
        *(lambda name=name: value_counts_of(query.without(name), name) for name in FACET_FIELDS),
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


def group_of(changelist: Any, name: str, found: Counts, chosen: str | None) -> dict[str, Any]:
    """One filter: its commonest values and the chosen one, each with its count and where it leads."""
    labels, counts = LABELS.get(name, {}), dict(found)
    values = [value for value, _ in found[:SHOWN]]
    if chosen is not None and chosen not in values:
        values.append(chosen)
    return {
        "title": TITLES[name],
        "is_open": chosen is not None or name in ("status", "category"),
        "clear": changelist.get_query_string(remove=[name]) if chosen is not None else "",
        "more": max(0, len(found) - SHOWN),
        "rows": [
            {
                "display": labels.get(value, value),
                "count": counts.get(value, 0),
                "selected": value == chosen,
                "address": changelist.get_query_string({name: value}),
            }
            for value in values
        ],
    }
