"""The filters of the admin's list of designs: the values to choose from, with the number of designs of each.

The counts read every design, so they are fetched when somebody opens the filters, not with each list.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import TypedDict

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from console.base import GalleryAdmin
from d1backend.gather import gather
from designs.catalogue import read_search
from designs.facets import value_counts_of
from designs.fields import FACET_FIELDS, LIVE, LIVE_STATUSES, Status
from designs.models import Design
from designs.queries import DesignQuery, spellings
from designs.search.sql import unindexed

VALUES_SHOWN = 20  # of one filter; the search finds the others
FLAGS = {"1": True, "0": False}
TITLES = {"status": "status", "featured": "featured"} | {
    name: name.replace("_name", "").replace("_", " ") for name in FACET_FIELDS
}
LABELS: dict[str, dict[str, str]] = {
    "status": {status.value: str(status.label) for status in Status},
    "featured": {"1": "Featured", "0": "Not featured"},
}

Counts = list[tuple[str, int]]  # (value, number of designs)


class FilterValue(TypedDict):
    """One value of a filter. `url` is that of the list with it chosen."""

    label: str
    count: int
    selected: bool
    url: str


class FilterGroup(TypedDict):
    """One filter. `clear_url` is empty while nothing is chosen; `more` is the number of values left out."""

    title: str
    is_open: bool
    clear_url: str
    more: int
    values: list[FilterValue]


class CountedFilters(admin.ListFilter):
    """All the list's filters in one, which loads its choices when it is opened."""

    title = "filters"
    template = "admin/designs/design/filters.html"
    parameter_names = tuple(TITLES)

    def __init__(
        self,
        request: HttpRequest,
        params: dict[str, list[str]],
        model: type[Design],
        model_admin: admin.ModelAdmin,
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.chosen = {name: params.pop(name)[-1] for name in TITLES if name in params}

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return [*self.parameter_names]

    def choices(self, changelist: ChangeList) -> Iterator[Mapping[str, str]]:
        yield {"url": reverse("admin:designs_design_filters") + changelist.get_query_string()}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Design]) -> QuerySet[Design]:
        conditions: dict[str, str | bool | list[str] | None] = {}
        for name, value in self.chosen.items():
            if name in FACET_FIELDS:
                conditions[f"{name}__in"] = spellings((value,))
            else:
                conditions[name] = FLAGS.get(value) if name == "featured" else value
        shown = queryset if "status" in self.chosen else queryset.filter(LIVE)
        return shown.filter(**(unindexed(conditions) if request.GET.get("q") else conditions))


def filters_view(model_admin: GalleryAdmin, request: HttpRequest) -> HttpResponse:
    """The filters' values and counts for the list of this address."""
    changelist = model_admin.get_changelist_instance(request)
    groups = [
        filter_group(changelist, name, counts, request.GET.get(name))
        for name, counts in counts_for(query_of(request)).items()
    ]
    return TemplateResponse(request, "admin/designs/design/filter_groups.html", {"groups": groups})


def query_of(request: HttpRequest) -> DesignQuery:
    """The designs that the list's address asks for."""
    sent = request.GET
    visible = visible_statuses(request)
    attributes = tuple((name, (sent[name],)) for name in FACET_FIELDS if name in sent)
    statuses = tuple(status for status in Status.values if status == sent.get("status"))
    featured = FLAGS.get(sent.get("featured", ""))
    query = DesignQuery(attributes, featured, statuses, text=sent.get("q", "").strip(), visible=visible)
    return read_search(query)[0] if query.text else query


def visible_statuses(request: HttpRequest) -> tuple[Status, ...]:
    """The statuses that a search of the list is read by: the trash only where it is asked for."""
    return tuple(Status) if request.GET.get("status") == Status.DELETED else LIVE_STATUSES


def counts_for(query: DesignQuery) -> dict[str, Counts]:
    """The counts of each filter's values among the designs that the other filters leave; one round trip to D1."""
    statuses, featured, *facets = gather(
        partial(grouped_counts, replace(query, statuses=tuple(Status.values)).designs(), "status"),
        partial(grouped_counts, replace(query, featured=None).designs(), "featured"),
        *(partial(value_counts_of, query.without(name), name) for name in FACET_FIELDS),
    )
    counts = {
        "status": [(status, statuses.get(status, 0)) for status in Status.values],
        "featured": [(text, featured.get(flag, 0)) for text, flag in FLAGS.items()],
    }
    for name, rows in zip(FACET_FIELDS, facets, strict=True):
        counts[name] = [(row["value"], row["count"]) for row in rows]
    return counts


def grouped_counts(designs: QuerySet[Design], name: str) -> dict[str | bool, int]:
    """The number of designs of each value of a field."""
    return dict(designs.order_by().values_list(name).annotate(count=Count("*")))


def filter_group(changelist: ChangeList, name: str, counts: Counts, chosen: str | None) -> FilterGroup:
    """One filter with its most frequent values, and the chosen one wherever it stands."""
    labels, count_of = LABELS.get(name, {}), dict(counts)
    values = [value for value, _ in counts[:VALUES_SHOWN]]
    if chosen is not None and chosen not in values:
        values.append(chosen)
    return {
        "title": TITLES[name],
        "is_open": chosen is not None or name in ("status", "category"),
        "clear_url": changelist.get_query_string(remove=[name]) if chosen is not None else "",
        "more": max(0, len(counts) - VALUES_SHOWN),
        "values": [
            {
                "label": labels.get(value, value),
                "count": count_of.get(value, 0),
                "selected": value == chosen,
                "url": changelist.get_query_string({name: value}),
            }
            for value in values
        ],
    }
