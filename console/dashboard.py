"""The admin's first page: what happened in a period, beside the one before it, and how the gallery is.

Everything comes out of small tables and indexes, in one trip to D1 (d1backend.gather); no page counts the catalogue.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import urlencode

from accounts import stats
from console.designs.card import THUMBNAIL_WIDTH, address
from core import d1_quota, replica
from core.days import last_days
from core.spreadsheets import download
from d1backend.gather import gather
from designs import totals
from designs.analytics import daily_figures, top_designs
from designs.fields import Status
from designs.models import DayTotal, Design, ValueTotal
from uploads.models import ImageTotal

PERIODS = (7, 30, 90)  # days
PERIOD = 30
LEADERS = 5  # designs
VALUES = 8  # of one attribute
FIELDS = (*totals.ATTRIBUTES, totals.REGION)
SEE_PEOPLE = "accounts.view_user"


@dataclass(frozen=True)
class Figure:
    """A number of a period beside that of the period before; `total` where the whole says more."""

    label: str
    icon: str
    now: int
    before: int
    total: int | None = None

    @property
    def shown(self) -> int:
        return self.now if self.total is None else self.total

    @property
    def change(self) -> int | None:
        """In per cent; None where there was nothing before."""
        return round((self.now - self.before) / self.before * 100) if self.before else None


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """unfold's DASHBOARD_CALLBACK."""
    if not request.user.has_perm("designs.view_design"):
        return context
    days = period_of(request)
    found = answers(request, days)
    history = found["history"]
    return context | {
        "days": days,
        "periods": PERIODS,
        "figures": figures_of(found, days),
        "waiting": found.get("waiting"),
        "history": history[days:],
        "sees_people": "waiting" in found,
        "breakdowns": [breakdown(name, found[name]) for name in FIELDS],
        "leaders": [
            {
                "title": "Most viewed",
                "table": "viewed",
                "unit": "views",
                "rows": leaders(found["viewed"], "view_count"),
            },
            {
                "title": "Most liked",
                "table": "liked",
                "unit": "likes",
                "rows": leaders(found["liked"], "like_count"),
            },
        ],
        "statuses": [{"label": status.label, "count": found["statuses"].get(status, 0)} for status in Status],
        "storage": storage(found["storage"]),
        "health": health(),
    }


def period_of(request: HttpRequest) -> int:
    given = request.GET.get("days", "")
    return int(given) if given in map(str, PERIODS) else PERIOD


def answers(request: HttpRequest, days: int) -> dict[str, Any]:
    """What the page asks of the database, by name. `history` has two periods of days, the earlier first."""
    span = last_days(2 * days)
    questions: dict[str, Any] = {
        "days": DayTotal.objects.filter(day__gte=span[0]),
        "statuses": ValueTotal.objects.filter(field=totals.ALL),
        "viewed": pictured(top_designs("-view_count")),
        "liked": pictured(top_designs("-like_count")),
        "storage": ImageTotal.objects.all(),
    } | {name: in_use(name) for name in FIELDS}
    if request.user.has_perm(SEE_PEOPLE):
        questions["waiting"] = stats.waiting
        questions["signups"] = lambda: stats.signups_by_day(span[0])
    found = dict(zip(questions, gather(*questions.values()), strict=True))
    if "waiting" in found:
        request.waiting = found["waiting"]  # type: ignore[attr-defined]
    found["statuses"] = {total.status: total.count for total in found["statuses"]}
    found["history"] = daily_figures(span, found["days"], found.get("signups", {}))
    return found


def pictured(designs: QuerySet[Design]) -> QuerySet[Design]:
    image = ("image__object_key", "image__renditions", "image__dominant_colour")
    return designs.select_related("image").only("title", "view_count", "like_count", *image)[:LEADERS]


def in_use(field: str) -> Any:
    """The values of a field that most published designs have."""
    wanted = ValueTotal.objects.filter(field=field, status=Status.PUBLISHED, count__gt=0)
    return wanted.order_by("-count", "value")[:VALUES]


def figures_of(found: dict[str, Any], days: int) -> list[Figure]:
    before, now = found["history"][:days], found["history"][days:]

    def figure(label: str, icon: str, name: str, total: int | None = None) -> Figure:
        return Figure(label, icon, sum(day[name] for day in now), sum(day[name] for day in before), total)

    shown = [
        figure("Designs", "apparel", "designs", sum(found["statuses"].values())),
        figure("Views", "visibility", "views"),
        figure("Likes", "favorite", "likes"),
    ]
    return [*shown, figure("Sign-ups", "person_add", "signups")] if "signups" in found else shown


def breakdown(field: str, rows: Sequence[ValueTotal]) -> dict[str, Any]:
    """A field's values with their counts, each leading to the list of its designs where that can be filtered."""
    designs = reverse("admin:designs_design_changelist")
    most = max((row.count for row in rows), default=0)
    return {
        "title": field.capitalize(),
        "table": field,
        "most": most,
        "rows": [
            {
                "value": row.value,
                "count": row.count,
                "url": ""
                if field == totals.REGION
                else f"{designs}?{urlencode({field: row.value, 'status': Status.PUBLISHED.value})}",
            }
            for row in rows
        ],
    }


def leaders(designs: Iterable[Design], name: str) -> list[dict[str, Any]]:
    return [
        {
            "title": design.title,
            "count": getattr(design, name),
            "url": reverse("admin:designs_design_change", args=[design.pk]),
            "picture": address(design.image, THUMBNAIL_WIDTH),
            "colour": design.image.dominant_colour,
        }
        for design in designs
    ]


def storage(rows: Iterable[ImageTotal]) -> dict[str, Any]:
    """Images and bytes in use by category, without renditions."""
    listed = sorted((row for row in rows if row.images), key=lambda row: -row.bytes)
    return {
        "rows": listed,
        "images": sum(row.images for row in listed),
        "bytes": sum(row.bytes for row in listed),
    }


def health() -> dict[str, Any]:
    """What is known of D1 without asking it; the page asks /health for the rest when it is there."""
    on_d1 = connection.settings_dict["ENGINE"] == "d1backend"
    found: dict[str, Any] = {"engine": connection.display_name, "on_d1": on_d1}
    if on_d1:
        found |= {"used": d1_quota.used(), "allowed": d1_quota.CALLS}
    if replica.is_used():
        found["replica"] = replica.status()
    return found


def export(request: HttpRequest, table: str) -> HttpResponseBase:
    """One of the page's tables as CSV. Raises Http404 for any other name."""
    if not request.user.has_perm("designs.view_design"):
        raise PermissionDenied
    days = period_of(request)
    found = answers(request, days)
    if table == "days":
        columns = ["day", "views", "likes", "designs", *(["signups"] if "signups" in found else [])]
        return download(
            f"gallery-{days}-days",
            columns,
            ([day[name] for name in columns] for day in found["history"][days:]),
        )
    if table in FIELDS:
        return download(
            f"designs-by-{table}", [table, "designs"], ((row.value, row.count) for row in found[table])
        )
    if table in ("viewed", "liked"):
        rows = ((design.pk, design.title, design.view_count, design.like_count) for design in found[table])
        return download(f"most-{table}", ["id", "title", "views", "likes"], rows)
    if table == "storage":
        sizes = ((row.category, row.images, row.bytes) for row in found["storage"])
        return download("storage", ["category", "images", "bytes"], sizes)
    raise Http404
