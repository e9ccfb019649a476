"""Which backups are kept: all of two days, and the newest of each of 7 days, 4 weeks and 12 months."""

from collections.abc import Callable, Hashable, Iterable
from datetime import datetime, timedelta

DAYS, WEEKS, MONTHS = 7, 4, 12
# Whoever takes one after a mistake must not lose the last one from before it.
RECENT = timedelta(days=2)


def kept(moments: Iterable[datetime]) -> set[datetime]:
    """Those of these moments (UTC) whose backups are kept.

    Of each of the newest 7 days that have a backup the newest one, likewise of the newest 4 weeks (from Monday) and of
    the newest 12 months, and all that are less than RECENT older than the newest one. So the newest of all is among
    them, and days without a backup cost none of the others.
    """
    newest_first = sorted(set(moments), reverse=True)
    periods: tuple[tuple[Callable[[datetime], Hashable], int], ...] = (
        (datetime.date, DAYS),
        (lambda moment: moment.isocalendar()[:2], WEEKS),
        (lambda moment: (moment.year, moment.month), MONTHS),
    )
    found = {moment for period, most in periods for moment in _newest_of(newest_first, period, most)}
    return found | {moment for moment in newest_first if newest_first[0] - moment < RECENT}


def _newest_of(
    newest_first: list[datetime], period: Callable[[datetime], Hashable], most: int
) -> list[datetime]:
    found: dict[Hashable, datetime] = {}
    for moment in newest_first:
        found.setdefault(period(moment), moment)
    return list(found.values())[:most]
