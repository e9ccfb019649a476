"""The admin's first page, and its tables as CSV.

The first row holds cards (console.dashboard.cards), the rest of the page sections (console.dashboard.sections).
"""

from collections.abc import Iterable, Sequence

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from console.base import Context
from console.dashboard import sections
from console.dashboard.cards import cards
from console.dashboard.data import FIELDS, PERIODS, DashboardData, Series, read_dashboard
from core.spreadsheets import download
from designs.models import Design

SEE_DESIGNS = "designs.view_design"


def dashboard_context(request: HttpRequest, context: Context) -> Context:
    """unfold's DASHBOARD_CALLBACK: adds what admin/index.html shows."""
    if not request.user.has_perm(SEE_DESIGNS):
        return context
    data = read_dashboard(request)
    return context | {
        "days": data.days,
        "periods": PERIODS,
        "cards": cards(data),
        "history": data.now,
        "sees_people": data.sees_people,
        "leaders": sections.leaders(data),
        "breakdowns": sections.breakdowns(data),
        "storage": sections.storage(data),
        "statuses": sections.statuses(data),
        "health": sections.health(),
    }


def export_table(request: HttpRequest, table: str) -> HttpResponseBase:
    """One of the page's tables as CSV. Raises PermissionDenied, and Http404 for an unknown table."""
    if not request.user.has_perm(SEE_DESIGNS):
        raise PermissionDenied
    data = read_dashboard(request)
    if table == "days":
        return export_days(data)
    if table in FIELDS:
        rows = [(row.value, row.count) for row in data.values[table]]
        return download(f"designs-by-{table}", [table, "designs"], rows)
    if table == "viewed":
        return export_designs("most-viewed", data.most_viewed)
    if table == "liked":
        return export_designs("most-liked", data.most_liked)
    if table == "storage":
        sizes = [(row.category, row.images, row.bytes) for row in data.images]
        return download("storage", ["category", "images", "bytes"], sizes)
    raise Http404


def export_days(data: DashboardData) -> HttpResponseBase:
    columns: Sequence[Series] = ["views", "likes", "designs"]
    if data.sees_people:
        columns = [*columns, "signups"]
    rows = ([day["day"], *(day[name] for name in columns)] for day in data.now)
    return download(f"gallery-{data.days}-days", ["day", *columns], rows)


def export_designs(name: str, designs: Iterable[Design]) -> HttpResponseBase:
    rows = ((design.pk, design.title, design.view_count, design.like_count) for design in designs)
    return download(name, ["id", "title", "views", "likes"], rows)
