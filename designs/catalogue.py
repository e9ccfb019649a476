"""How the catalogue stands, and what was found out about it since it last changed.

The database keeps a stamp of two random words (designs.triggers). An answer that is remembered beside the word that
held before and after it was found out is the answer for as long as that word stands: no clock comes into it.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from typing import Any, NamedTuple, TypeVar

from django.db import connections, router

from core import sql
from designs.models import CatalogueVersion as CatalogueStamp

Q = TypeVar("Q", bound=Hashable)
T = TypeVar("T")


class Stamp(NamedTuple):
    """`listing` changes with all that lists find and show but likes and views, `content` with likes too."""

    listing: str
    content: str


def stamp() -> Stamp | None:
    """The stamp as it is now; None where asking would be a round trip, or nothing was ever stored."""
    alias = router.db_for_read(CatalogueStamp)
    if hasattr(connections[alias], "round_trips"):
        return None
    found = sql.rows("SELECT listing, content FROM catalogue_version", (), alias)
    return Stamp(*found[0]) if found else None


class Memory:
    """Answers of one process by question and word of the stamp; the longest unused are forgotten."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.lock = threading.Lock()
        self.known: OrderedDict[tuple[str, Hashable], Any] = OrderedDict()

    def answer(self, word: str, question: Hashable, ask: Callable[[], T]) -> T:
        """What `ask` answers while the stamp holds `word`, which was read before this call."""
        return self.answers(word, [question], lambda questions: {question: ask()})[question]

    def answers(self, word: str, questions: Iterable[Q], ask: Callable[[list[Q]], dict[Q, T]]) -> dict[Q, T]:
        """The same of several questions; `ask` is asked those that are not known, and need not answer all."""
        found: dict[Q, T] = {}
        missing: list[Q] = []
        with self.lock:
            for question in questions:
                if (word, question) in self.known:
                    self.known.move_to_end((word, question))
                    found[question] = self.known[word, question]
                else:
                    missing.append(question)
        if missing:
            new = ask(missing)
            found |= new
            if word in (stamp() or ()):
                self.remember(word, new)
        return found

    def remember(self, word: str, new: dict[Q, T]) -> None:
        with self.lock:
            self.known.update({(word, question): answer for question, answer in new.items()})
            while len(self.known) > self.size:
                self.known.popitem(last=False)


small = Memory(4096)  # counts, the ids of pages: about a kilobyte each
facets = Memory(128)  # about a hundred kilobytes each
designs = Memory(8192)  # designs as JSON: about a kilobyte each
orders = Memory(16)  # the ids of whole lists, of 8 bytes each
