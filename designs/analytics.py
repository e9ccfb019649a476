"""Figures of the whole gallery, for its staff."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import TypedDict

from django.db.models import Count, Q, QuerySet, Sum

from accounts import stats
from core.days import last_days
from d1backend import gather
from designs.facets import ValueCount, value_counts
from designs.fields import FACET_FIELDS, LIVE, Status
from designs.models import DayTotal, Design, Favourite
from designs.searches import MissedSearch, missed_searches

TOP = 10


class DayFigures(TypedDict):
    """The figures of one day (UTC)."""

    day: date
    views: int
    likes: int
    designs: int
    signups: int


class Overview(TypedDict):
    """The gallery's figures. `top_designs` holds designs by `by_views` and `by_likes`."""

    users: dict[str, int]
    designs: dict[str, int | list[ValueCount]]
    engagement: dict[str, int]
    top_designs: dict[str, list[Design]]
    series: list[DayFigures]
    searches: list[MissedSearch]


def overview(days: int) -> Overview:
    """Users, designs, engagement, the last `days` days, and searches of their weeks, in one round trip to D1."""
    dates = last_days(days)
    users, designs, favourites, in_trash, by_views, by_likes, signups, totals, missed, *values = gather(
        stats.totals,
        design_totals,
        Favourite.objects.count,
        Favourite.objects.filter(design__status=Status.DELETED).count,
        top_designs("-view_count"),
        top_designs("-like_count"),
        partial(stats.signups_by_day, dates[0]),
        DayTotal.objects.filter(day__gte=dates[0]),
        partial(missed_searches, dates[0]),
        *(partial(value_counts, Design.objects.filter(LIVE), name) for name in FACET_FIELDS),
    )
    views, likes = designs.pop("views"), designs.pop("likes")
    by_value = {f"by_{name}": counts for name, counts in zip(FACET_FIELDS, values, strict=True)}
    return {
        "users": users,
        "designs": designs | by_value,
        "engagement": {"views": views, "likes": likes, "favorites": favourites - in_trash},
        "top_designs": {"by_views": by_views, "by_likes": by_likes},
        "series": daily_figures(dates, totals, signups),
        "searches": missed,
    }


def design_totals() -> dict[str, int]:
    """The trash is counted under its own status alone."""
    return Design.objects.aggregate(
        total=Count("pk", filter=LIVE),
        **{status.value: Count("pk", filter=Q(status=status)) for status in Status},
        featured=Count("pk", filter=Q(featured=True) & LIVE),
        views=Sum("view_count", filter=LIVE, default=0),
        likes=Sum("like_count", filter=LIVE, default=0),
    )


def top_designs(order: str) -> QuerySet[Design]:
    """The first published designs of an order."""
    fields = ("title", "image_id", "view_count", "like_count")
    return Design.objects.filter(status=Status.PUBLISHED).order_by(order, "-id").only(*fields)[:TOP]


def daily_figures(
    days: Sequence[date], totals: Iterable[DayTotal], signups: Mapping[str, int]
) -> list[DayFigures]:
    """The figures of each of the days, in their order; a day without a total had nothing."""
    known = {total.day: total for total in totals}
    return [
        {
            "day": day,
            "views": total.views,
            "likes": total.likes,
            "designs": total.designs,
            "signups": signups.get(day.isoformat(), 0),
        }
        for day in days
        for total in [known.get(day) or DayTotal()]
    ]
