"""A commit brings the new changes back in its own batch, so that who wrote sees it at once."""

import time
from typing import Any

from ..tail import Tail
from . import changes
from .host import Host
from .registry import host_of_source
from .source import read_news


class NewsTail(Tail):
    """Asks for the news of one replica."""

    def __init__(self, host: Host) -> None:
        self._host, self._started = host, time.time()
        self._generation = host.generation if host.follows() else None
        if self._generation is not None:
            self._since = self._generation.copy.seq
            self.statements = changes.news(self._generation.copy.shapes.values(), self._since)

    def came(self, answers: list[dict[str, Any]]) -> None:
        if self._generation is None:
            self.lost()
            return
        try:
            news = read_news(answers, self._since, self._started)
        except LookupError:
            self.lost()
        else:
            self._host.take(self._generation, news)

    def lost(self) -> None:
        self._host.missed()


def new_tail(source: str) -> Tail:
    """What the next writing batch to a source brings along."""
    host = host_of_source(source)
    return Tail() if host is None else NewsTail(host)
