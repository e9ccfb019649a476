"""Guesses at secrets: each try counts before its secret is checked, and comes back if it is right.

A try counts for the pair of network and name, so nobody locks a name for others; for the network, which may try
several names; and for the name from anywhere, more loosely. A network from which the name has signed in before is held
up by the first alone, so no stranger can lock its people out.

The failure that uses up a limit locks it, each time for twice as long. Hosts count by themselves, or together in Redis.
Once a limit is half used, failures are also stored in the database, and hosts with a copy of it read them from there.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

from django.db import connection

from accounts.metrics import LOCKED, TRIES
from accounts.models import SignIn
from accounts.usernames import username_key
from core import limits, replica, sql
from core.client_address import marks_of, network_of
from core.limits import DAY, TOO_MANY_ATTEMPTS, Allowance, Limit
from core.limits.cells import SECOND
from d1backend.gather import write_then_gather

T = TypeVar("T")

NAMES_PER_NETWORK = 20  # a network may fail as often as this many names
# From all networks together a name may fail ten times as often as from one, within twelve times as long.
TIMES_FROM_ANYWHERE, LONGER_FROM_ANYWHERE = 10, 12
LOCKS = 8  # that are remembered; each is forgotten in a day
LONGEST_LOCK = 3600  # seconds

COUNT = """
    INSERT INTO guesses (id, full_at, step) VALUES {rows}
    ON CONFLICT (id) DO UPDATE SET full_at = max(excluded.full_at, full_at)
"""
GIVE_BACK = "UPDATE guesses SET full_at = full_at - step WHERE id IN ({places})"
KNOWN = "SELECT id, full_at FROM guesses WHERE id IN (%s, %s, %s)"


class Guess:
    """One try at the secret of a name: `what` is the kind of secret. See `attempt`."""

    def __init__(self, what: str, limit: tuple[int, int], address: str, username: str) -> None:
        most, seconds = limit
        self.what = what
        self.name = username_key(username.strip())
        self.network = network_of(address)
        self.pair = Allowance(Limit(f"{what} pair", most, seconds), f"{self.network}\n{self.name}")
        of_network = Limit(f"{what} network", most * NAMES_PER_NETWORK, seconds)
        self.of_network = Allowance(of_network, self.network)
        anywhere = Limit(f"{what} name", most * TIMES_FROM_ANYWHERE, seconds * LONGER_FROM_ANYWHERE)
        self.of_name = Allowance(anywhere, self.name)
        self.counted: tuple[Allowance, ...] = ()
        self.stored: tuple[Allowance, ...] = ()  # those that the database counts as well
        self.is_pair_stored = False
        self.used_up: list[Allowance] = []  # of which this try took the last one

    def begin(self) -> None:
        """Count the try. Raises TooMany (`too_many_attempts`)."""
        self.learn()
        of_strangers = (self.of_network, self.of_name)
        is_full = any(not one.look().remaining for one in of_strangers)
        counted = (self.pair,) if is_full and self._is_familiar() else (self.pair, *of_strangers)
        standings = limits.take(*counted, code=TOO_MANY_ATTEMPTS)
        self.counted = counted
        self.used_up = [one for one, left in standings.items() if one != self.of_name and not left.remaining]

    def asking(self, ask: Callable[[], T]) -> T:
        """Return what `ask` reads to check the secret. A suspicious try is stored as failed in the same round trip."""
        if not self._is_to_be_stored():
            return ask()
        answer: T = write_then_gather(*count_statement(self.counted), ask)[0]
        self.stored = self.counted
        return answer

    def fail(self) -> None:
        """Let the try count. The one that uses up a limit locks it."""
        TRIES.labels(self.what, "wrong").inc()
        for one in self.used_up:
            lock(one)
        to_store = self.used_up if self.stored else self.counted
        if to_store and self._is_to_be_stored():
            execute(*count_statement(to_store))
        self.counted = self.stored = ()

    def succeed(self) -> None:
        """Note the right secret, and forget the failures of this name from this network."""
        TRIES.labels(self.what, "right").inc()
        self.forget()

    def forget(self) -> None:
        """Forget the failures of this name from this network."""
        if self.is_pair_stored or self.stored:
            execute("DELETE FROM guesses WHERE id = %s", [row_id(self.pair)])
        self.give_back()
        self.pair.refill()
        locks_of(self.pair).refill()

    def give_back(self) -> None:
        """Let the try count for nothing."""
        for one in self.counted:
            one.give_back()
        if self.stored:
            ids = [row_id(one) for one in self.stored]
            execute(GIVE_BACK.format(places=places(ids)), ids)
        self.counted = self.stored = ()

    def _is_to_be_stored(self) -> bool:
        """Return whether other hosts should know: there may be some that read, and one of the limits is half used."""
        return replica.is_used() and any(one.look().remaining * 2 <= one.limit.most for one in self.counted)

    def _is_familiar(self) -> bool:
        """Return whether the name has signed in from this network, as far as its sign-ins are kept."""
        own = SignIn.objects.filter(user__username_key=self.name, network__in=marks_of(self.network))
        return replica.or_exactly(own.exists)

    def learn(self) -> None:
        """Take over what other hosts have stored, from the copy. Without one the host's own counts must do."""
        if replica.alias_for("guesses") != replica.REPLICA:
            return
        by_id = {row_id(one): one for one in (self.pair, self.of_network, self.of_name)}
        for key, full_at in sql.rows(KNOWN, list(by_id), replica.REPLICA):
            limits.store().shift(by_id[key].cell, least=full_at - limits.now())
            self.is_pair_stored = self.is_pair_stored or by_id[key] == self.pair


@contextmanager
def attempt(what: str, limit: tuple[int, int], *, address: str, username: str) -> Iterator[Guess]:
    """Count a try at the secret of a name, while the block checks it.

    The block calls `fail()` or `succeed()`. If it calls neither, as when the database is away, the try counts for
    nothing. `limit` is (tries at once, seconds in which they come back). Raises TooMany (`too_many_attempts`).
    """
    guess = Guess(what, limit, address, username)
    guess.begin()
    try:
        yield guess
    finally:
        guess.give_back()


def forget(what: str, limit: tuple[int, int], *, address: str, username: str) -> None:
    """Forget the failures of a name from a network."""
    guess = Guess(what, limit, address, username)
    guess.learn()
    guess.forget()


def lock(allowance: Allowance) -> None:
    """Lock an allowance: first until one try would come back anyway, and each time for twice as long."""
    locks, first = locks_of(allowance), -(-allowance.limit.step // SECOND)
    past = LOCKS - locks.look().remaining
    limits.store().take([locks.cell])
    LOCKED.labels(allowance.limit.name).inc()
    allowance.hold(min(first * 2**past, max(first, LONGEST_LOCK)))


def locks_of(allowance: Allowance) -> Allowance:
    """Return the allowance that counts the locks of another one."""
    return Allowance(Limit(f"{allowance.limit.name} locks", LOCKS, LOCKS * DAY), allowance.who)


def count_statement(allowances: Sequence[Allowance]) -> tuple[str, list[int]]:
    """Return the statement that stores what this host has counted, which includes what it has learnt from others."""
    values: list[int] = []
    for one in allowances:
        values += [row_id(one), limits.now() + limits.store().shift(one.cell), one.cell.step]
    return COUNT.format(rows=", ".join(["(%s, %s, %s)"] * len(allowances))), values


def execute(statement: str, values: Sequence[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def row_id(allowance: Allowance) -> int:
    return allowance.cell.key & 2**53 - 1  # what JSON can carry exactly


def places(values: Collection[int]) -> str:
    return ", ".join(["%s"] * len(values))
