"""The ways an application writes two rows and goes on after an error: each number has one, by turns.

A move does what well-meaning applications do, and tells what it was told. It tries again only after an error
that says that nothing was written (any but OutcomeUnknown, unless it settles so), and never more often than `ATTEMPTS`.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from django.db import connections, transaction
from django.db.utils import DatabaseError

from d1backend import OutcomeUnknown
from tests.d1.faults.models import Counter, Credit, Debit

ATTEMPTS = 4
_DEBIT = "INSERT INTO d1faults_debit (number) VALUES (%s)"
_CREDIT = (
    "INSERT INTO d1faults_credit (number, debit_id) SELECT number, id FROM d1faults_debit WHERE number = %s"
)


class GivenUpError(Exception):
    """The application changes its mind."""


@dataclass(frozen=True)
class Move:
    """`run(alias, number)` raises what it was told in the end; `stays` is false when it takes its rows back."""

    run: Callable[[str, int], None]
    stays: bool = True


def write_pair(alias: str, number: int) -> None:
    with transaction.atomic(using=alias):
        _rows(alias, number)


def _rows(alias: str, number: int) -> None:
    debit = Debit.objects.using(alias).create(number=number)
    Credit.objects.using(alias).create(number=number, debit=debit)


def _raw_rows(alias: str, number: int) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute(_DEBIT, [number])
        cursor.execute(_CREDIT, [number])


def _fill(alias: str, number: int) -> None:
    """Write the rows in a transaction begun before; what is there of them is taken back when one fails."""
    try:
        _raw_rows(alias, number)
    except DatabaseError:
        transaction.rollback(using=alias)
        raise


def _sql(alias: str, statement: str) -> None:
    with connections[alias].cursor() as cursor:
        cursor.execute(statement)


def _until_written(attempt: Callable[[], None], after: Callable[[], None] = lambda: None) -> None:
    """Attempt, again after errors that say that nothing was written; `after` each error, do this first."""
    for left in range(ATTEMPTS - 1, -1, -1):
        try:
            attempt()
        except DatabaseError as error:
            after()
            if isinstance(error, OutcomeUnknown) or not left:
                raise
        else:
            return


def _by_hand(alias: str, work: Callable[[], None]) -> None:
    """With autocommit off, turned on again whatever happens, and once more when that fails."""
    transaction.set_autocommit(False, using=alias)
    try:
        work()
    finally:
        with suppress(DatabaseError):
            transaction.set_autocommit(True, using=alias)
        transaction.set_autocommit(True, using=alias)


def atomic(alias: str, number: int) -> None:
    write_pair(alias, number)


def atomic_run_again(alias: str, number: int) -> None:
    _until_written(lambda: write_pair(alias, number))


def settled_and_run_again(alias: str, number: int) -> None:
    _until_settled(lambda: write_pair(alias, number))


def settled_after_another_write_and_run_again(alias: str, number: int) -> None:
    def note() -> None:
        with suppress(DatabaseError):
            Counter.objects.using(alias).create(value=number)

    _until_settled(lambda: write_pair(alias, number), note)


def _until_settled(attempt: Callable[[], None], before: Callable[[], None] = lambda: None) -> None:
    """Attempt, again after errors that say, or settle, that nothing was written; `before` settling, do this."""
    for left in range(ATTEMPTS - 1, -1, -1):
        try:
            attempt()
        except OutcomeUnknown as unknown:
            before()
            if _settled(unknown):
                return
            if not left:
                raise
        except DatabaseError:
            if not left:
                raise
        else:
            return


def _settled(unknown: OutcomeUnknown) -> bool:
    for _ in range(ATTEMPTS):
        with suppress(OutcomeUnknown):
            return unknown.settle()
    return unknown.settle()


def atomic_left_by_an_exception(alias: str, number: int) -> None:
    with suppress(GivenUpError), transaction.atomic(using=alias):
        _rows(alias, number)
        raise GivenUpError


def inner_atomic_left_by_an_exception(alias: str, number: int) -> None:
    with transaction.atomic(using=alias):
        with suppress(GivenUpError), transaction.atomic(using=alias):
            _rows(alias, number)
            raise GivenUpError
        _rows(alias, number)


def row_counts_asked_again(alias: str, number: int) -> None:
    def insert(sql: str) -> None:
        with connections[alias].cursor() as cursor:
            cursor.execute(sql, [number])
            _ = cursor.rowcount

    with transaction.atomic(using=alias):
        for sql in (_DEBIT, _CREDIT):
            _until_written(lambda sql=sql: insert(sql))


def commit_again(alias: str, number: int) -> None:
    def work() -> None:
        _fill(alias, number)
        _until_written(lambda: transaction.commit(using=alias))

    _by_hand(alias, work)


def commit_again_whatever_was_said(alias: str, number: int) -> None:
    def work() -> None:
        _fill(alias, number)
        try:
            transaction.commit(using=alias)
        except DatabaseError:
            transaction.commit(using=alias)

    _by_hand(alias, work)


def roll_back_and_run_again(alias: str, number: int) -> None:
    def attempt() -> None:
        _rows(alias, number)
        transaction.commit(using=alias)

    _by_hand(alias, lambda: _until_written(attempt, lambda: transaction.rollback(using=alias)))


def run_again_without_a_rollback(alias: str, number: int) -> None:
    def work() -> None:
        _fill(alias, number)
        try:
            transaction.commit(using=alias)
        except OutcomeUnknown:
            raise
        except DatabaseError:
            _fill(alias, number)
            transaction.commit(using=alias)

    _by_hand(alias, work)


def statements_run_again(alias: str, number: int) -> None:
    def work() -> None:
        debit = Debit(number=number)
        try:
            _until_written(lambda: debit.save(using=alias, force_insert=True))
            _until_written(lambda: Credit.objects.using(alias).create(number=number, debit=debit))
        except DatabaseError:
            transaction.rollback(using=alias)
            raise
        transaction.commit(using=alias)

    _by_hand(alias, work)


def commit_by_turning_autocommit_on(alias: str, number: int) -> None:
    transaction.set_autocommit(False, using=alias)
    try:
        _fill(alias, number)
        transaction.set_autocommit(True, using=alias)
    finally:
        transaction.set_autocommit(True, using=alias)


def close_and_run_again(alias: str, number: int) -> None:
    def attempt() -> None:
        _sql(alias, "BEGIN")
        _raw_rows(alias, number)
        _sql(alias, "COMMIT")

    _until_written(attempt, connections[alias].close)


def close_without_a_commit(alias: str, number: int) -> None:
    _sql(alias, "BEGIN")
    with suppress(DatabaseError):
        _raw_rows(alias, number)
    connections[alias].close()


def begin_and_commit_in_sql(alias: str, number: int) -> None:
    def attempt() -> None:
        _sql(alias, "BEGIN")
        _raw_rows(alias, number)
        _sql(alias, "COMMIT")

    def after() -> None:
        with suppress(DatabaseError):
            _sql(alias, "ROLLBACK")

    _until_written(attempt, after)


def commit_in_sql_again(alias: str, number: int) -> None:
    _sql(alias, "BEGIN")
    try:
        _raw_rows(alias, number)
        _until_written(lambda: _sql(alias, "COMMIT"))
    finally:
        transaction.rollback(using=alias)


def roll_back_in_sql(alias: str, number: int) -> None:
    _sql(alias, "BEGIN")
    with suppress(DatabaseError):
        _raw_rows(alias, number)
    _sql(alias, "ROLLBACK")


def begin_in_sql_and_commit_by_django(alias: str, number: int) -> None:
    _sql(alias, "BEGIN")
    try:
        _raw_rows(alias, number)
        transaction.commit(using=alias)
    finally:
        transaction.rollback(using=alias)


ATOMIC = (Move(atomic),)
MOVES = (
    *ATOMIC,
    Move(atomic_run_again),
    Move(settled_and_run_again),
    Move(settled_after_another_write_and_run_again),
    Move(atomic_left_by_an_exception, stays=False),
    Move(inner_atomic_left_by_an_exception),
    Move(row_counts_asked_again),
    Move(commit_again),
    Move(commit_again_whatever_was_said),
    Move(roll_back_and_run_again),
    Move(run_again_without_a_rollback),
    Move(statements_run_again),
    Move(commit_by_turning_autocommit_on),
    Move(close_and_run_again),
    Move(close_without_a_commit, stays=False),
    Move(begin_and_commit_in_sql),
    Move(commit_in_sql_again),
    Move(roll_back_in_sql, stays=False),
    Move(begin_in_sql_and_commit_by_django),
)
