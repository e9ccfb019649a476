"""Totals that triggers keep, so that no page counts the whole catalogue: by day, and by value of an attribute.

Views alone are added to their day by their writer (designs.counters), and taken away by a trigger.

Each row is what a GROUP BY over the rows themselves would return; tests compare the two. The region of a design has
no column: it is that of the textile tradition in the title (designs.regions).
"""

import json

from designs.regions import REGION_OF_TRADITION

ATTRIBUTES = ("category", "style", "occasion")
REGION, ALL = "region", "all"  # ALL has one value, the same word: how many designs there are


def sql_text(value: str) -> str:
    return "'{}'".format(value.replace("'", "''"))


def day_of(row: str, column: str = "created_at") -> str:
    """The day (UTC) of a time, which SQLite and D1 keep as text."""
    return f"substr({row}.{column}, 1, 10)"


def by_day(day: str, column: str, amount: str) -> str:
    """The statements that add to one column of a day.

    The row is made by an INSERT of its own, not by an upsert: the OR IGNORE of the outer statement would apply to
    that, too.
    """
    return f"{new_day(day)}; {added_to_day(day, column, amount)};"


def new_day(day: str) -> str:
    """The statement that makes the row of a day unless it is there."""
    return (
        f"INSERT INTO day_totals (day, views, likes, designs) SELECT {day}, 0, 0, 0 "
        f"WHERE NOT EXISTS (SELECT 1 FROM day_totals WHERE day = {day})"
    )


def added_to_day(day: str, column: str, amount: str) -> str:
    """The statement that adds to one column of a day whose row is there."""
    return f"UPDATE day_totals SET {column} = {column} + {amount} WHERE day = {day}"


def values_of(row: str) -> str:
    """A SELECT of the (field, value) pairs that a row of designs is counted under.

    Through JSON, because D1 allows five terms in a UNION.
    """
    region = (
        f"SELECT value FROM json_each({sql_text(json.dumps(REGION_OF_TRADITION))}) "
        f"WHERE instr(' ' || lower({row}.title) || ' ', ' ' || key || ' ') ORDER BY length(key) DESC LIMIT 1"
    )
    pairs = [(ALL, sql_text(ALL)), *((name, f"{row}.{name}") for name in ATTRIBUTES), (REGION, f"({region})")]
    listed = ", ".join(f"json_array({sql_text(field)}, {value})" for field, value in pairs)
    return (
        "SELECT json_extract(value, '$[0]') AS field, json_extract(value, '$[1]') AS value "
        f"FROM json_each(json_array({listed}))"
    )


def by_value(row: str, amount: str) -> str:
    """The statements that add a row of designs to the totals of its values, or take it away."""
    same = f"value_totals.field = f.field AND value_totals.value = f.value AND value_totals.status = {row}.status"
    return (
        f"INSERT INTO value_totals (field, value, status, count) "
        f"SELECT f.field, f.value, {row}.status, 0 FROM ({values_of(row)}) AS f "
        f"WHERE coalesce(f.value, '') <> '' AND NOT EXISTS (SELECT 1 FROM value_totals WHERE {same}); "
        f"UPDATE value_totals SET count = count + {amount} FROM ({values_of(row)}) AS f WHERE {same};"
    )


COUNTED = ("title", "status", *ATTRIBUTES)
CHANGED = " OR ".join(f"old.{name} IS NOT new.{name}" for name in COUNTED)
MOVED = f"WHEN {day_of('old')} IS NOT {day_of('new')}"


def moved(column: str) -> str:
    return f"{by_day(day_of('old'), column, '-1')} {by_day(day_of('new'), column, '1')}"


BODIES = {
    "totals_design_insert": (
        f"AFTER INSERT ON designs BEGIN {by_day(day_of('new'), 'designs', '1')} {by_value('new', '1')} END"
    ),
    "totals_design_delete": (
        f"AFTER DELETE ON designs BEGIN {by_day(day_of('old'), 'designs', '-1')} {by_value('old', '-1')} END"
    ),
    "totals_design_change": (
        f"AFTER UPDATE OF {', '.join(COUNTED)} ON designs WHEN {CHANGED} "
        f"BEGIN {by_value('old', '-1')} {by_value('new', '1')} END"
    ),
    "totals_design_move": f"AFTER UPDATE OF created_at ON designs {MOVED} BEGIN {moved('designs')} END",
    "totals_like_insert": (f"AFTER INSERT ON user_favorites BEGIN {by_day(day_of('new'), 'likes', '1')} END"),
    "totals_like_delete": (
        f"AFTER DELETE ON user_favorites BEGIN {by_day(day_of('old'), 'likes', '-1')} END"
    ),
    "totals_like_move": f"AFTER UPDATE OF created_at ON user_favorites {MOVED} BEGIN {moved('likes')} END",
    "totals_view_delete": f"AFTER DELETE ON daily_counts BEGIN {by_day('old.day', 'views', '-old.views')} END",
}
