"""Counting rows by day (UTC)."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import CharField, Count, Func, QuerySet
from django.utils import timezone


class UtcDay(Func):
    """The day of a time as text: how the text begins that SQLite and D1 keep of it, in UTC."""

    template = "SUBSTR(%(expressions)s, 1, 10)"
    output_field = CharField()


def last_days(count: int) -> list[date]:
    """The last `count` days, today's the last of them."""
    today = timezone.now().date()
    return [today - timedelta(days=count - 1 - index) for index in range(count)]


def rows_by_day(rows: QuerySet[Any], since: date, column: str = "created_at") -> dict[str, int]:
    """How many rows there are of each day from `since` on; days without any are left out."""
    counted = (
        rows.filter(**{f"{column}__gte": datetime.combine(since, time.min, tzinfo=UTC)})
        .order_by()
        .values_list(UtcDay(column))
        .annotate(count=Count("*"))
    )
    return dict(counted)
