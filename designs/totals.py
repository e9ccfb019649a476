"""Totals that triggers keep, so that no page counts the whole catalogue: by day, and by value of an attribute.

Views alone are added to their day by their writer (designs.counters), and taken away by a trigger. A design in the
trash counts on no day, with its views and likes, until it is restored; by value it counts under its status.

Each row is what a GROUP BY over the rows themselves would return; tests compare the two. The region of a design has
no column: it is that of the textile tradition in the title (designs.regions). D1 bills each row that a trigger reads or
writes: only totals that change are written, and the traditions are text of the trigger, not rows.
"""

from designs.regions import REGION_OF_TRADITION

ATTRIBUTES = ("category", "style", "occasion")
REGION, ALL = "region", "all"  # ALL has one value, the same word: how many designs there are
# Each field with the column of designs that its value comes from.
COLUMN_OF = {ALL: None, **{name: name for name in ATTRIBUTES}, REGION: "title"}


def sql_text(value: str) -> str:
    return "'{}'".format(value.replace("'", "''"))


def day_of(row: str, column: str = "created_at") -> str:
    """The day (UTC) of a time, which SQLite and D1 keep as text."""
    return f"substr({row}.{column}, 1, 10)"


def by_day(day: str, column: str, amount: str) -> str:
    """The statements that add to one column of a day.

    The row is made by an INSERT of its own, not by an upsert: the OR IGNORE of the outer statement would apply to
    that, too. A day to take away from has one.
    """
    make = "" if amount.startswith("-") else f"{new_day(day)}; "
    return f"{make}{added_to_day(day, column, amount)};"


def new_day(day: str) -> str:
    """The statement that makes the row of a day unless it is there."""
    return (
        f"INSERT INTO day_totals (day, views, likes, designs) SELECT {day}, 0, 0, 0 "
        f"WHERE NOT EXISTS (SELECT 1 FROM day_totals WHERE day = {day})"
    )


def added_to_day(day: str, column: str, amount: str) -> str:
    """The statement that adds to one column of a day whose row is there."""
    return f"UPDATE day_totals SET {column} = {column} + {amount} WHERE day = {day}"


def is_live(design: str) -> str:
    """The condition that a row of designs is outside the trash."""
    return f"({design}.status <> 'deleted')"


def of_live_design(row: str) -> str:
    """The condition that a row of another table belongs to a design outside the trash."""
    return f"(SELECT status FROM designs WHERE id = {row}.design_id) IS NOT 'deleted'"


def all_days(design: str, sign: str) -> str:
    """The statement that adds all that a row of designs has had to its days ("+"), or takes it away."""
    return (
        f"UPDATE day_totals SET views = day_totals.views {sign} had.views, "
        f"likes = day_totals.likes {sign} had.likes, designs = day_totals.designs {sign} had.designs "
        f"FROM (SELECT day, sum(views) AS views, sum(likes) AS likes, "
        f"sum(designs) AS designs FROM (SELECT {day_of(design)} AS day, 0 AS views, 0 AS likes, 1 AS designs "
        f"UNION ALL SELECT day, views, likes, 0 FROM daily_counts WHERE design_id = {design}.id "
        f"UNION ALL SELECT {day_of('f')}, 0, 1, 0 FROM user_favorites AS f WHERE f.design_id = {design}.id) "
        f"GROUP BY day) AS had WHERE day_totals.day = had.day;"
    )


def region_of(row: str) -> str:
    """The region of a row of designs, by the longest tradition in its title."""
    longest_first = sorted(REGION_OF_TRADITION.items(), key=lambda item: -len(item[0]))
    cases = " ".join(
        f"WHEN instr(title, {sql_text(f' {tradition} ')}) THEN {sql_text(region)}"
        for tradition, region in longest_first
    )
    return f"(SELECT (CASE {cases} END) FROM (SELECT ' ' || lower({row}.title) || ' ' AS title))"


def value_of(field: str, row: str) -> str:
    """The value of a field that a row of designs is counted under; none if it is empty or null."""
    if field == REGION:
        return region_of(row)
    return sql_text(ALL) if field == ALL else f"{row}.{field}"


def add_value(field: str, row: str) -> str:
    """The statements that add a row of designs to the total of its value, which they make if there is none."""
    return (
        f"{change_value(field, row, '+')} "
        f"INSERT INTO value_totals (field, value, status, count) SELECT '{field}', v.value, {row}.status, 1 "
        f"FROM (SELECT {value_of(field, row)} AS value) AS v WHERE v.value <> '' AND NOT EXISTS (SELECT 1 "
        f"FROM value_totals AS t WHERE t.field = '{field}' AND t.value = v.value AND t.status = {row}.status);"
    )


def change_value(field: str, row: str, sign: str) -> str:
    """The statement that adds a row of designs to the total of its value ("+"), if there is one, or takes it away."""
    return (
        f"UPDATE value_totals SET count = count {sign} 1 "
        f"WHERE field = '{field}' AND value = {value_of(field, row)} AND status = {row}.status;"
    )


