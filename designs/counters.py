"""Views of designs and searches that found little: added up in this process, then in a file of its host, from which
one process writes them.

A process that is killed loses the counts of its last half second, and those that it is writing; one that exits writes
them first.
"""

import atexit
import json
import logging
import os
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, close_old_connections, connection, connections, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from core import races
from d1backend import OutcomeUnknown, RateLimited
from d1backend.protocol.budget import Spender, spending
from d1backend.replica import note_counts
from designs import search_counts, totals, view_spool
from designs.search_counts import Asked, Key
from designs.view_spool import SeenViews, Taken

logger = logging.getLogger("gallery.counters")

PAUSE = 0.5  # seconds: how often a process hands its views over, and looks whether they are to be written
# D1 bills each row that is read, so keys are literals: a join with json_each() reads twice as many. Designs that were
# purged after they were seen are left out; those in the trash, of the total of the day (designs.totals).
SEEN = """json_extract(%s, '$."' || id || '"')"""
ADD_TO_DESIGNS = "UPDATE designs SET view_count = view_count + {seen} WHERE id IN ({ids})"
ADD_TO_DAYS = """
    INSERT INTO daily_counts (day, design_id, views, likes) SELECT %s, id, {seen}, 0 FROM designs WHERE id IN ({ids})
    ON CONFLICT (design_id, day) DO UPDATE SET views = views + excluded.views
"""
MAKE_DAY_TOTAL = totals.new_day("%s")
ADD_TO_DAY_TOTAL = totals.added_to_day(
    "%s",
    "views",
    "(SELECT coalesce(sum({seen}), 0) FROM designs WHERE id IN ({ids}) AND status <> 'deleted')",
)


# A row read and two written for each phrase, which are few; what is too old is found by the index.
ADD_SEARCHES = """
    INSERT INTO search_counts (week, phrase, count, found)
    SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(%s) WHERE true
    ON CONFLICT (week, phrase) DO UPDATE SET count = count + excluded.count, found = excluded.found
"""
FORGET_SEARCHES = "DELETE FROM search_counts WHERE week < %s"
NONE_ASKED: Mapping[Key, Asked] = MappingProxyType({})


class Counts:
    """What this process counted that is not in the file yet: views by day (UTC) and design, and searches."""

    def __init__(self) -> None:
        self.forget()
        atexit.register(self.write_last)
        # A child must not write its parent's views, inherit a locked lock, or count on a thread that it does not have.
        os.register_at_fork(after_in_child=self.forget)

    def forget(self) -> None:
        self.lock = threading.Lock()
        self.writing = threading.Lock()
        self.pending: SeenViews = Counter()
        self.searches: dict[Key, Asked] = {}
        # A process that was killed may have left some in the file.
        self.may_be_in_file = True
        self.thread: threading.Thread | None = None

    @property
    def file(self) -> Path:
        return Path(settings.DATA) / "views.sqlite3"

    def add(self, design_id: int) -> None:
        """Count one view. The first count starts the thread that writes."""
        day = timezone.now().date().isoformat()
        with self.lock:
            self.pending[day, design_id] += 1
            self.start()

    def add_search(self, text: str, found: int, caller: str) -> None:
        """Count a search that found so many designs, if those are few, for a caller whose name is not kept."""
        with self.lock:
            search_counts.note(self.searches, text, found, caller)
            if self.searches:
                self.start()

    def start(self) -> None:
        if self.thread is None and settings.VIEW_FLUSH_SECONDS:
            self.thread = threading.Thread(target=self.write_repeatedly, name="view-counter", daemon=True)
            self.thread.start()

    def flush(self, every: float = 0.0) -> None:
        """Write the host's counts, in one round trip, unless some were written in the last `every` seconds.

        After an error they stay in the file, and the error is raised. If D1 does not say either whether they were
        written, they are given up, so that none counts twice.
        """
        with self.writing:
            self.hand_over()
            if not self.may_be_in_file:
                return
            taken = view_spool.take(self.file, every)
            if taken is None:
                return
            self.may_be_in_file = view_spool.may_have_left(taken)
            if not any(taken):
                return
            try:
                with spending(Spender.REST, "views"):
                    write_counts(*taken)
            except BaseException as error:
                if not isinstance(error, OutcomeUnknown) or races.is_known_unwritten(error):
                    self.keep(taken)
                    self.hand_over()
                raise

    def hand_over(self) -> None:
        """Move the pending counts to the file."""
        with self.lock:
            handed = Taken(self.pending, self.searches)
            self.pending, self.searches = Counter(), {}
        if not any(handed):
            return
        try:
            view_spool.add(self.file, *handed)
        except BaseException:
            self.keep(handed)
            raise
        self.may_be_in_file = True

    def keep(self, counts: Taken) -> None:
        with self.lock:
            self.pending.update(counts.views)
            search_counts.merge(self.searches, counts.searches)

    def write_repeatedly(self) -> None:
        """Write whenever it is time, over one connection: on D1 a new one reads the whole schema first."""
        try:
            while seconds := settings.VIEW_FLUSH_SECONDS:
                time.sleep(min(PAUSE, seconds))
                self.try_flush(seconds)
        finally:
            connections.close_all()

    def write_last(self) -> None:
        if self.thread is not None:
            self.try_flush(0.0)
            connections.close_all()

    def try_flush(self, every: float) -> None:
        """As `flush`; a failure is logged, and the connection that saw it is not used again."""
        close_old_connections()
        try:
            self.flush(every)
        except RateLimited as error:
            logger.info("counts wait for the next time: %s", error)
        except Exception:
            logger.warning("counts could not be written, and are kept for the next time", exc_info=True)
            connections.close_all()


def write_counts(views: SeenViews, asked: Mapping[Key, Asked] = NONE_ASKED) -> None:
    """Add views to the designs, to their counts by day and to the totals of the days, and searches to their weeks.

    It is one transaction.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        if views:
            write_views(cursor, views)
        if asked:
            write_searches(cursor, asked)


def write_views(cursor: CursorWrapper, views: SeenViews) -> None:
    by_design: Counter[int] = Counter()
    by_day: dict[str, Counter[int]] = defaultdict(Counter)
    for (day, design_id), count in views.items():
        by_design[design_id] += count
        by_day[day][design_id] += count
    cursor.execute(with_ids(ADD_TO_DESIGNS, by_design), [json.dumps(by_design)])
    for day, seen in by_day.items():
        counts = json.dumps(seen)
        cursor.execute(with_ids(ADD_TO_DAYS, seen), [day, counts])
        cursor.execute(MAKE_DAY_TOTAL, [day, day])
        cursor.execute(with_ids(ADD_TO_DAY_TOTAL, seen), [counts, day])
    note_counts(DEFAULT_DB_ALIAS, "designs", by_design)


def write_searches(cursor: CursorWrapper, asked: Mapping[Key, Asked]) -> None:
    rows = [(week, phrase, one.count, one.found) for (week, phrase), one in asked.items()]
    cursor.execute(ADD_SEARCHES, [json.dumps(rows, ensure_ascii=False)])
    oldest = search_counts.this_week() - timedelta(weeks=search_counts.WEEKS_KEPT)
    cursor.execute(FORGET_SEARCHES, [oldest.isoformat()])


def with_ids(sql: str, ids: Iterable[int]) -> str:
    return sql.format(seen=SEEN, ids=", ".join(str(int(design_id)) for design_id in ids))


_counts = Counts()
add_view = _counts.add
add_search = _counts.add_search
flush = _counts.flush
