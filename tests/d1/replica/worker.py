"""A process that writes at random and checks which writes of its own and of others it can read, until it is killed.

Each write is a transaction that also raises the writer's beacon, a row of its own, and adds a note with its number.
What was acknowledged is noted in the ledger; every process looks whether it sees the beacons as high as the ledger
promises: those of its own host at once, those of other hosts after the allowed age.
"""

import importlib
import json
import logging
import os
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import django
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from d1backend.archive import writer
from tests.d1.faults.process import PATIENCE
from tests.d1.replica.ledger import MAX_AGE, Bucket, Ledger

# A snapshot is always due, in small parts, and a lease ends soon.
HASTE = {
    "snapshot_thread": {"_LOOK_EVERY": 0.2, "_AFTER_FAILURE": 0.5, "SNAPSHOT_AFTER": 5},
    "snapshot_lease": {"_DUE": "1", "_LEASE": 3},
    "frozen_copy": {"_PAGE": 10},
}
LETTERS = "aé漢कां\0'\"\n🙂 "


def configure(plan: dict[str, Any]) -> None:
    options = {**PATIENCE, "account_id": "an-account", "api_token": plan["token"], "base_url": plan["url"]}
    replica = {**plan["options"], "source": "default", "max_age": MAX_AGE}
    settings.configure(
        DATABASES={
            "default": {"ENGINE": "d1backend", "NAME": plan["database"], "OPTIONS": options},
            "replica": {"ENGINE": "d1backend.replica", "NAME": plan["folder"], "OPTIONS": replica},
        },
        DATABASE_ROUTERS=["d1backend.replica.router.ReplicaRouter"],
        INSTALLED_APPS=["d1backend"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        LOGGING_CONFIG=None,
        STORAGES=plan.get("storages", {}),
    )
    django.setup()
    hasten()


def hasten() -> None:
    for module, values in HASTE.items():
        for name, value in values.items():
            setattr(importlib.import_module(f"d1backend.replica.{module}"), name, value)
    writer._PART_TEXT = 10_000


class Writer:
    """Random transactions, of all the kinds that reach the change log in different ways."""

    def __init__(self, name: str, dice: random.Random) -> None:
        from tests.d1.replica.models import Design, Person, Tag

        self.name, self.dice, self.designs, self.tags, self.people = name, dice, Design, Tag, Person

    def text(self) -> str:
        return "".join(self.dice.choices(LETTERS, k=self.dice.choice([0, 1, 7, 60])))

    def some(self, model: Any, count: int = 1) -> list[Any]:
        """Some existing rows, without beacons."""
        rows = model.objects.using("default").order_by("id")
        rows = rows.filter(id__gt=100) if model is self.designs else rows
        keys = list(rows.values_list("id", flat=True))
        chosen = rows.filter(id__in=self.dice.sample(keys, min(count, len(keys))))
        return list(chosen.defer("password") if model is self.people else chosen)

    def new_design(self) -> Any:
        return self.designs(
            title=self.text(),
            body=self.text() * self.dice.choice([1, 1, 40]),
            view_count=self.dice.choice([0, -1, 2**63 - 1, -(2**63), 2**53 + 1]),
            weight=self.dice.choice([0.1, 1e300, -5.0, 1 / 3]),
            picture=self.dice.choice([None, b"", bytes(range(256))]),
        )

    def sql(self, sql: str, *values: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql, values)

    # Each of these runs in a transaction

    def create(self) -> None:
        design = self.new_design()
        design.save(using="default")
        self.tags(design=design, label=f"{self.name}-{self.dice.random()}").save(using="default")

    def create_many(self) -> None:
        made = [self.new_design() for _ in range(self.dice.choice([2, 40]))]
        self.designs.objects.using("default").bulk_create(made)

    def change(self) -> None:
        for design in self.some(self.designs, 3):
            design.title, design.body = self.text(), self.text()
            design.save(using="default", update_fields=["title", "body"])

    def count(self) -> None:
        self.designs.objects.using("default").filter(id__gt=100, view_count__lt=1000).update(
            view_count=F("view_count") + 1
        )

    def count_seen(self) -> None:
        """The counters that no trigger logs."""
        from d1backend.replica import note_counts

        keys = [design.pk for design in self.some(self.designs, 20)]
        self.designs.objects.using("default").filter(pk__in=keys).update(seen=Coalesce("seen", 0) + 1)
        note_counts("default", "designs", keys)

    def remove(self) -> None:
        for design in self.some(self.designs, 2):
            design.delete(using="default")

    def exchange(self) -> None:
        """Two tags exchange labels."""
        tags = self.some(self.tags, 2)
        if len(tags) == 2:
            one, other = tags
            self.sql("UPDATE tags SET label = %s WHERE id = %s", f"{self.name}-free", one.pk)
            self.sql("UPDATE tags SET label = %s WHERE id = %s", one.label, other.pk)
            self.sql("UPDATE tags SET label = %s WHERE id = %s", other.label, one.pk)

    def oust(self) -> None:
        """A tag replaces another with the same label."""
        for tag in self.some(self.tags):
            self.sql(
                "INSERT OR REPLACE INTO tags (design_id, label) VALUES (%s, %s)", tag.design_id, tag.label
            )

    def merge(self) -> None:
        for tag in self.some(self.tags):
            values = "INSERT {} INTO tags (design_id, label) VALUES (%s, %s) {}"
            self.sql(values.format("OR IGNORE", ""), tag.design_id, tag.label)
            update = "ON CONFLICT (label) DO UPDATE SET label = excluded.label || '+'"
            self.sql(values.format("", update), tag.design_id, tag.label)

    def move(self) -> None:
        """A row gets another key."""
        for person in self.some(self.people):
            self.sql("UPDATE people SET id = %s WHERE id = %s", self.dice.randint(10**6, 2**62), person.pk)

    def people_come_and_go(self) -> None:
        self.people(name=self.text()[:40], password=f"bcrypt$secret-{self.dice.random()}").save(
            using="default"
        )
        if self.dice.random() < 0.2:
            self.sql("DELETE FROM people")

    def write(self, beacon: int, height: int) -> None:
        kinds = [
            self.create,
            self.create_many,
            self.change,
            self.count,
            self.count_seen,
            self.remove,
            self.exchange,
            self.oust,
            self.merge,
            self.move,
            self.people_come_and_go,
        ]
        kind = self.dice.choice(kinds)
        with transaction.atomic():
            kind()
            self.sql("UPDATE designs SET weight = %s WHERE id = %s", float(height), beacon)
            self.sql("INSERT INTO notes (design_id, text) VALUES (%s, %s)", beacon, str(height))


def look(ledger: Ledger, host: str) -> str | None:
    """What is missing from the reads of this process, if anything. A degraded replica may be late."""
    from d1backend.replica import status
    from tests.d1.replica.models import Design

    promised = ledger.promises(host)
    before = status()
    try:
        seen = dict(Design.objects.filter(pk__in=list(promised)).values_list("pk", "weight"))
    except DatabaseError:
        return None
    after = status()
    excused = before["degraded"] or after["degraded"]
    ledger.count("excused" if excused else "judged")
    missing = {at: (height, seen.get(at)) for at, height in promised.items() if seen.get(at, -1) < height}
    return f"host {host} does not see {missing}; {before} {after}" if missing and not excused else None


def work(plan: dict[str, Any], ledger: Ledger, beacon: int) -> None:
    """Write and check, in a thread of its own, until all writes are done."""
    dice = random.Random(plan["seed"] * 100 + beacon)
    writer = Writer(f"{plan['host']}{beacon}", dice)
    for height in range(ledger.progress(beacon), plan["end"]):
        ledger.advance(beacon, height + 1)
        with suppress(DatabaseError):
            writer.write(beacon, height)
            ledger.note(beacon, plan["host"], height)
        for _ in range(dice.choice([1, 1, 5])):
            if wrong := look(ledger, plan["host"]):
                os.write(2, f"{wrong}\n".encode())
                os._exit(3)


class CountSnapshots(logging.Handler):
    """Counts in the ledger how often a snapshot was written, used, and rejected."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self.ledger = ledger

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage()
        for what, words in {
            "written": "is complete",
            "restored": "is filled from",
            "rejected": "is not used",
        }.items():
            if words in said:
                self.ledger.count(what)


def main(plan: dict[str, Any]) -> None:
    configure(plan)
    ledger = Ledger(Path(plan["ledger"]))
    Bucket.ledger, Bucket.dice = ledger, random.Random(plan["seed"])
    logger = logging.getLogger("d1backend.replica")
    logger.setLevel(logging.INFO)
    logger.addHandler(CountSnapshots(ledger))
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda beacon: work(plan, ledger, beacon), plan["beacons"]))


if __name__ == "__main__":
    main(json.loads(os.environ["PLAN"]))
