"""Rows that nobody needs any more: what `manage.py tidy` deletes of this app, a function for each table."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from designs.fields import Status
from designs.models import Design, SearchCount, ValueTotal
from designs.search_counts import WEEKS_KEPT, monday_of


def search_counts(now: datetime) -> QuerySet[SearchCount]:
    """Those of weeks that analytics does not show any more."""
    return SearchCount.objects.filter(week__lt=monday_of(now.date()) - timedelta(weeks=WEEKS_KEPT))


def value_totals(now: datetime) -> QuerySet[ValueTotal]:
    """Those of values that no design has any more. A trigger makes the next one anew."""
    return ValueTotal.objects.filter(count=0)


def trash(now: datetime) -> QuerySet[Design]:
    """What has been in the trash for longer than TRASH_DAYS."""
    before = now - timedelta(days=settings.TRASH_DAYS)
    return Design.objects.filter(status=Status.DELETED, deleted_at__lt=before)
