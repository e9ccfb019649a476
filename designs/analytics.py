"""The figures of the whole gallery, for its staff."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from accounts import stats
from core.days import last_days
from d1backend import gather
from designs.facets import value_counts
from designs.models import FACET_FIELDS, DayTotal, Design, Favourite, Status

TOP = 10


def overview(days: int) -> dict[str, Any]:
    """Users, designs, engagement, and a series of the last `days` days; one question to D1 in all.

    `top_designs` holds designs, for the caller to show.
    """
    dates = last_days(days)
    users, designs, favourites, by_views, by_likes, signups, totals, *values = gather(
        stats.totals,
        design_totals,
        Favourite.objects.count,
        top("-view_count"),
        top("-like_count"),
        partial(stats.signups_by_day, dates[0]),
        DayTotal.objects.filter(day__gte=dates[0]),
        *(partial(value_counts, Design.objects.all(), name) for name in FACET_FIELDS),
    )
    views, likes = designs.pop("views"), designs.pop("likes")
    by_value = {f"by_{name}": counts for name, counts in zip(FACET_FIELDS, values, strict=True)}
    return {
        "users": users,
        "designs": designs | by_value,
        "engagement": {"views": views, "likes": likes, "favorites": favourites},
        "top_designs": {"by_views": by_views, "by_likes": by_likes},
        "series": series(dates, signups, totals),
    }


def design_totals() -> dict[str, int]:
    return Design.objects.aggregate(
        total=Count("pk"),
        **{status.value: Count("pk", filter=Q(status=status)) for status in Status},
        featured=Count("pk", filter=Q(featured=True)),
        views=Sum("view_count", default=0),
        likes=Sum("like_count", default=0),
    )


def top(order: str) -> QuerySet[Design]:
    """The published designs that lead."""
    fields = ("title", "image_id", "view_count", "like_count")
    return Design.objects.filter(status=Status.PUBLISHED).order_by(order, "-id").only(*fields)[:TOP]


def series(days: Sequence[date], signups: dict[str, int], totals: Sequence[DayTotal]) -> list[dict[str, Any]]:
    """What happened on each of the days, in their order."""
    known = {total.day: total for total in totals}
    return [
        {
            "date": day.isoformat(),
            "signups": signups.get(day.isoformat(), 0),
            "designs": total.designs,
            "favorites": total.likes,
            "views": total.views,
        }
        for day in days
        for total in [known.get(day) or DayTotal()]
    ]
