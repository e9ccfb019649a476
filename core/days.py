"""Days and times as people write them, and counting rows by day (UTC)."""

from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

from django.db.models import CharField, Count, Func, Model, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

M = TypeVar("M", bound=Model)


class UtcDay(Func):
    """The day of a stored time, in UTC: the first ten characters of what SQLite and D1 store."""

    template = "SUBSTR(%(expressions)s, 1, 10)"
    output_field = CharField()


def last_days(count: int) -> list[date]:
    """Return the last `count` days, ending with today."""
    today = timezone.now().date()
    return [today - timedelta(days=count - 1 - index) for index in range(count)]


def rows_by_day(rows: QuerySet[M], since: date, column: str = "created_at") -> dict[str, int]:
    """Return the number of rows of each day from `since` on. Days without rows are missing."""
    counted = (
        rows.filter(**{f"{column}__gte": datetime.combine(since, time.min, tzinfo=UTC)})
        .order_by()
        .values_list(UtcDay(column))
        .annotate(count=Count("*"))
    )
    return dict(counted)


def moment_of(value: str) -> datetime:
    """Return the time of an ISO 8601 date (its first moment) or time; UTC if it has no offset. Raises ValueError."""
    day = parse_date(value)
    if isinstance(day, date):
        return datetime.combine(day, time.min, tzinfo=UTC)
    # A client that did not percent-encode the + of an offset sent a space.
    found = parse_datetime(value.replace(" ", "+") if "T" in value else value)
    if found is None:
        raise ValueError(value)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
