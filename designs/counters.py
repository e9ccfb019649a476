"""Views of designs: added up in this process, written every few seconds in one transaction of two statements.

A process that is killed loses the views of its last seconds; one that exits writes them first.
"""

import atexit
import json
import logging
import os
import threading
import time
from collections import Counter

from django.conf import settings
from django.db import close_old_connections, connection, connections, transaction
from django.utils import timezone

from core import races
from d1backend import OutcomeUnknown, RateLimited
from d1backend.protocol.budget import Spender, spending

logger = logging.getLogger("gallery.counters")

ADD_TO_DESIGNS = """
    UPDATE designs SET view_count = view_count + seen.views
    FROM (
        SELECT json_extract(value, '$[1]') AS design_id, SUM(json_extract(value, '$[2]')) AS views
        FROM json_each(%s) GROUP BY 1
    ) AS seen
    WHERE designs.id = seen.design_id
"""
# The join leaves out designs that were deleted after they were seen.
ADD_TO_DAYS = """
    INSERT INTO daily_counts (day, design_id, views)
    SELECT json_extract(seen.value, '$[0]'), designs.id, json_extract(seen.value, '$[2]')
    FROM json_each(%s) AS seen
    JOIN designs ON designs.id = json_extract(seen.value, '$[1]')
    WHERE true
    ON CONFLICT (day, design_id) DO UPDATE SET views = views + excluded.views
"""


class Views:
    """The views of this process that are not written yet, by day (UTC) and design."""

    def __init__(self) -> None:
        self.forget()
        atexit.register(self.write_last)
        # A child must not write its parent's views, inherit a locked lock, or count on a thread that it does not have.
        os.register_at_fork(after_in_child=self.forget)

    def forget(self) -> None:
        self.lock = threading.Lock()
        self.writing = threading.Lock()
        self.pending: Counter[tuple[str, int]] = Counter()
        self.thread: threading.Thread | None = None

    def add(self, design_id: int) -> None:
        """Count one view. The first starts the thread that writes."""
        day = timezone.now().date().isoformat()
        with self.lock:
            self.pending[day, design_id] += 1
            if self.thread is None and settings.VIEW_FLUSH_SECONDS:
                self.thread = threading.Thread(target=self.write_repeatedly, name="view-counter", daemon=True)
                self.thread.start()

    def flush(self) -> None:
        """Write the pending views, in one round trip. After an error they stay pending, and the error is raised.

        If D1 does not say either whether they were written, they are given up, so that none counts twice.
        """
        with self.writing:
            with self.lock:
                taken, self.pending = self.pending, Counter()
            if not taken:
                return
            try:
                with spending(Spender.REST, "views"):
                    write_views(taken)
            except BaseException as error:
                if not isinstance(error, OutcomeUnknown) or races.is_known_unwritten(error):
                    with self.lock:
                        self.pending.update(taken)
                raise

    def write_repeatedly(self) -> None:
        """Write every few seconds over one connection: on D1 a new one reads the whole schema first."""
        try:
            while seconds := settings.VIEW_FLUSH_SECONDS:
                time.sleep(seconds)
                self.try_flush()
        finally:
            connections.close_all()

    def write_last(self) -> None:
        if self.thread is not None:
            self.try_flush()
            connections.close_all()

    def try_flush(self) -> None:
        """As `flush`; a failure is logged, and the connection that saw it is not used again."""
        close_old_connections()
        try:
            self.flush()
        except RateLimited as error:
            logger.info("views wait for the next time: %s", error)
        except Exception:
            logger.warning("views could not be written, and are kept for the next time", exc_info=True)
            connections.close_all()


def write_views(views: Counter[tuple[str, int]]) -> None:
    """Add the views to the designs and to their counts by day."""
    rows = json.dumps([[day, design_id, count] for (day, design_id), count in views.items()])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ADD_TO_DESIGNS, [rows])
        cursor.execute(ADD_TO_DAYS, [rows])


_views = Views()
add_view = _views.add
flush = _views.flush
