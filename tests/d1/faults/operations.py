"""What an application does to a database, one kind of request to D1 each, and how often it was done."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F

from d1backend import gather
from tests.d1.faults.models import Counter, Left, Right


@dataclass(frozen=True)
class Operation:
    """`run(alias, meet)` does it and calls `meet` just before the request in question.

    That request touches `table` and changes it when it `writes`; `answer` is what `run` returns, and the SQL
    `done` tells how often it was done.
    """

    name: str
    run: Callable[[str, Callable[[], None]], Any]
    table: str
    writes: bool
    answer: Any
    done: str


def _read(alias: str, meet: Callable[[], None]) -> Any:
    meet()
    return list(Counter.objects.using(alias).values_list("value", flat=True))


def _gather(alias: str, meet: Callable[[], None]) -> Any:
    meet()
    values, count = gather(
        Counter.objects.using(alias).values_list("value", flat=True), lambda: 1, using=alias
    )
    return values * count


def _update(alias: str, meet: Callable[[], None]) -> int:
    meet()
    return Counter.objects.using(alias).update(value=F("value") + 1)


def _insert(alias: str, meet: Callable[[], None]) -> str:
    meet()
    return Left.objects.using(alias).get(pk=Left.objects.using(alias).create(label="new").pk).label


def _commit(alias: str, meet: Callable[[], None]) -> str:
    with transaction.atomic(using=alias):
        left = Left.objects.using(alias).create(label="one")
        Right.objects.using(alias).create(label="two", left=left)
        meet()
    return left.label


def _rehearsal(alias: str, meet: Callable[[], None]) -> int:
    with transaction.atomic(using=alias):
        Counter.objects.using(alias).update(value=F("value") + 1)
        meet()
        return Counter.objects.using(alias).get().value


def _row_count(alias: str, meet: Callable[[], None]) -> int:
    with transaction.atomic(using=alias):
        meet()
        return Counter.objects.using(alias).update(value=F("value") + 1)


def _keys(alias: str, meet: Callable[[], None]) -> str:
    with transaction.atomic(using=alias):
        meet()
        return Left.objects.using(alias).create(label="one").label


_COUNTER = "SELECT value FROM d1faults_counter"
_PAIRS = "SELECT (SELECT count(*) FROM d1faults_left) + (SELECT count(*) FROM d1faults_right)"
OPERATIONS = (
    Operation("read", _read, "d1faults_counter", False, [0], _COUNTER),
    Operation("gather", _gather, "d1faults_counter", False, [0], _COUNTER),
    Operation("update", _update, "d1faults_counter", True, 1, _COUNTER),
    Operation("insert", _insert, "d1faults_left", True, "new", _PAIRS),
    Operation("commit", _commit, "d1faults_left", True, "one", f"{_PAIRS} / 2"),
    Operation("rehearsal", _rehearsal, "d1faults_counter", False, 1, _COUNTER),
    Operation("row count", _row_count, "d1faults_counter", False, 1, _COUNTER),
    Operation("keys", _keys, "d1faults_left", False, "one", _PAIRS),
)
