"""What the dashboard reads: small tables of totals and indexes, all in one round trip to D1."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import stats
from console.pending_users import remember_pending_users
from core.days import last_days
from d1backend.gather import gather
from designs import totals
from designs.analytics import DayFigures, daily_figures, top_designs
from designs.fields import LIVE, Status
from designs.models import DayTotal, Design, ValueTotal
from uploads.models import ImageTotal

PERIODS = (7, 30, 90)  # days
DEFAULT_PERIOD = 30
LEADERS = 5  # designs
VALUES = 8  # of one field
FIELDS = (*totals.ATTRIBUTES, totals.REGION)
SEE_PEOPLE = "accounts.view_user"

Series = Literal["views", "likes", "designs", "signups"]


@dataclass(frozen=True)
class DashboardData:
    """The figures of a period of `days` days and of the period before it.

    `pending` is None for staff without SEE_PEOPLE; then nothing about users may be shown.
    """

    days: int
    before: Sequence[DayFigures]
    now: Sequence[DayFigures]
    designs_by_status: dict[str, int]
    most_viewed: Sequence[Design]
    most_liked: Sequence[Design]
    images: Sequence[ImageTotal]
    values: dict[str, Sequence[ValueTotal]]
    pending: stats.Waiting | None

    @property
    def sees_people(self) -> bool:
        return self.pending is not None

    def total(self, series: Series) -> int:
        return sum(day[series] for day in self.now)

    def total_before(self, series: Series) -> int:
        return sum(day[series] for day in self.before)


def read_dashboard(request: HttpRequest) -> DashboardData:
    """Read the period that the request asks for. For another figure, add a query and a field here."""
    days = period_of(request)
    dates = last_days(2 * days)
    sees_people = request.user.has_perm(SEE_PEOPLE)
    day_totals, statuses, most_viewed, most_liked, images, pending, signups, *values = gather(
        DayTotal.objects.filter(day__gte=dates[0]),
        ValueTotal.objects.filter(LIVE, field=totals.ALL),
        with_pictures(top_designs("-view_count")),
        with_pictures(top_designs("-like_count")),
        ImageTotal.objects.all(),
        stats.waiting if sees_people else lambda: None,
        partial(stats.signups_by_day, dates[0]) if sees_people else dict,
        *map(values_in_use, FIELDS),
    )
    if pending is not None:
        remember_pending_users(request, pending)
    figures = daily_figures(dates, day_totals, signups)
    return DashboardData(
        days=days,
        before=figures[:days],
        now=figures[days:],
        designs_by_status={total.status: total.count for total in statuses},
        most_viewed=most_viewed,
        most_liked=most_liked,
        images=images,
        values=dict(zip(FIELDS, values, strict=True)),
        pending=pending,
    )


def period_of(request: HttpRequest) -> int:
    """The `days` that the request asks for, if they are one of PERIODS."""
    text = request.GET.get("days", "")
    return int(text) if text in map(str, PERIODS) else DEFAULT_PERIOD


def with_pictures(designs: QuerySet[Design]) -> QuerySet[Design]:
    """The first LEADERS designs with what their thumbnails need."""
    image = ("image__object_key", "image__renditions", "image__dominant_colour")
    return designs.select_related("image").only("title", "view_count", "like_count", *image)[:LEADERS]


def values_in_use(field: str) -> QuerySet[ValueTotal]:
    """The VALUES of a field that most published designs have."""
    used = ValueTotal.objects.filter(field=field, status=Status.PUBLISHED, count__gt=0)
    return used.order_by("-count", "value")[:VALUES]
