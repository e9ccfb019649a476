"""Several questions in one round trip, and questions in that of a write."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, transaction, utils
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet

from d1backend.errors import Error
from d1backend.protocol.api import Statement
from d1backend.protocol.budget import after_write
from d1backend.protocol.parameters import bind
from d1backend.sql.tokenizer import parse
from d1backend.transaction.connection import Connection
from d1backend.transaction.pending_reads import Key, PendingReads, ReadPending, lost_result

T = TypeVar("T")
Ask = Callable[[], Any]
Question = QuerySet | Ask


def gather(*questions: Question, using: str | None = None) -> list[Any]:
    """The answers to several questions, in their order.

    A question is a queryset (its answer is the list of its objects) or a function without arguments that only reads,
    like `queryset.count`. On D1 all of them travel in one batch. A question that needs a second query after its first
    (prefetch_related) makes all of them take a second batch. A function may be called more than once; where its queries
    depend on the time, they are sent by themselves. A gather() within a question of another one adds to its batch.
    On other engines the questions run one after the other.
    """
    asks = [_ask(question) for question in questions]
    alias = using or next((q.db for q in questions if isinstance(q, QuerySet)), DEFAULT_DB_ALIAS)
    wrapper = connections[alias]
    wrapper.ensure_connection()
    connection = wrapper.connection
    if not isinstance(connection, Connection):
        return [ask() for ask in asks]
    if connection.pending_reads is not None:
        return _ask_within(asks)
    answers = _gather(asks, wrapper, connection)
    for question, answer in zip(questions, answers, strict=True):
        if isinstance(question, QuerySet):
            question._result_cache = answer
    return answers


def write_then_gather(
    sql: str, params: Sequence[Any], *asks: Ask, using: str = DEFAULT_DB_ALIAS
) -> list[Any]:
    """Run one statement that writes; the answers to questions about what it leaves, as gather() returns them.

    No other write comes in between. On D1, outside a transaction, all of them travel in one batch. So a question is
    asked before the statement, too, to find its queries; what it then returns or raises is dropped.
    Raises OutcomeUnknown where the statement was applied, its answer was lost, and D1 cannot be asked again.
    """
    wrapper = connections[using]
    wrapper.ensure_connection()
    connection = wrapper.connection
    if isinstance(connection, Connection) and connection.script is None and connection.pending_reads is None:
        parsed = parse(sql)
        return _gather(list(asks), wrapper, connection, write=bind(sql[: parsed.end], params))
    with transaction.atomic(using, savepoint=False):
        with wrapper.cursor() as cursor:
            cursor.execute(sql, params)
        return gather(*asks, using=using)


def ask_with_commit(ask: Callable[[], T], using: str = DEFAULT_DB_ALIAS) -> Callable[[], T]:
    """Ask what this transaction leaves; return a function that gives the answer of `ask`, which only reads.

    Call this inside atomic(), and the function after it. On D1 the question travels with the commit, and is asked
    before, too, to find its queries; what it then returns or raises is dropped. The function asks by itself what did
    not travel: before the commit within the transaction, and after it a query that follows from another one. It raises
    OutcomeUnknown where the commit was applied, its answer was lost, and D1 cannot be asked again.
    """
    wrapper = connections[using]
    wrapper.ensure_connection()
    connection = wrapper.connection
    if not isinstance(connection, Connection) or connection.script is None or connection.pending_reads:
        return ask
    reads = connection.script.questions

    def ask_pending() -> T:
        connection.pending_reads = reads
        try:
            return ask()
        finally:
            connection.pending_reads = None

    def ask_after_lost() -> T:
        try:
            with after_write():
                return ask()
        except (Error, utils.OperationalError) as error:
            raise lost_result(error) from error

    def answer() -> T:
        try:
            return ask_pending()
        except ReadPending:
            return ask_after_lost() if reads.are_lost else ask()

    with suppress(Exception, ReadPending):
        ask_pending()
    return answer


def _gather(
    asks: list[Ask],
    wrapper: BaseDatabaseWrapper,
    connection: Connection,
    write: Statement | None = None,
) -> list[Any]:
    """Ask all questions, send what they wait for, and ask those again that had to wait."""
    answers: dict[int, Any] = {}
    waited_for: dict[int, Key] = {}
    connection.pending_reads = pending = PendingReads()
    try:
        if write is not None:
            for ask in asks:
                with suppress(Exception, ReadPending):
                    ask()
            with wrapper.wrap_database_errors:
                pending.send_after(write, connection.session)
        while len(answers) < len(asks):
            for i, ask in enumerate(asks):
                if i not in answers:
                    logged = len(wrapper.queries_log)
                    try:
                        answers[i] = pending.ask(ask, waited_for.get(i))
                    except ReadPending as waiting:
                        waited_for[i] = waiting.key
                        # A query is logged once, when its answer is there.
                        while len(wrapper.queries_log) > logged:
                            wrapper.queries_log.pop()
            with wrapper.wrap_database_errors:
                pending.send(connection.session, checked=connection.script is not None)
    finally:
        connection.pending_reads = None
    return [answers[i] for i in range(len(asks))]


def _ask_within(asks: list[Ask]) -> list[Any]:
    """The answers to questions within one of another gather(). All are noted before it waits for any."""
    answers, waiting = [], None
    for ask in asks:
        try:
            answers.append(ask())
        except ReadPending as pending:
            waiting = pending
    if waiting is not None:
        raise waiting
    return answers


def ask_ahead(ask: Callable[[], T], assume: Callable[[], T], using: str = DEFAULT_DB_ALIAS) -> T:
    """The answer of `ask`, a function that only reads.

    Within a question of gather(), what `assume` returns while D1 has not answered, so that the queries that follow from
    it travel along. The question then runs again, with the answer: whatever it returned or raised before is dropped.
    """
    connection = connections[using].connection
    pending = connection.pending_reads if isinstance(connection, Connection) else None
    if pending is None:
        return ask()
    try:
        return ask()
    except ReadPending as waiting:
        pending.assume(waiting)
        return assume()


def _ask(question: Question) -> Ask:
    if isinstance(question, QuerySet):
        return lambda: list(question.all())
    return question
