"""Counts by day become counts by month after a year, for each design: nothing shows their days any more.

The row of a month is that of its first day. The totals of the days (designs.totals) move with it, so that each is still
the sum of its rows, and a design that goes takes its views along. Likes and designs stay on their days: those are in
rows of their own.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial

from django.db import DEFAULT_DB_ALIAS, connection, transaction
from django.utils import timezone

from core import sql
from d1backend import ask_with_commit

SHOWN = timedelta(days=366)  # in which analytics may show a day
BATCH = 1000  # rows of one transaction
OLD = "day < %s AND substr(day, 9) <> '01'"
# The table has no index of days, and needs none: without views on an old day it is not read.
HAS_OLD = f"SELECT EXISTS (SELECT 1 FROM day_totals WHERE {OLD} AND views <> 0)"  # noqa: S608 – made of constants
COUNT = f"SELECT count(*) FROM daily_counts WHERE {OLD}"  # noqa: S608
FIND = f"SELECT id FROM daily_counts WHERE id > %s AND {OLD} ORDER BY id LIMIT {BATCH}"  # noqa: S608
MONTH = "substr(c.day, 1, 8) || '01'"
ADD_TO_MONTHS = """
    INSERT INTO daily_counts (day, design_id, views, likes)
    SELECT {month}, c.design_id, sum(c.views), sum(c.likes) FROM daily_counts AS c WHERE c.id IN ({ids}) GROUP BY 1, 2
    ON CONFLICT (design_id, day) DO UPDATE SET views = views + excluded.views, likes = likes + excluded.likes
"""
# Also for designs in the trash, which add to them when they come back.
MAKE_TOTALS = """
    INSERT INTO day_totals (day, views, likes, designs)
    SELECT DISTINCT {month}, 0, 0, 0 FROM daily_counts AS c
    WHERE c.id IN ({ids}) AND NOT EXISTS (SELECT 1 FROM day_totals AS t WHERE t.day = {month})
"""
CHANGE_TOTALS = """
    UPDATE day_totals SET views = day_totals.views {sign} had.views, likes = day_totals.likes {sign} had.likes
    FROM (SELECT {day} AS day, sum(c.views) AS views, sum(c.likes) AS likes
        FROM daily_counts AS c JOIN designs AS d ON d.id = c.design_id AND d.status <> 'deleted'
        WHERE c.id IN ({ids}) GROUP BY 1) AS had
    WHERE day_totals.day = had.day
"""
# Their trigger takes nothing from the totals then. It would write a total for each row, and an entry of the log.
EMPTY = "UPDATE daily_counts SET views = 0, likes = 0 WHERE id IN ({ids})"
DELETE = "DELETE FROM daily_counts WHERE id IN ({ids})"
STATEMENTS = (
    ADD_TO_MONTHS,
    MAKE_TOTALS,
    CHANGE_TOTALS.replace("{sign}", "+").replace("{day}", MONTH),
    CHANGE_TOTALS.replace("{sign}", "-").replace("{day}", "c.day"),
    EMPTY,
    DELETE,
)


def first_kept_day() -> date:
    """The first day of the first month whose days are kept."""
    return (timezone.now().date() - SHOWN).replace(day=1)


def count() -> int:
    """How many counts of days would become those of months."""
    before = first_kept_day().isoformat()
    return int(sql.rows(COUNT, [before], DEFAULT_DB_ALIAS)[0][0]) if has_old(before) else 0


def fold() -> int:
    """Make counts of months of those of old days; return how many those were.

    A batch is a transaction of its own and reads the rows again, so it does not matter who else folds them.
    """
    before, done = first_kept_day().isoformat(), 0
    ids = found_after(0, before) if has_old(before) else []
    while ids:
        with transaction.atomic():
            move(ids)
            following = ask_with_commit(partial(found_after, ids[-1], before))
        done += len(ids)
        ids = following() if len(ids) == BATCH else []
    return done


def has_old(before: str) -> bool:
    return bool(sql.rows(HAS_OLD, [before], DEFAULT_DB_ALIAS)[0][0])


def found_after(last: int, before: str) -> list[int]:
    return [key for (key,) in sql.rows(FIND, [last, before], DEFAULT_DB_ALIAS)]


def move(ids: Sequence[int]) -> None:
    # D1 bills each row that is read, so keys are literals: json_each() would read as many again.
    literals = ", ".join(str(int(key)) for key in ids)
    with connection.cursor() as cursor:
        for statement in STATEMENTS:
            cursor.execute(statement.replace("{month}", MONTH).replace("{ids}", literals))
