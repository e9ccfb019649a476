"""Days and times as people write them, and counting rows by day (UTC)."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import CharField, Count, Func, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime


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


def moment_of(value: str) -> datetime:
    """An ISO 8601 date (its first moment) or time, in UTC where it names no offset. Raises ValueError."""
    day = parse_date(value)
    if isinstance(day, date):
        return datetime.combine(day, time.min, tzinfo=UTC)
    # A client that did not encode the + of an offset sent a space.
    found = parse_datetime(value.replace(" ", "+") if "T" in value else value)
    if found is None:
        raise ValueError(value)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
