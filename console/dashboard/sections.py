"""The sections below the dashboard's cards: leading designs, breakdowns, storage, health."""

from collections.abc import Sequence
from typing import Literal, NotRequired, TypedDict

from django.db import connection
from django.urls import reverse
from django.utils.http import urlencode

from console.dashboard.data import FIELDS, DashboardData
from console.designs.pictures import THUMBNAIL_WIDTH, rendition_url
from core import d1_quota, replica
from designs import totals
from designs.fields import SETTABLE_STATUSES, Status
from designs.models import Design, ValueTotal
from uploads.models import ImageTotal


class Leader(TypedDict):
    """A design, with the count that it leads by."""

    title: str
    count: int
    url: str
    picture: str


class Leaders(TypedDict):
    """A table of designs. `table` is its name in the address of its CSV."""

    title: str
    table: str
    unit: str
    rows: list[Leader]


class BreakdownRow(TypedDict):
    """A value with its number of designs; `url` is their list, empty if the list has no such filter."""

    value: str
    count: int
    url: str


class Breakdown(TypedDict):
    """The most frequent values of a field. `most` is the largest of their counts."""

    title: str
    table: str
    most: int
    rows: list[BreakdownRow]


class Storage(TypedDict):
    """Images and bytes by category, without renditions, and their sums."""

    rows: list[ImageTotal]
    images: int
    bytes: int


class StatusCount(TypedDict):
    label: str
    count: int


class Health(TypedDict):
    """What is known without asking D1. `used` and `allowed` are calls to D1 in five minutes."""

    engine: str
    on_d1: bool
    used: NotRequired[int]
    allowed: NotRequired[int]
    replica: NotRequired[replica.Status]


def leaders(data: DashboardData) -> list[Leaders]:
    return [
        {
            "title": "Most viewed",
            "table": "viewed",
            "unit": "views",
            "rows": leader_rows(data.most_viewed, "view_count"),
        },
        {
            "title": "Most liked",
            "table": "liked",
            "unit": "likes",
            "rows": leader_rows(data.most_liked, "like_count"),
        },
    ]


def leader_rows(designs: Sequence[Design], counter: Literal["view_count", "like_count"]) -> list[Leader]:
    return [
        {
            "title": design.title,
            "count": getattr(design, counter),
            "url": reverse("admin:designs_design_change", args=[design.pk]),
            "picture": rendition_url(design.image, THUMBNAIL_WIDTH),
        }
        for design in designs
    ]


def breakdowns(data: DashboardData) -> list[Breakdown]:
    return [breakdown(field, data.values[field]) for field in FIELDS]


def breakdown(field: str, rows: Sequence[ValueTotal]) -> Breakdown:
    return {
        "title": field.capitalize(),
        "table": field,
        "most": max((row.count for row in rows), default=0),
        "rows": [{"value": row.value, "count": row.count, "url": list_url(field, row.value)} for row in rows],
    }


def list_url(field: str, value: str) -> str:
    """The list of published designs with this value; empty for the region, which is no field of the list."""
    if field == totals.REGION:
        return ""
    query = urlencode({field: value, "status": Status.PUBLISHED.value})
    return f"{reverse('admin:designs_design_changelist')}?{query}"


def statuses(data: DashboardData) -> list[StatusCount]:
    return [
        {"label": label, "count": data.designs_by_status.get(status, 0)}
        for status, label in SETTABLE_STATUSES
    ]


def storage(data: DashboardData) -> Storage:
    rows = sorted((row for row in data.images if row.images), key=lambda row: -row.bytes)
    return {
        "rows": rows,
        "images": sum(row.images for row in rows),
        "bytes": sum(row.bytes for row in rows),
    }


def health() -> Health:
    """The page asks /health for the rest once it has loaded."""
    on_d1 = connection.settings_dict["ENGINE"] == "d1backend"
    found: Health = {"engine": connection.display_name, "on_d1": on_d1}
    if on_d1:
        used, share = d1_quota.used_and_share()
        found |= {"used": used, "allowed": share}
    if replica.is_used():
        found["replica"] = replica.status()
    return found
