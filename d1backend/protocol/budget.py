"""The account's allowance of calls to D1: what this host may spend of it, and who spends how much.

Cloudflare takes 1,200 calls in five minutes for an account and blocks all of them for five minutes after one more:
https://developers.cloudflare.com/fundamentals/api/reference/limits/
A host's share is the allowance divided by the number of hosts. A call that finds no room is refused before it is sent,
so D1 itself never refuses one. docs/d1backend-failures.md has the ceilings; the counts are in ledger.py.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum

from d1backend.errors import RateLimited
from d1backend.options import Settings
from d1backend.protocol.ledger import SLOT, SLOTS, WINDOW, Ledger, Page, Slot
from d1backend.protocol.limit_headers import parse_limit


class Spender(Enum):
    """Who a call to D1 is for, the most important first."""

    SYNC = "sync"  # the replica's reads of the log of changes
    FILL = "fill"  # a copy that is filled from D1
    WRITE = "write"  # writes of signed-in people
    STAFF = "staff"  # the admin console
    REST = "rest"


SYNC, FILL, WRITE, STAFF, REST = range(5)
INDEX = {spender: index for index, spender in enumerate(Spender)}
# Parts of a host's share. Syncs have a reserve that nobody else but a fill may use.
SYNC_PART, FILL_PART = 0.3, 0.75
# Parts of the room, which is the share without the fill's calls and the syncs' reserve: the part that may be used, by
# all three together, when a call of the class is sent; and the part that writes alone may use.
CEILINGS = {WRITE: 1.0, STAFF: 0.9, REST: 0.75}
WRITE_PART = 0.8
# The part of the share that one user or address may use.
USER_PART = 0.25

_spender: ContextVar[tuple[Spender, str]] = ContextVar("d1_spender", default=(Spender.REST, ""))
_is_after_write: ContextVar[bool] = ContextVar("d1_is_after_write", default=False)
_budgets: dict[tuple[str, str], "Budget"] = {}
_lock = threading.Lock()
_waits = False


@contextmanager
def spending(spender: Spender, user: str = "") -> Iterator[None]:
    """Say who the calls to D1 in this block are for. Each `user` has a bucket of their own within the class."""
    token = _spender.set((spender, user))
    try:
        yield
    finally:
        _spender.reset(token)


def spend_as(spender: Spender, user: str) -> None:
    """Change who the calls are for, until the end of the spending() around this; for a user who is known only now."""
    _spender.set((spender, user))


def current_spender() -> tuple[Spender, str]:
    """The class and the user (or "") that the calls are for now."""
    return _spender.get()


@contextmanager
def after_write() -> Iterator[None]:
    """Count the calls of this block and refuse none: they find out what became of a write that was sent."""
    token = _is_after_write.set(True)
    try:
        yield
    finally:
        _is_after_write.reset(token)


def wait_for_room() -> None:
    """Let the calls of this process wait where they would be refused, as a command does that nobody waits for."""
    global _waits
    _waits = True


def waits() -> bool:
    return _waits


def share_of(allowance: int, hosts: int) -> float:
    """The calls that one of so many hosts may make in five minutes."""
    return max(1.0, allowance / hosts)


def shortest_sync_period(allowance: int, hosts: int) -> float:
    """The seconds between syncs of a host at which they take no more than their part; 0 without an allowance."""
    return WINDOW / (SYNC_PART * share_of(allowance, hosts)) if allowance else 0.0


def totals(slots: list[Slot]) -> list[int]:
    """The calls of these slots, by class."""
    _, *counts = map(sum, zip(*slots, strict=True)) if slots else [0] * (1 + len(INDEX))
    return counts


def budget_of(settings: Settings) -> "Budget":
    """The budget of an account on this host; one for all connections of a process."""
    key = (f"{settings.base_url} {settings.account_id}", str(settings.folder))
    with _lock:
        if key not in _budgets:
            _budgets[key] = Budget(settings, Ledger(key[0], settings.folder))
        return _budgets[key]


def forget() -> None:
    """Forget what this process alone has counted, for tests."""
    _budgets.clear()


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()
    for budget in _budgets.values():
        budget.ledger.after_fork()


os.register_at_fork(after_in_child=_after_fork)


class Budget:
    """The budget of one account; used by all threads of a process."""

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self.ledger = ledger
        self._allowance, self._hosts = settings.allowance, settings.hosts
        self._sync_calls = WINDOW / settings.sync_period if settings.sync_period else 0.0

    def take(self) -> None:
        """Count a call that is sent now.

        Raises RateLimited when its class or its user has no room; nothing is counted then.
        """
        spender, user = current_spender()
        index, now = INDEX[spender], time.time()
        with self.ledger.edit() as page:
            allowance = self._allowance_of(page)
            if allowance:
                wait, full_at = self._wait(page, index, now, allowance), 0.0
                key = f"{index} {user}" if user and index >= WRITE else ""
                if key:
                    full_at, user_wait = _after_call(page.full_at(key), now, allowance / self._hosts)
                    wait = max(wait, user_wait)
                if wait and not _is_after_write.get():
                    raise _refusal(wait)
                if key:
                    page.set_full_at(key, full_at)
            page.add(now, index)

    def seconds_to_sync(self) -> float:
        """The seconds until a sync may begin without syncs taking more than their part; 0 when it may now.

        take() does not hold syncs to it: one that has begun fetches all it needs, and the next one waits longer.
        """
        page, now = self.ledger.read(), time.time()
        allowance = self._allowance_of(page)
        if not allowance:
            return 0.0
        most = max(1.0, SYNC_PART * share_of(allowance, self._hosts))
        return self._first(page.slots(now), now, lambda counts, _: counts[SYNC] + 1 <= most)

    def note(self, headers: Mapping[str, str]) -> None:
        """Note what an answer of D1 says of the limit, if it says anything."""
        found = parse_limit(headers)
        if found.limit is None and found.left is None:
            return
        with self.ledger.edit() as page:
            if found.limit is not None:
                page.limit = found.limit
            if found.left is not None:
                page.left, page.left_until = found.left // self._hosts, time.time() + found.seconds

    def used(self) -> int:
        """The calls of this host in the last five minutes, and up to one slot of ten seconds more."""
        return sum(totals(self.ledger.read().slots(time.time())))

    def used_by(self) -> dict[Spender, int]:
        """The same by whom they were for."""
        counts = totals(self.ledger.read().slots(time.time()))
        return dict(zip(INDEX, counts, strict=True))

    @property
    def share(self) -> int:
        """The calls that this host may make in five minutes; 0 without an allowance."""
        allowance = self._allowance_of(self.ledger.read())
        return int(share_of(allowance, self._hosts)) if allowance else 0

    def _allowance_of(self, page: Page) -> int:
        """The account's allowance: the smaller one of what the settings and D1's headers say, 0 for none."""
        return min((n for n in (self._allowance, page.limit) if n), default=0)

    def _wait(self, page: Page, index: int, now: float, allowance: int) -> float:
        """The seconds until a call of the class has room, as far as is known; 0 if it has room now."""
        share, slots = share_of(allowance, self._hosts), page.slots(now)
        # What others took of the account, as D1 says: this host's share is smaller until D1's window ends.
        taken = 0.0
        if now < page.left_until <= now + WINDOW:
            taken = max(0.0, share - sum(totals(slots)) - max(0, page.left))

        def has_room(counts: list[int], moment: float) -> bool:
            return self._has_room(index, counts, share, taken if moment < page.left_until else 0.0)

        wait, reset = self._first(slots, now, has_room), page.left_until
        if now < reset < now + wait:
            kept = [slot for slot in slots if (slot[0] + SLOTS) * SLOT > reset]
            wait = reset - now if has_room(totals(kept), reset) else wait
        return wait

    @staticmethod
    def _first(slots: list[Slot], now: float, test: Callable[[list[int], float], bool]) -> float:
        """The seconds until the counts by class pass a test, as slots leave the window; 0 if they do now."""
        counts = totals(slots)
        if test(counts, now):
            return 0.0
        for slot, *calls in slots:
            counts = [a - b for a, b in zip(counts, calls, strict=True)]
            moment = float((slot + SLOTS) * SLOT)
            if test(counts, moment):
                return moment - now
        return float(SLOT)  # no wait helps; D1's limit may be another one by then

    def _has_room(self, index: int, counts: list[int], share: float, taken: float) -> bool:
        total = sum(counts) + taken
        if index == SYNC:
            return total + 1 <= share
        if index == FILL:
            return total + 1 <= max(1.0, FILL_PART * share)
        left = share - counts[FILL] - taken
        reserve = min(self._sync_calls, SYNC_PART * share, left / 2)
        room = left - max(counts[SYNC], reserve)
        if index == WRITE and counts[WRITE] + 1 > WRITE_PART * room:
            return False
        return counts[WRITE] + counts[STAFF] + counts[REST] + 1 <= CEILINGS[index] * room


def _after_call(full_at: float, now: float, share: float) -> tuple[float, float]:
    """When a user's bucket is full again after one more call, and how long that call has to wait (seconds).

    Half of the user's part may be used at once, and the other half comes back within five minutes, so no five minutes
    see more than the part.
    """
    half = max(1.0, USER_PART * share / 2)
    each = WINDOW / half
    # A bucket that was full further ahead than it can be was used before the clock went back.
    start = full_at if now < full_at <= now + WINDOW + each else now
    return start + each, max(0.0, start + each - now - WINDOW)


def _refusal(wait: float) -> RateLimited:
    error = RateLimited("This host has spent what it may of D1's allowance for now; nothing was sent")
    error.retry_after, error.own = wait, True
    return error
