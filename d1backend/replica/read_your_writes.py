"""A commit brings the new changes back in its own batch, so that who wrote sees it at once."""

import logging
import sqlite3
import time

from d1backend.protocol.api import Result
from d1backend.replica import changes
from d1backend.replica.host import Host
from d1backend.replica.registry import host_of_source
from d1backend.replica.source import UnfitError, read_news
from d1backend.transaction.tail import Tail

log = logging.getLogger(__name__)


class NewsTail(Tail):
    """Asks for the news of one replica. Whatever is wrong with the replica is no failure of the commit."""

    def __init__(self, host: Host, schema: bool) -> None:
        self._host, self._started = host, time.time()
        self._generation = host.follow()
        if self._generation is None:
            return
        copy = self._generation.copy
        try:
            if schema:
                # Until a sync has looked: a table that was remade has lost the triggers that log its changes.
                copy.checked = 0.0
            self._since, unsure = copy.seq, not copy.checked
        except sqlite3.Error:
            self._generation = None
        else:
            self.statements = changes.news(copy.shapes.values(), self._since, schema=unsure)

    def receive_answers(self, answers: list[Result]) -> None:
        if self._generation is None:
            self.answers_lost()
            return
        try:
            self._host.take(self._generation, read_news(answers, self._since, self._started))
        except UnfitError:
            self.answers_lost()
        except Exception:
            log.exception("A commit's changes could not be taken into the replica.")
            self.answers_lost()

    def answers_lost(self) -> None:
        try:
            self._host.missed()
        except OSError:
            log.exception("The replica's directory cannot be written.")


def new_tail(source: str, schema: bool) -> Tail | None:
    """The tail of the next writing batch to a source (tail.TailFactory)."""
    host = host_of_source(source)
    return None if host is None else NewsTail(host, schema)
