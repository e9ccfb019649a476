"""Long runs under faults, and the accounts of them: no half transaction, nothing lost, nothing twice.

The tests run short ones; `make faults` runs them in full (python -m tests.d1.faults).
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter as Tally
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connections, transaction
from django.db.models import F
from django.db.utils import DatabaseError

from d1backend import OutcomeUnknown, OutOfReach, retry_on_conflict
from devtools import fault_plan as plans
from devtools.fault_proxy import FaultProxy
from tests.d1.faults.models import Counter
from tests.d1.faults.moves import ATOMIC, MOVES, Move

FAULTS = (*plans.PASSING, *plans.SLOW, plans.down(0.03))
NTH = 3
# The moves of killed processes, and the connection they make them on.
SETS: dict[str, tuple[str, tuple[Move, ...]]] = {"atomic": ("default", ATOMIC), "all": ("hasty", MOVES)}
Ask = Callable[[str], list[list[Any]]]


@dataclass
class Account:
    """What the application was told of its numbered transactions, and what the database holds of them."""

    begun: int = 0
    acknowledged: set[int] = field(default_factory=set)
    taken_back: set[int] = field(default_factory=set)
    errors: Tally[str] = field(default_factory=Tally)
    kills: int = 0
    requests: int = 0
    faults: Tally[str] = field(default_factory=Tally)
    debits: Tally[int] = field(default_factory=Tally)
    credits: Tally[int] = field(default_factory=Tally)

    @property
    def halves(self) -> set[int]:
        return {n for n in self.debits.keys() | self.credits.keys() if self.debits[n] != self.credits[n]}

    @property
    def lost(self) -> set[int]:
        return {n for n in self.acknowledged if not self.debits[n]}

    @property
    def doubled(self) -> set[int]:
        return {n for n, times in (self.debits + self.credits).items() if times > 2}

    @property
    def unwanted(self) -> set[int]:
        """Those that the application took back and that were written all the same."""
        return {n for n in self.taken_back if self.debits[n] or self.credits[n]}

    @property
    def even(self) -> bool:
        return not (self.halves or self.lost or self.doubled or self.unwanted)

    @property
    def in_doubt(self) -> set[int]:
        return set(range(self.begun)) - self.acknowledged - self.taken_back

    def meet(self, proxy: FaultProxy) -> None:
        """Take over the proxy's counts of a run."""
        proxy.settle()
        self.requests += proxy.count
        self.faults.update(proxy.faults)

    def count(self, ask: Ask) -> None:
        """Take the rows that the engine holds."""
        self.debits.update(n for (n,) in ask("SELECT number FROM d1faults_debit"))
        whole = "debit_id IN (SELECT id FROM d1faults_debit)"
        self.credits.update(n for (n,) in ask(f"SELECT number FROM d1faults_credit WHERE {whole}"))

    def __str__(self) -> str:
        applied = sum(1 for n in self.in_doubt if self.debits[n])
        return (
            f"{self.begun} transactions, {len(self.acknowledged)} acknowledged, {len(self.taken_back)} taken "
            f"back, {len(self.in_doubt)} in doubt ({applied} of them done), {self.kills} kills; "
            f"{self.requests} requests, "
            f"{self.faults.total()} faults of {len(self.faults)} kinds; "
            f"errors {dict(self.errors) or 'none'}; "
            f"half {len(self.halves)}, lost {len(self.lost)}, doubled {len(self.doubled)}, "
            f"unwanted {len(self.unwanted)}"
        )


def pairs(
    alias: str,
    proxy: FaultProxy,
    ask: Ask,
    transactions: int,
    seed: int = 0,
    moves: tuple[Move, ...] = ATOMIC,
) -> Account:
    """Transactions of two rows, by these moves in turn, with a fault in every third request."""
    account = Account(taken_back=_taken_back(moves, transactions))
    proxy.plan = plans.every(NTH, FAULTS, seed)
    for number in range(transactions):
        account.begun += 1
        try:
            moves[number % len(moves)].run(alias, number)
        except DatabaseError as error:
            account.errors[type(error).__name__] += 1
        else:
            account.acknowledged.add(number)
    account.acknowledged -= account.taken_back
    account.meet(proxy)
    proxy.plan = None
    account.count(ask)
    return account


def _taken_back(moves: tuple[Move, ...], transactions: int) -> set[int]:
    return {n for n in range(transactions) if not moves[n % len(moves)].stays}


