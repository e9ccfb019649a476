"""The cards in the first row of the dashboard.

A card is a function in CARDS. It returns None for staff who may not see the card. A card makes no query; data.py
reads all figures in one round trip.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from django.urls import reverse

from console.dashboard.data import DashboardData, Series


@dataclass(frozen=True, kw_only=True)
class Card:
    """A number under a title. `icon` is a name of Material Symbols; `url` leads to the list behind the number."""

    template: ClassVar[str] = "admin/dashboard/card.html"

    title: str
    icon: str
    number: int
    url: str = ""
    link_text: str = ""
    is_urgent: bool = False


@dataclass(frozen=True, kw_only=True)
class PeriodCard(Card):
    """The number of a period, `now`, beside that of the period `before`.

    With `is_total`, `number` counts all time, and the card shows `now` as what is new.
    """

    template = "admin/dashboard/period_card.html"

    now: int
    before: int
    is_total: bool = False

    @property
    def change(self) -> int | None:
        """Per cent; None if there was nothing before."""
        return round((self.now - self.before) / self.before * 100) if self.before else None


@dataclass(frozen=True, kw_only=True)
class PendingCard(Card):
    """`since` is when the first pending user registered."""

    template = "admin/dashboard/pending_card.html"

    since: datetime | None


def pending_card(data: DashboardData) -> Card | None:
    if data.pending is None:
        return None
    count = data.pending.count
    return PendingCard(
        title="Waiting",
        icon="how_to_reg",
        number=count,
        url=reverse("admin:accounts_user_approvals") if count else "",
        link_text="Decide now",
        is_urgent=count > 0,
        since=data.pending.since,
    )


def designs_card(data: DashboardData) -> Card:
    return PeriodCard(
        title="Designs",
        icon="apparel",
        number=sum(data.designs_by_status.values()),
        now=data.total("designs"),
        before=data.total_before("designs"),
        is_total=True,
    )


def views_card(data: DashboardData) -> Card:
    return period_card(data, "Views", "visibility", "views")


def likes_card(data: DashboardData) -> Card:
    return period_card(data, "Likes", "favorite", "likes")


def signups_card(data: DashboardData) -> Card | None:
    return period_card(data, "Sign-ups", "person_add", "signups") if data.sees_people else None


def period_card(data: DashboardData, title: str, icon: str, series: Series) -> Card:
    now, before = data.total(series), data.total_before(series)
    return PeriodCard(title=title, icon=icon, number=now, now=now, before=before)


CARDS: list[Callable[[DashboardData], Card | None]] = [
    pending_card,
    designs_card,
    views_card,
    likes_card,
    signups_card,
]


def cards(data: DashboardData) -> list[Card]:
    """The cards that the caller may see, in order."""
    return [card for build in CARDS if (card := build(data)) is not None]
