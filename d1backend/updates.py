"""Writes of which less is asked, or more is known, than Django's own say, and which cost D1 no question so."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections, router
from django.db.models import AutoField, Model, QuerySet
from django.db.models.sql import InsertQuery

from d1backend.errors import SerializationFailure
from d1backend.transaction.connection import Connection


def update_uncounted(queryset: QuerySet[Any], **values: Any) -> None:
    """`queryset.update(**values)` without its row count.

    Inside atomic() a row count costs D1 a round trip (a rehearsal) and holds the commit to it; this costs nothing
    and holds it to nothing. On other engines it is a plain update().
    """
    with _connection_of(queryset) as connection:
        if connection is None:
            queryset.update(**values)
            return
        connection.counting = False
        try:
            queryset.update(**values)
        finally:
            connection.counting = True


def update_or_conflict(queryset: QuerySet[Any], **values: Any) -> None:
    """`queryset.update(**values)` of exactly one row, which the caller knows and describes in the queryset.

    Raises SerializationFailure where there is no such row, or more than one: on D1 inside atomic() at the
    commit, which costs no round trip of its own; else at once. Call it inside atomic(): what fails is undone.
    """
    with _connection_of(queryset) as connection:
        if connection is not None:
            connection.expected = 1
        try:
            count = queryset.update(**values)
        finally:
            if connection is not None:
                connection.expected = None
    if count != 1:
        raise SerializationFailure(f"Not one row of {queryset.model._meta.db_table} was there to update.")


def insert_unkeyed(new: Model) -> None:
    """Store a new object whose key nobody wants to know, and for which D1 therefore reserves none.

    As save(force_insert=True), but that `new.pk` stays None and no signals are sent.
    """
    model = type(new)
    query = InsertQuery(model)
    fields = [field for field in model._meta.local_concrete_fields if not isinstance(field, AutoField)]
    query.insert_values(fields, [new])
    query.get_compiler(router.db_for_write(model)).execute_sql()


@contextmanager
def _connection_of(queryset: QuerySet[Any]) -> Iterator[Connection | None]:
    """D1's connection that the queryset writes through; None on another engine."""
    queryset = queryset.all()
    queryset._for_write = True  # type: ignore[attr-defined]
    wrapper = connections[queryset.db]
    wrapper.ensure_connection()
    connection: Any = wrapper.connection
    yield connection if isinstance(connection, Connection) else None
