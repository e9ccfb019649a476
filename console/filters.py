"""Filters that lists of the admin use."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Field, Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone


class ActorFilter(admin.AllValuesFieldListFilter):
    """By actor. An empty name is the system's."""

    def __init__(
        self,
        field: Field,
        request: HttpRequest,
        params: dict[str, list[str]],
        model: type[Model],
        model_admin: admin.ModelAdmin,
        field_path: str,
    ) -> None:
        super().__init__(field, request, params, model, model_admin, field_path)
        self.title = "actor"

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": choice["display"] or "the system"}


class DayRangeFilter(admin.FieldListFilter):
    """From one day to another in the console's time zone, both included. Either may be left open."""

    template = "admin/core/day_range_filter.html"

    def __init__(
        self,
        field: Field,
        request: HttpRequest,
        params: dict[str, list[str]],
        model: type[Model],
        model_admin: admin.ModelAdmin,
        field_path: str,
    ) -> None:
        self.names = (f"{field_path}_from", f"{field_path}_to")
        super().__init__(field, request, params, model, model_admin, field_path)
        self.days = [parse_day(request.GET.get(name, "")) for name in self.names]

    def expected_parameters(self) -> list[str | None]:
        return [*self.names]

    def choices(self, changelist: ChangeList) -> Iterator[Any]:
        kept = [
            (name, value)
            for name, values in changelist.filter_params.items()
            for value in (values if isinstance(values, list) else [values])
            if name not in self.names
        ]
        if changelist.query:
            kept.append(("q", changelist.query))
        yield {
            "fields": list(zip(("From", "To"), self.names, self.days, strict=True)),
            "kept": kept,
            "zone": timezone.localtime().tzname(),
            "clear": changelist.get_query_string(remove=list(self.names)),
        }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        first, last = self.days
        if first:
            queryset = queryset.filter(**{f"{self.field_path}__gte": midnight(first)})
        if last and last < date.max:
            queryset = queryset.filter(**{f"{self.field_path}__lt": midnight(last + timedelta(days=1))})
        return queryset


def parse_day(text: str) -> date | None:
    """The day in ISO 8601; None for any other text, such as that of an empty field."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def midnight(day: date) -> datetime:
    """The first moment of the day in the console's time zone."""
    return datetime.combine(day, time(), timezone.get_current_timezone())
