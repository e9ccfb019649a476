"""The counts of this host, in a file: its processes add theirs, and one of them takes all to write them.

They are the views of designs, and the searches that found little (designs.search_spool).
"""

import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from designs import search_spool
from designs.search_counts import Asked, Key

# How often each design was seen, by day (UTC) and design.
SeenViews = Counter[tuple[str, int]]

# The statements that write so many stay within D1's 100,000 bytes of SQL.
MOST_TAKEN = 2000
LOCK_SECONDS = 10.0
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS seen (day TEXT, design INTEGER, views INTEGER, PRIMARY KEY (day, design)) "
    "WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS taken (at REAL)",
    *search_spool.SCHEMA,
)


class Taken(NamedTuple):
    """What one write adds to the database."""

    views: SeenViews
    searches: Mapping[Key, Asked]


def add(path: Path, views: SeenViews, searches: Mapping[Key, Asked]) -> None:
    """Add views and searches; raises sqlite3.Error or OSError when they are not stored."""
    rows = [(day, design, count) for (day, design), count in views.items()]
    with transaction(path) as db:
        db.executemany(
            "INSERT INTO seen VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET views = views + excluded.views", rows
        )
        search_spool.add(db, searches)


def take(path: Path, every: float) -> Taken | None:
    """Remove and return the views, at most MOST_TAKEN of them, and the searches that are counted.

    Returns None when some were taken, or the file was made, in the last `every` seconds. They are gone from the file
    before they are written, so a process that is killed meanwhile loses them, and none is written twice. Raises
    sqlite3.Error or OSError.
    """
    now = time.time()
    with transaction(path) as db:
        ((last,),) = db.execute("SELECT at FROM taken").fetchall()
        # A clock that was set back does not hold them back.
        if 0.0 <= now - last < every:
            return None
        rows = db.execute("SELECT day, design, views FROM seen LIMIT ?", (MOST_TAKEN,)).fetchall()
        db.executemany("DELETE FROM seen WHERE day = ? AND design = ?", [row[:2] for row in rows])
        searches = search_spool.take(db)
        if rows or searches:
            db.execute("UPDATE taken SET at = ?", (now,))
    return Taken(Counter({(day, design): count for day, design, count in rows}), searches)


def may_have_left(taken: Taken) -> bool:
    """Whether the file may hold more than was taken at once."""
    return len(taken.views) == MOST_TAKEN or len(taken.searches) == search_spool.MOST_TAKEN


@contextmanager
def transaction(path: Path) -> Iterator[sqlite3.Connection]:
    """A transaction that waits for those of other processes. No connection outlives it, so none crosses a fork."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=LOCK_SECONDS, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        for statement in SCHEMA:
            db.execute(statement)
        db.execute("INSERT INTO taken SELECT ? WHERE NOT EXISTS (SELECT 1 FROM taken)", (time.time(),))
        yield db
        db.execute("COMMIT")
