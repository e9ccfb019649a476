"""Limits on calls: how many a client may make at once, and in which time they come back.

`take` counts, and every answer under /api says how much is left (core.limits.middleware). The counts lie in a file of
this host, or in the Redis of CACHE_URL: docs/decisions/0016-limits-in-a-shared-file.md.
"""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, NamedTuple, Self

from django.conf import settings

from core.errors import TooMany
from core.limits.cells import SECOND, Cell, Cells, HostCells
from core.limits.shared_cells import SharedCells
from core.metrics.requests import THROTTLED
from core.request_body import NOTES

DAY = 86_400  # seconds
REDIS = "core.cache.SteadyRedisCache"
TOO_MANY_REQUESTS, TOO_MANY_ATTEMPTS = "too_many_requests", "too_many_attempts"
SENTENCES = {
    TOO_MANY_REQUESTS: "Too many requests. Please try again later.",
    TOO_MANY_ATTEMPTS: "Too many attempts. Please wait before the next one.",
}

host_cells = HostCells(settings.DATA / "limits")
shared_cells = SharedCells(host_cells)


class Limit(NamedTuple):
    """At most `most` calls at once, which come back one by one within `seconds`."""

    name: str
    most: int
    seconds: int

    @classmethod
    def of(cls, setting: str) -> Self:
        """Return the limit of a setting, which is its name, for (most, seconds)."""
        return cls(setting, *getattr(settings, setting))

    @property
    def step(self) -> int:
        """The microseconds in which one call comes back."""
        return self.seconds * SECOND // self.most


class Standing(NamedTuple):
    """How a client stands with a limit: the calls left, and the whole seconds until all of them are back."""

    limit: int
    remaining: int
    reset: int


class Allowance(NamedTuple):
    """What one client has of a limit."""

    limit: Limit
    who: str

    @property
    def cell(self) -> Cell:
        return _cell(self)

    def look(self) -> Standing:
        return self.standing(store().shift(self.cell))

    def require(self, code: str) -> None:
        """Raise TooMany with `code` if nothing is left. Counts nothing."""
        ahead = store().shift(self.cell)
        if self.wait(ahead):
            self._note(ahead)
            THROTTLED.labels(self.limit.name).inc()
            raise TooMany(SENTENCES[code], code=code, retry_after=self.wait(ahead))

    def add(self) -> None:
        """Count one call that has happened, even if nothing is left."""
        self._note(store().shift(self.cell, self.cell.step), counted=True)

    def give_back(self) -> None:
        """Take back one call, which was counted before its outcome was known."""
        self._note(store().shift(self.cell, -self.cell.step))

    def refill(self) -> None:
        """Forget all that was counted."""
        self._note(store().shift(self.cell, -(2**53)))

    def hold(self, seconds: int) -> None:
        """Allow no call for so many seconds, and then one."""
        cell = self.cell
        least = cell.room - cell.step + seconds * SECOND
        self._note(store().shift(cell, least=least), counted=True)

    def standing(self, ahead: int) -> Standing:
        """Return the standing where the moment of the full limit lies so many microseconds ahead."""
        used = -(-ahead // self.cell.step)
        return Standing(self.limit.most, max(0, self.limit.most - used), -(-ahead // SECOND))

    def wait(self, ahead: int) -> int:
        """Return the whole seconds until one call is allowed; 0 if one is now."""
        return max(0, -(-(ahead + self.cell.step - self.cell.room) // SECOND))

    def _note(self, ahead: int, *, counted: bool = False) -> None:
        notes = _notes.get()
        if notes is not None:
            notes.standings[self] = self.standing(ahead)
            (notes.counted.add if counted else notes.counted.discard)(self)


@lru_cache(maxsize=1024)
def _cell(allowance: Allowance) -> Cell:
    # A keyed hash: nobody can choose an address or a name that shares another one's cell.
    secret = hashlib.sha256(settings.SECRET_KEY.encode()).digest()
    text = f"{allowance.limit.name}\n{allowance.who}".encode("utf-8", "replace")
    key = int.from_bytes(hashlib.blake2b(text, digest_size=8, key=secret).digest(), signed=True)
    return Cell(key, allowance.limit.step, allowance.limit.most)


class Notes:
    """What a request has used: each allowance counts it once, however often a view runs."""

    def __init__(self) -> None:
        self.standings: dict[Allowance, Standing] = {}
        self.counted: set[Allowance] = set()

    @property
    def least(self) -> Standing | None:
        """The standing with the least remaining; of equals the one that takes longest."""
        return min(self.standings.values(), key=lambda one: (one.remaining, -one.reset), default=None)


_notes: ContextVar[Notes | None] = ContextVar("limits_of_request", default=None)


@contextmanager
def noting(environ: dict[str, Any]) -> Iterator[Notes]:
    """Note what is taken in this block for the request of WSGI's environ."""
    notes: Notes = environ.setdefault(NOTES, {}).setdefault("limits", Notes())
    token = _notes.set(notes)
    try:
        yield notes
    finally:
        _notes.reset(token)


def take(*allowances: Allowance, code: str = TOO_MANY_REQUESTS) -> dict[Allowance, Standing]:
    """Count one call in all of the allowances, and return how they stand then.

    What this request has counted already is not counted again, nor returned. Raises TooMany with `code` if one of them
    is used up; then none counts the call.
    """
    notes = _notes.get()
    if notes is not None:
        allowances = tuple(one for one in allowances if one not in notes.counted)
    if not allowances:
        return {}
    taken = store().take([one.cell for one in allowances])
    standings = {one: one.standing(ahead) for one, ahead in zip(allowances, taken.ahead, strict=True)}
    if notes is not None:
        notes.standings.update(standings)
        if taken.allowed:
            notes.counted.update(allowances)
    if not taken.allowed:
        waits = {one: one.wait(ahead) for one, ahead in zip(allowances, taken.ahead, strict=True)}
        wait = max(waits.values())
        THROTTLED.labels(max(waits, key=waits.__getitem__).limit.name).inc()
        raise TooMany(SENTENCES[code], code=code, retry_after=max(1, wait))
    return standings


def show(*allowances: Allowance) -> None:
    """Let the answer say how these stand, too, without counting the call."""
    notes = _notes.get()
    if notes is not None:
        for one in allowances:
            notes.standings.setdefault(one, one.look())


def registrations_of(network: str) -> Allowance:
    return Allowance(Limit.of("REGISTRATIONS"), network)


def now() -> int:
    """Return the microseconds since 1970 by this host's clock."""
    return time.time_ns() // 1000


def store() -> Cells:
    """Where limits are counted: in Redis if CACHE_URL names one, else in this host's file."""
    return shared_cells if settings.CACHES["default"]["BACKEND"] == REDIS else host_cells
