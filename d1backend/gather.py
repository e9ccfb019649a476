"""Several questions in one round trip."""

from collections.abc import Callable
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet

from d1backend.transaction.connection import Connection
from d1backend.transaction.pending_reads import Key, PendingReads, ReadPending

Ask = Callable[[], Any]
Question = QuerySet | Ask


def gather(*questions: Question, using: str | None = None) -> list[Any]:
    """The answers to several questions, in their order.

    A question is a queryset (its answer is the list of its objects) or a function without arguments that only reads,
    like `queryset.count`. On D1 all of them travel in one batch. A question that needs a second query after its first
    (prefetch_related) makes all of them take a second batch. A function may be called more than once; where its queries
    depend on the time, they are sent by themselves. On other engines the questions run one after the other.
    """
    asks = [_ask(question) for question in questions]
    alias = using or next((q.db for q in questions if isinstance(q, QuerySet)), DEFAULT_DB_ALIAS)
    wrapper = connections[alias]
    wrapper.ensure_connection()
    connection = wrapper.connection
    if not isinstance(connection, Connection) or connection.pending_reads is not None:
        return [ask() for ask in asks]
    answers = _gather(asks, wrapper, connection)
    for question, answer in zip(questions, answers, strict=True):
        if isinstance(question, QuerySet):
            question._result_cache = answer
    return answers


def _gather(asks: list[Ask], wrapper: BaseDatabaseWrapper, connection: Connection) -> list[Any]:
    """Ask all questions, send what they wait for, and ask those again that had to wait."""
    answers: dict[int, Any] = {}
    waited_for: dict[int, Key] = {}
    connection.pending_reads = pending = PendingReads()
    try:
        while len(answers) < len(asks):
            for i, ask in enumerate(asks):
                if i not in answers:
                    logged = len(wrapper.queries_log)
                    pending.begin(waited_for.get(i))
                    try:
                        answers[i] = ask()
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


def _ask(question: Question) -> Ask:
    if isinstance(question, QuerySet):
        return lambda: list(question.all())
    return question
