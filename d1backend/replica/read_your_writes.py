"""Read your writes: a writing batch returns the new changes with its own result, and they are applied at once."""

import logging
import time
from collections.abc import Sequence

from d1backend.protocol.api import Result
from d1backend.replica.changes import NeedsRefill, changes_query, parse_changes
from d1backend.replica.copy import ReplicaCopy
from d1backend.replica.directory import OpenCopy
from d1backend.replica.host import Host
from d1backend.replica.registry import host_of_source
from d1backend.transaction.tail import Tail

log = logging.getLogger(__name__)


class ChangesTail(Tail):
    """Asks for the changes that one replica lacks. A fault of the replica never fails the commit."""

    def __init__(self, host: Host) -> None:
        self._host, self._started = host, time.time()
        self._opened: OpenCopy | None = None
        try:
            opened = host.directory.open_current()
            # A copy that is being replaced may have columns that D1 no longer has.
            if opened is not None and not opened.copy.is_obsolete:
                self._query_changes(opened.copy)
                self._opened = opened
        except Exception:
            log.exception("The copy of the replica cannot be read.")

    def _query_changes(self, copy: ReplicaCopy) -> None:
        self._shape, self._since = copy.shape(), copy.seq
        self.statements = changes_query(self._shape, self._since)

    def receive_answers(self, answers: Sequence[Result]) -> None:
        if self._opened is None:
            self.answers_lost()
            return
        try:
            # parse_changes() raises NeedsRefill; apply_commit() does not.
            change_set = parse_changes(answers, self._shape, self._since, self._started)
            self._host.apply_commit(self._opened, change_set)
        except NeedsRefill:
            self.answers_lost()
        except Exception:
            log.exception("A commit's changes could not be applied to the replica.")
            self.answers_lost()

    def answers_lost(self) -> None:
        try:
            self._host.directory.mark_dirty()
        except Exception:
            log.exception("The directory of the replica cannot be written.")


def changes_tail(alias: str, changes_schema: bool) -> Tail | None:
    """The tail of the next writing batch to a database, None when it has no replica.

    Registered in replica/base.py; transaction/session.py calls it before each writing batch.
    """
    host = host_of_source(alias)
    return None if host is None else ChangesTail(host)
