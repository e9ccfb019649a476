"""Read your writes: a writing batch returns the new changes with its own result, and they are applied at once."""

import logging
import sqlite3
import time
from collections.abc import Sequence

from d1backend.protocol.api import Result
from d1backend.replica.changes import NeedsRefill, changes_query, parse_changes
from d1backend.replica.host import Host
from d1backend.replica.registry import host_of_source
from d1backend.transaction.tail import Tail

log = logging.getLogger(__name__)


class ChangesTail(Tail):
    """Asks for the changes that one replica lacks. A fault of the replica never fails the commit."""

    def __init__(self, host: Host, changes_schema: bool) -> None:
        self._host, self._started = host, time.time()
        self._opened = host.directory.open_current()
        if self._opened is None:
            return
        copy = self._opened.copy
        try:
            if changes_schema:
                # A table that is remade loses its log triggers: compare the schema until a sync has done so.
                copy.schema_checked_at = 0.0
            self._since, check_schema = copy.seq, not copy.schema_checked_at
        except sqlite3.Error:
            self._opened = None
        else:
            self.statements = changes_query(copy.tables.values(), self._since, check_schema=check_schema)

    def receive_answers(self, answers: Sequence[Result]) -> None:
        if self._opened is None:
            self.answers_lost()
            return
        try:
            self._host.apply_commit(self._opened, parse_changes(answers, self._since, self._started))
        except NeedsRefill:
            self.answers_lost()
        except Exception:
            log.exception("A commit's changes could not be applied to the replica.")
            self.answers_lost()

    def answers_lost(self) -> None:
        try:
            self._host.directory.mark_dirty()
        except OSError:
            log.exception("The replica's directory cannot be written.")


def changes_tail(source: str, changes_schema: bool) -> Tail | None:
    """The tail of the next writing batch to a source, None when it has no replica (tail.TailFactory)."""
    host = host_of_source(source)
    return None if host is None else ChangesTail(host, changes_schema)
