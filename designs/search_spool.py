"""The searches of this host that found little, in the file of its counts (designs.view_spool).

A phrase waits there until enough callers have asked for it in its week; then its count is taken to be written, and the
marks of its callers are gone.
"""

import json
import sqlite3
from collections.abc import Mapping
from datetime import timedelta

from designs.search_counts import CALLERS, Asked, Key, this_week

MOST_WAITING = 5000  # phrases that too few have asked for; the oldest are forgotten first
MOST_COUNTED = 500  # phrases of a host in one week
MOST_TAKEN = 500
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS asked (week TEXT, phrase TEXT, count INTEGER, found INTEGER, marks TEXT, "
    "counted INTEGER, PRIMARY KEY (week, phrase))",
)


def add(db: sqlite3.Connection, asked: Mapping[Key, Asked]) -> None:
    """Add searches, and let those be counted that enough callers have asked for."""
    for key, more in asked.items():
        ((counted, marks),) = db.execute(
            "SELECT counted, marks FROM asked WHERE week = ? AND phrase = ?", key
        ).fetchall() or [(False, "[]")]
        together = {*json.loads(marks), *more.marks}
        is_counted = counted or (len(together) >= CALLERS and has_room(db, key[0]))
        kept = [] if is_counted else sorted(together)[:CALLERS]
        db.execute(
            "INSERT INTO asked VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count, "
            "found = excluded.found, marks = excluded.marks, counted = excluded.counted",
            (*key, more.count, more.found, json.dumps(kept), is_counted),
        )
    if asked:
        forget(db)


def has_room(db: sqlite3.Connection, week: str) -> bool:
    ((count,),) = db.execute("SELECT count(*) FROM asked WHERE week = ? AND counted", (week,)).fetchall()
    return bool(count < MOST_COUNTED)


def forget(db: sqlite3.Connection) -> None:
    """Forget the weeks before the last one, and the oldest of too many phrases that wait."""
    last = (this_week() - timedelta(days=7)).isoformat()
    db.execute("DELETE FROM asked WHERE week < ?", (last,))
    db.execute(
        "DELETE FROM asked WHERE rowid IN "
        "(SELECT rowid FROM asked WHERE NOT counted ORDER BY rowid DESC LIMIT -1 OFFSET ?)",
        (MOST_WAITING,),
    )


def take(db: sqlite3.Connection) -> dict[Key, Asked]:
    """Remove and return what is counted and not written yet."""
    rows = db.execute(
        "SELECT week, phrase, count, found FROM asked WHERE counted AND count > 0 LIMIT ?", (MOST_TAKEN,)
    ).fetchall()
    db.executemany("UPDATE asked SET count = 0 WHERE week = ? AND phrase = ?", [row[:2] for row in rows])
    return {(week, phrase): Asked(count, found) for week, phrase, count, found in rows}
