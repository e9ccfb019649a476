"""The figures of the whole gallery, for its staff."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from accounts import figures
from designs.facets import value_counts
from designs.models import FACET_FIELDS, DayTotal, Design, Favourite, Status
from gallery_project.days import last_days

TOP = 10


def overview(days: int) -> dict[str, Any]:
    """Users, designs, engagement, and a series of the last `days` days; a few statements in all.

    `top_designs` holds designs, for the caller to show.
    """
    designs = design_totals()
    views, likes = designs.pop("views"), designs.pop("likes")
    return {
        "users": figures.totals(),
        "designs": designs
        | {f"by_{name}": value_counts(Design.objects.all(), name) for name in FACET_FIELDS},
        "engagement": {"views": views, "likes": likes, "favorites": Favourite.objects.count()},
        "top_designs": {"by_views": top("-view_count"), "by_likes": top("-like_count")},
        "series": series(last_days(days)),
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


def series(days: Sequence[date]) -> list[dict[str, Any]]:
    """What happened on each of the days, in their order."""
    signups = figures.signups_by_day(days[0])
    totals = {total.day: total for total in DayTotal.objects.filter(day__gte=days[0])}
    return [
        {
            "date": day.isoformat(),
            "signups": signups.get(day.isoformat(), 0),
            "designs": total.designs,
            "favorites": total.likes,
            "views": total.views,
        }
        for day in days
        for total in [totals.get(day) or DayTotal()]
    ]