def killed_pairs(
    database: str,
    token: str,
    proxy: FaultProxy,
    ask: Ask,
    transactions: int,
    log: Path,
    seed: int = 0,
    moves: str = "atomic",
) -> Account:
    """The same, in processes that are killed (SIGKILL) at random points; `log` notes what they were told.

    `moves` is one of SETS.
    """
    account, dice = Account(taken_back=_taken_back(SETS[moves][1], transactions)), random.Random(seed)
    while account.begun < transactions:
        command = [sys.executable, "-m", f"{__package__}.worker"]
        command += [proxy.url, database, str(log), moves, str(account.begun), str(transactions)]
        worker = subprocess.Popen(command, env={**os.environ, "D1_TOKEN": token})
        proxy.plan = _killer(worker, dice, plans.every(NTH, FAULTS, dice.random()))
        status = worker.wait()
        if status not in (0, -signal.SIGKILL):
            raise AssertionError(f"The worker ended with status {status}.")
        account.kills += status != 0
        account.meet(proxy)
        _read(log, account)
    proxy.plan = None
    account.count(ask)
    return account


def _killer(worker: "subprocess.Popen[bytes]", dice: random.Random, faults: plans.Plan) -> plans.Plan:
    """Kill at a random request: when it arrives, when it has been done, or a moment later."""
    last = dice.randint(1, 25)
    end = dice.choice([plans.RESET_BEFORE, plans.RESET_AFTER, None])
    delay = dice.uniform(0, 0.01)

    def plan(number: int, request: plans.Request) -> plans.Fault | None:
        if number != last:
            return faults(number, request) if number < last else None
        if end is None:
            threading.Timer(delay, worker.kill).start()
        else:
            worker.kill()
        return end

    return plan


def _read(log: Path, account: Account) -> None:
    words = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
    account.begun = sum(1 for word, _ in words if word == "begin")
    account.acknowledged = {int(number) for word, number in words if word == "done"} - account.taken_back
    account.errors = Tally(word for word, _ in words if word not in ("begin", "done"))


@dataclass
class Sum:
    """What threads added to one counter, and what it came to; `errors` are those after all attempts."""

    told: int = 0
    unknown: int = 0
    value: int = 0
    errors: Tally[str] = field(default_factory=Tally)
    requests: int = 0
    faults: Tally[str] = field(default_factory=Tally)

    @property
    def even(self) -> bool:
        return self.told <= self.value <= self.told + self.unknown

    def __str__(self) -> str:
        return (
            f"{self.told} additions acknowledged, {self.unknown} of unknown outcome, the counter says "
            f"{self.value}; {self.requests} requests, {self.faults.total()} faults of "
            f"{len(self.faults)} kinds; errors {dict(self.errors) or 'none'}"
        )


def additions(
    alias: str, proxy: FaultProxy, ask: Ask, how: str, times: int, threads: int = 8, seed: int = 0
) -> Sum:
    """Add 1 to a counter from threads, by "F" or "select_for_update", with a fault in every third request."""
    counter = Counter.objects.using(alias).create(value=0)
    result, lock = Sum(), threading.Lock()

    def work(share: int) -> None:
        try:
            for _ in range(share):
                known = _add_once(_ADD[how], alias, counter.pk, result.errors)
                with lock:
                    result.told += known
                    result.unknown += not known
        finally:
            connections[alias].close()

    proxy.plan = plans.every(NTH, FAULTS, seed)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, [times // threads + (i < times % threads) for i in range(threads)]))
    proxy.settle()
    result.requests = proxy.count
    result.faults.update(proxy.faults)
    proxy.plan = None
    result.value = ask(f"SELECT value FROM d1faults_counter WHERE id = {counter.pk}")[0][0]
    return result


def _add_once(add: Callable[[str, int], None], alias: str, pk: int, errors: Tally[str]) -> bool:
    """Add, again after every error that says that nothing was written; whether the outcome is known."""
    while True:
        try:
            add(alias, pk)
        except OutcomeUnknown:
            return False
        except OutOfReach as error:
            errors[type(error).__name__] += 1
            time.sleep(error.retry_after)
        except DatabaseError as error:
            errors[type(error).__name__] += 1
        else:
            return True


def _add_by_f(alias: str, pk: int) -> None:
    Counter.objects.using(alias).filter(pk=pk).update(value=F("value") + 1)


@retry_on_conflict
def _add_by_select_for_update(alias: str, pk: int) -> None:
    with transaction.atomic(using=alias):
        counter = Counter.objects.using(alias).select_for_update().get(pk=pk)
        counter.value += 1
        counter.save()


_ADD = {"F": _add_by_f, "select_for_update": _add_by_select_for_update}
