"""Filters of the admin's lists."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest


class ActorFilter(admin.AllValuesFieldListFilter):
    """By who did it; what nobody did, the system did."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "actor"

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield {**choice, "display": choice["display"] or "the system"}


class DayRangeFilter(admin.FieldListFilter):
    """From a day to a day, both included, as UTC has them; either may be left open."""

    template = "admin/core/day_range_filter.html"

    def __init__(
        self, field: Any, request: HttpRequest, params: Any, model: Any, model_admin: Any, field_path: str
    ) -> None:
        self.names = (f"{field_path}_from", f"{field_path}_to")
        super().__init__(field, request, params, model, model_admin, field_path)
        self.days = [day_of(request.GET.get(name, "")) for name in self.names]

    def expected_parameters(self) -> list[str | None]:
        return [*self.names]

    def choices(self, changelist: Any) -> Iterator[Any]:
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
            "clear": changelist.get_query_string(remove=list(self.names)),
        }

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        first, last = self.days
        if first:
            queryset = queryset.filter(**{f"{self.field_path}__gte": midnight(first)})
        if last and last < date.max:
            queryset = queryset.filter(**{f"{self.field_path}__lt": midnight(last + timedelta(days=1))})
        return queryset


def day_of(text: str) -> date | None:
    """The day in ISO 8601; None where this is none, as in a field left empty."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
