"""How a process counts searches that found little: by week and phrase, with marks that tell callers apart."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.conf import settings
from django.utils import timezone

from designs.models import PHRASE_LENGTH
from designs.search.tokens import fold, split

LITTLE = 3  # designs: a search that finds no more found little
CALLERS = 3  # who must have asked for a phrase before it is counted
MOST_PENDING = 500  # phrases of a process between two of its hand-overs to the file; more are not counted
WEEKS_KEPT = 53

Key = tuple[str, str]  # the week, by its Monday, and the phrase


@dataclass
class Asked:
    """How often a phrase was asked for, what it found the last time, and the marks of up to CALLERS callers."""

    count: int = 0
    found: int = 0
    marks: set[int] = field(default_factory=set)

    def add(self, count: int, found: int, marks: Iterable[int]) -> None:
        self.count += count
        self.found = found
        for mark in marks:
            if len(self.marks) < CALLERS:
                self.marks.add(mark)


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def this_week() -> date:
    return monday_of(timezone.now().date())


def phrase_of(text: str) -> str:
    """What was typed as searches compare it, cut to the length of the column at the end of a word."""
    phrase = " ".join(split(fold(text)))
    return phrase if len(phrase) <= PHRASE_LENGTH else phrase[: PHRASE_LENGTH + 1].rpartition(" ")[0]


def mark_of(key: Key, caller: str) -> int:
    """Eight bits by which a caller is told from most others, of one phrase in one week only."""
    secret = hashlib.sha256(settings.SECRET_KEY.encode()).digest()
    text = "\n".join((*key, caller)).encode("utf-8", "surrogateescape")
    return hashlib.blake2b(text, digest_size=1, key=secret, person=b"search").digest()[0]


def note(pending: dict[Key, Asked], text: str, found: int, caller: str) -> None:
    """Add a search to those that are pending, if it found little and has a word."""
    if found > LITTLE or not (phrase := phrase_of(text)):
        return
    key = (this_week().isoformat(), phrase)
    if key in pending or len(pending) < MOST_PENDING:
        pending.setdefault(key, Asked()).add(1, found, [mark_of(key, caller)])


def merge(pending: dict[Key, Asked], more: Mapping[Key, Asked]) -> None:
    """Add what could not be stored to what came since."""
    for key, asked in more.items():
        newer = pending.setdefault(key, Asked(found=asked.found))
        newer.add(asked.count, newer.found if newer.count else asked.found, asked.marks)
