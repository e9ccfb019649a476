"""Numbers of users: by state, by day of registration, waiting."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from django.db.models import Count, Min, Q

from accounts import selectors
from accounts.models import DeletedSignup, State
from core import replica
from core.days import rows_by_day
from d1backend import gather


def totals() -> dict[str, int]:
    """`{total, approved, pending, rejected, admins}`, by User.state."""
    return selectors.users_without_passwords().aggregate(
        total=Count("pk"),
        approved=Count("pk", filter=Q(is_approved=True)),
        pending=Count("pk", filter=Q(is_approved=False, reviewed_at=None)),
        rejected=Count("pk", filter=Q(is_approved=False, reviewed_at__isnull=False)),
        admins=Count("pk", filter=Q(is_admin=True)),
    )


@dataclass(frozen=True)
class Waiting:
    """The number of users who wait for a decision, and since when the first one waits."""

    count: int
    since: datetime | None


def waiting() -> Waiting:
    found = selectors.in_state(selectors.users_without_passwords(), State.PENDING)
    return Waiting(**found.aggregate(count=Count("pk"), since=Min("created_at")))


def signups_by_day(since: date) -> dict[str, int]:
    """Return the number of registrations on each day from `since` on, of accounts deleted since too."""
    users = selectors.users_without_passwords()
    deleted = DeletedSignup.objects.using(replica.alias_for(DeletedSignup._meta.db_table))
    counts = gather(
        partial(rows_by_day, users, since), partial(rows_by_day, deleted, since, "day"), using=users.db
    )
    return dict(sum(map(Counter, counts), Counter()))
