"""How many users there are of each kind, and when they came."""

from datetime import date

from django.db.models import Count, Q

from accounts import selectors
from gallery_project.days import rows_by_day


def totals() -> dict[str, int]:
    """`{total, approved, pending, rejected, admins}`, as User.state tells them apart."""
    return selectors.known().aggregate(
        total=Count("pk"),
        approved=Count("pk", filter=Q(is_approved=True)),
        pending=Count("pk", filter=Q(is_approved=False, reviewed_at=None)),
        rejected=Count("pk", filter=Q(is_approved=False, reviewed_at__isnull=False)),
        admins=Count("pk", filter=Q(is_admin=True)),
    )


def signups_by_day(since: date) -> dict[str, int]:
    """How many registered on each day from `since` on."""
    return rows_by_day(selectors.known(), since)
