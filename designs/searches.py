"""Searches that found nothing or little: counted by week, and kept without who asked.

A phrase is counted only once several people have asked for it, so that nothing that one person typed is kept. Until
then the host's file (designs.search_spool) has a mark of each of them, of eight bits, which fits one caller in 256. The
database has the week, the phrase and numbers.
"""

from datetime import date
from typing import TypedDict

from django.db.models import Max, Sum

from designs import counters
from designs.models import SearchCount
from designs.search_counts import monday_of

MOST_LISTED = 100


class MissedSearch(TypedDict):
    """A search that found nothing or little, as analytics lists it."""

    text: str
    count: int
    found: int


def search_note(text: str, found: int, caller: str) -> None:
    """Count a search for its week if it found few designs.

    `text` is what was typed, `found` the number of designs, and `caller` tells who asked from others: it leaves this
    process only as a mark (search_counts.mark_of).
    """
    counters.add_search(text, found, caller)


def missed_searches(since: date) -> list[MissedSearch]:
    """The searches of the weeks from that day's on, the most frequent first; `found` is the most of a week."""
    counted = (
        SearchCount.objects.filter(week__gte=monday_of(since))
        .order_by()
        .values("phrase")
        .annotate(times=Sum("count"), most=Max("found"))
        .order_by("-times", "phrase")
    )
    return [
        {"text": phrase, "count": times, "found": most}
        for phrase, times, most in counted.values_list("phrase", "times", "most")[:MOST_LISTED]
    ]