def change_trigger(field: str) -> str:
    """The body of the trigger that moves a design from one total of a field to another."""
    column = COLUMN_OF[field]
    differs = f"{value_of(field, 'old')} IS NOT {value_of(field, 'new')} OR " if column else ""
    return (
        f"AFTER UPDATE OF {f'{column}, ' if column else ''}status ON designs "
        f"WHEN {differs}old.status IS NOT new.status "
        f"BEGIN {change_value(field, 'old', '-')} {add_value(field, 'new')} END"
    )


MOVED = f"{day_of('old')} IS NOT {day_of('new')}"


def moved(column: str) -> str:
    return f"{by_day(day_of('old'), column, '-1')} {by_day(day_of('new'), column, '1')}"


USER_IS_THERE = "EXISTS (SELECT 1 FROM users WHERE id = old.user_id)"
# Not for a design that is gone too.
NOTE_LIKE_OF_DELETED = (
    f"INSERT INTO daily_counts (day, design_id, views, likes) SELECT {day_of('old')}, id, 0, 0 FROM designs "
    "WHERE id = old.design_id AND NOT EXISTS (SELECT 1 FROM daily_counts AS c "
    f"WHERE c.design_id = old.design_id AND c.day = {day_of('old')}); "
    f"UPDATE daily_counts SET likes = likes + 1 WHERE design_id = old.design_id AND day = {day_of('old')};"
)


BODIES = {
    "totals_design_insert": (
        f"AFTER INSERT ON designs BEGIN {by_day(day_of('new'), 'designs', is_live('new'))} "
        f"{' '.join(add_value(field, 'new') for field in COLUMN_OF)} END"
    ),
    "totals_design_delete": (
        f"AFTER DELETE ON designs BEGIN {by_day(day_of('old'), 'designs', '-1')} "
        f"{' '.join(change_value(field, 'old', '-') for field in COLUMN_OF)} END"
    ),
    # What refers to it may go after it, when nobody can tell any more that it was in the trash.
    "totals_trash_delete": (
        f"AFTER DELETE ON designs WHEN NOT {is_live('old')} BEGIN {all_days('old', '+')} END"
    ),
    **{f"totals_{field}_change": change_trigger(field) for field in COLUMN_OF},
    "totals_design_move": (
        f"AFTER UPDATE OF created_at ON designs WHEN {MOVED} AND {is_live('old')} AND {is_live('new')} "
        f"BEGIN {moved('designs')} END"
    ),
    "totals_design_trash": (
        f"AFTER UPDATE OF status ON designs WHEN {is_live('old')} AND NOT {is_live('new')} "
        f"BEGIN {all_days('old', '-')} END"
    ),
    "totals_design_restore": (
        f"AFTER UPDATE OF status ON designs WHEN {is_live('new')} AND NOT {is_live('old')} "
        f"BEGIN {new_day(day_of('new'))}; {all_days('new', '+')} END"
    ),
    "totals_like_insert": (
        f"AFTER INSERT ON user_favorites WHEN {of_live_design('new')} "
        f"BEGIN {by_day(day_of('new'), 'likes', '1')} END"
    ),
    "totals_like_delete": (
        f"AFTER DELETE ON user_favorites WHEN {of_live_design('old')} AND {USER_IS_THERE} "
        f"BEGIN {by_day(day_of('old'), 'likes', '-1')} END"
    ),
    # A day keeps the likes of accounts that were deleted since, whose favourites go after the user. They are noted
    # with the views of the design, and like these they go and come back with it.
    "totals_like_leave": (
        f"AFTER DELETE ON user_favorites WHEN NOT {USER_IS_THERE} BEGIN {NOTE_LIKE_OF_DELETED} END"
    ),
    "totals_like_move": (
        f"AFTER UPDATE OF created_at ON user_favorites WHEN {MOVED} AND {of_live_design('new')} "
        f"BEGIN {moved('likes')} END"
    ),
    # Not for a count of nothing: designs.old_days empties those whose totals it has moved.
    "totals_view_delete": (
        f"AFTER DELETE ON daily_counts WHEN (old.views <> 0 OR old.likes <> 0) AND {of_live_design('old')} "
        "BEGIN UPDATE day_totals SET views = views - old.views, likes = likes - old.likes WHERE day = old.day; END"
    ),
}

RECOUNT = [
    "DELETE FROM day_totals",
    "INSERT INTO day_totals (day, views, likes, designs) SELECT day, sum(views), sum(likes), sum(designs) FROM ("
    f"SELECT {day_of('d')} AS day, 0 AS views, 0 AS likes, 1 AS designs FROM designs AS d WHERE {is_live('d')} "
    "UNION ALL SELECT c.day, c.views, c.likes, 0 FROM daily_counts AS c "
    f"JOIN designs AS d ON d.id = c.design_id WHERE {is_live('d')} "
    f"UNION ALL SELECT {day_of('f')}, 0, 1, 0 FROM user_favorites AS f "
    f"JOIN designs AS d ON d.id = f.design_id WHERE {is_live('d')}) GROUP BY day",
    "DELETE FROM value_totals",
    *(
        "INSERT INTO value_totals (field, value, status, count) "
        f"SELECT '{field}', v.value, v.status, count(*) FROM "
        f"(SELECT {value_of(field, 'd')} AS value, d.status FROM designs AS d) AS v "
        "WHERE v.value <> '' GROUP BY v.value COLLATE NOCASE, v.status"
        for field in COLUMN_OF
    ),
]
