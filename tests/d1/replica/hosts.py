"""Two hosts with two processes each that write at random, are killed and meet faults, and the account of it.

They take snapshots of their copies all the time, which are damaged, die while they write them, and lose their disks.
test_hosts.py runs it briefly, `make faults` in full.
"""

import itertools
import json
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter as Tally
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections
from django.test import override_settings

from d1backend.replica import sync
from d1backend.replica.installation import install_log
from d1backend.replica.snapshot import take_snapshot
from d1backend.replica.source import Source
from devtools.fault_plan import Plan
from devtools.fault_proxy import FaultProxy
from tests.d1.faults.process import PATIENCE
from tests.d1.replica.ledger import LOOKS, Ledger
from tests.d1.replica.models import OPTIONS
from tests.d1.replica.one_host import Ask, OneHost, add_host, compare, create_tables, remove_host
from tests.d1.replica.worker import CountSnapshots

# The beacons of each process.
PROCESSES = (("a", (1, 2)), ("a", (3, 4)), ("b", (5, 6)), ("b", (7, 8)))
BEACONS = sum(len(beacons) for _, beacons in PROCESSES)

# The processes


@dataclass
class Worker:
    """A process with two threads, which is started again after a kill and continues its work."""

    plan: dict[str, Any]
    process: "subprocess.Popen[bytes] | None" = None
    kills: int = 0

    @property
    def done(self) -> bool:
        ledger = Ledger(Path(self.plan["ledger"]))
        left = [beacon for beacon in self.plan["beacons"] if ledger.progress(beacon) < self.plan["end"]]
        return self.process is None and not left

    def start(self, seed: int) -> None:
        command = [sys.executable, "-m", f"{__package__}.worker"]
        environment = {**os.environ, "PLAN": json.dumps({**self.plan, "seed": seed})}
        self.process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)

    def kill(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()

    def end(self) -> None:
        """Kill the process and wait for its end."""
        self.kill()
        if self.process is not None:
            self.process.wait()
            self.reap()

    def reap(self) -> None:
        """Forget a process that has ended. It may have been killed, but must not have failed."""
        assert self.process is not None
        status = self.process.poll()
        if status is None:
            return
        said = self.process.stderr.read().decode() if self.process.stderr else ""
        assert status in (0, -signal.SIGKILL), f"{self.plan['host']} ended with {status}: {said}"
        self.kills += status != 0
        self.process = None


def lose_disk(workers: list[Worker], host: str) -> None:
    """End the processes of a host and delete its copy: it fills again, from a snapshot where it can."""
    of_host = [worker for worker in workers if worker.plan["host"] == host]
    for worker in of_host:
        worker.end()
    shutil.rmtree(of_host[0].plan["folder"], ignore_errors=True)


def damage_a_snapshot(bucket: Path, dice: random.Random) -> None:
    """Flip a bit, cut or delete a file, in any snapshot."""
    with suppress(FileNotFoundError, IndexError):
        file = dice.choice(sorted(file for file in bucket.rglob("*") if file.is_file()))
        data = file.read_bytes()
        at = dice.randrange(len(data))
        if dice.random() < 0.2:
            file.unlink()
        else:
            file.write_bytes(data[:at] + bytes([data[at] ^ 1]) * dice.randint(0, 1) + data[at + 1 :])


def add_column(source: Source, name: str, *, ends: bool) -> None:
    """A compatible migration with a data migration; one that is killed before its end leaves the log to the hosts."""
    with connections[source.options.source].schema_editor() as editor:
        editor.execute(f"ALTER TABLE tags ADD COLUMN {name} TEXT DEFAULT 'é'")
        editor.execute(f"UPDATE tags SET {name} = 'x' WHERE id % 2")
    if ends:
        install_log(source)


# The run and its account


@dataclass(frozen=True)
class Chances:
    """How likely each of these is in half a second."""

    kill: float = 0.2
    lose_disk: float = 0.08
    damage: float = 0.03
    # Each of two ways to make all copies and snapshots outdated.
    outdate: float = 0.04


@dataclass
class Account:
    """What the processes were told of their transactions, what D1 holds of them, and how their copies fared."""

    begun: int = 0
    acknowledged: set[tuple[int, int]] = field(default_factory=set)
    # How often D1 holds each transaction, by its beacon and height.
    held: Tally[tuple[int, int]] = field(default_factory=Tally)
    # The copies that differ from D1, and how.
    unlike: list[str] = field(default_factory=list)
    looks: dict[str, int] = field(default_factory=dict)
    kills: int = 0
    disks_lost: int = 0
    requests: int = 0
    faults: Tally[str] = field(default_factory=Tally)

    @property
    def lost(self) -> set[tuple[int, int]]:
        return {one for one in self.acknowledged if not self.held[one]}

    @property
    def doubled(self) -> set[tuple[int, int]]:
        return {one for one, times in self.held.items() if times > 1}

    @property
    def even(self) -> bool:
        return not (self.lost or self.doubled or self.unlike) and self.looks["restored"] > 0

    def __str__(self) -> str:
        looks = self.looks
        return (
            f"{self.begun} transactions, {len(self.acknowledged)} acknowledged, {self.kills} kills "
            f"({looks['died']} while a snapshot was written), {self.disks_lost} disks lost; "
            f"{looks['written']} snapshots written, {looks['restored']} restored, {looks['rejected']} rejected, "
            f"the bucket failed {looks['failed']} times; {self.requests} requests, "
            f"{self.faults.total()} faults of {len(self.faults)} kinds; {looks['judged']} reads judged; "
            f"lost {len(self.lost)}, doubled {len(self.doubled)}, copies unlike D1 {len(self.unlike)}"
            + "".join(f"; {text}" for text in self.unlike)
        )


def at_times(faults: Plan) -> Plan:
    """Faults in the last 14 of each 50 requests: a host that meets them all the time takes no snapshots."""
    return lambda number, request: faults(number, request) if number % 50 > 35 else None


@dataclass
class Run:
    """One run on a database with the tables of models.py and an installed log."""

    d1: Ask
    proxy: FaultProxy
    database: str
    token: str
    folder: Path
    # OPTIONS of the source of a host in this process.
    source_options: Mapping[str, Any]
    seed: int
    chances: Chances = Chances()

    def __post_init__(self) -> None:
        self.bucket, self.ledger = self.folder / "bucket", self.folder / "ledger"
        self.ledger.mkdir()
        for what in LOOKS:
            (self.ledger / what).touch()
        # In this process the bucket causes no trouble.
        bucket = {"BACKEND": "tests.d1.replica.ledger.Bucket", "OPTIONS": {"location": str(self.bucket)}}
        self.storages = {**settings.STORAGES, "private": bucket}
        self.options = {**OPTIONS, "snapshots": {"storage": "private", "keys": ["s" * 32]}}

    def play(self, writes: int, plan: Plan | None = None) -> Account:
        """Let each thread of the hosts write so often; requests meet the faults of `plan`."""
        account = Account()
        self.d1("INSERT INTO designs (id, title, body, view_count, weight) VALUES (101, 'first', '', 0, 0)")
        workers = [self._worker(host, beacons, writes) for host, beacons in PROCESSES]
        self.proxy.plan = plan or []
        with override_settings(STORAGES=self.storages), self._counting_snapshots():
            self._live(workers, account)
            account.kills = sum(worker.kills for worker in workers)
            self.proxy.settle()
            account.requests = self.proxy.count
            account.faults.update(self.proxy.faults)
            self.proxy.plan = None
            self._compare_all(account)
        account.looks = {what: (self.ledger / what).stat().st_size for what in LOOKS}
        self._count(account)
        return account

    def _worker(self, host: str, beacons: tuple[int, ...], writes: int) -> Worker:
        for beacon in beacons:
            self.d1(f"INSERT INTO designs VALUES ({beacon}, 'beacon', '', 5000, 0, NULL, NULL)")
        return Worker({
            "url": self.proxy.url, "database": self.database, "token": self.token, "host": host,
            "beacons": beacons, "folder": str(self.folder / host), "ledger": str(self.ledger), "end": writes + 1,
            "options": self.options, "storages": self.storages,
        })  # fmt: skip

    def _host(self, name: str) -> OneHost:
        return add_host(name, self.folder, self.database, self.source_options, **self.options)

    def _live(self, workers: list[Worker], account: Account) -> None:
        """Start the processes, again after each kill, and interfere, until all writes are done."""
        dice, chances = random.Random(self.seed), self.chances
        seeds, column = itertools.count(self.seed * 1000), itertools.count()
        installer = self._host("installer")
        try:
            with closing(Source(installer.host.options, patient=True)) as source:
                while not all(worker.done for worker in workers):
                    for worker in workers:
                        if worker.process is not None:
                            worker.reap()
                        if worker.process is None and not worker.done:
                            worker.start(next(seeds))
                    time.sleep(dice.uniform(0, 1.0))
                    if dice.random() < chances.kill:
                        dice.choice(workers).kill()
                    if dice.random() < chances.lose_disk:
                        lose_disk(workers, dice.choice("ab"))
                        account.disks_lost += 1
                    if dice.random() < chances.damage:
                        damage_a_snapshot(self.bucket, dice)
                    if dice.random() < chances.outdate:
                        install_log(source, new_epoch=True)
                    if dice.random() < chances.outdate:
                        with suppress(DatabaseError):
                            add_column(source, f"extra{next(column)}", ends=dice.random() < 0.5)
        finally:
            for worker in workers:
                worker.kill()
                if worker.process is not None:
                    worker.process.wait()
            remove_host(installer)

    @contextmanager
    def _counting_snapshots(self) -> Iterator[None]:
        logger, handler = logging.getLogger("d1backend.replica"), CountSnapshots(Ledger(self.ledger))
        level = logger.level
        logger.setLevel(logging.INFO)
        logger.addHandler(handler)
        try:
            yield
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)

    def _compare_all(self, account: Account) -> None:
        """Compare the copies of all hosts with D1, and that of a new one, which fills from a last snapshot."""
        for name in ("a", "b", "new"):
            host = self._host(name)
            host.sync()
            try:
                compare(self.d1, host)
            except AssertionError as error:
                account.unlike.append(f"host {name}: {error}")
            if name == "b":
                # The lease may be that of a process that was killed.
                self.d1("UPDATE _d1_snapshots SET lease = 0")
                with closing(Source(host.host.options, patient=True)) as source:
                    take_snapshot(host.host.directory, source, only_when_due=False, gently=False)
            remove_host(host)

    def _count(self, account: Account) -> None:
        ledger = Ledger(self.ledger)
        account.begun = sum(ledger.progress(beacon) - 1 for _, beacons in PROCESSES for beacon in beacons)
        account.acknowledged = ledger.acknowledged()
        account.held.update((at, int(text)) for at, text in self.d1("SELECT design_id, text FROM notes"))


def trial(
    database: str,
    token: str,
    proxy: FaultProxy,
    ask: Ask,
    transactions: int,
    folder: Path,
    plan: Plan,
    seed: int,
) -> Account:
    """A run on a database without the tables, with so many transactions or a few more, for a process of its own."""
    sync._SCHEMA_AGE = 0.0
    options = {**PATIENCE, "account_id": "an-account", "api_token": token, "base_url": proxy.url}
    folder.mkdir()
    installer = add_host("installer", folder, database, options)
    create_tables(installer.connection)
    with closing(Source(installer.host.options, patient=True)) as source:
        install_log(source)
    remove_host(installer)
    run = Run(ask, proxy, database, token, folder, options, seed, Chances(0.1, 0.05, 0.03, 0.005))
    return run.play(-(-transactions // BEACONS), plan)
