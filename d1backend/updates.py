"""Writes that cost D1 no rehearsal: the caller does not want a row count or a key, or knows it."""

from typing import Any, TypeVar

from django.db import router
from django.db.models import AutoField, Model, QuerySet
from django.db.models.sql import InsertQuery

from d1backend.compilers.update import with_hint
from d1backend.errors import SerializationFailure
from d1backend.transaction.hints import Hint

M = TypeVar("M", bound=Model)


def update_uncounted(queryset: QuerySet[M], **values: Any) -> None:
    """`queryset.update(**values)` without its row count.

    Inside atomic() a row count costs D1 a round trip (a rehearsal), and the commit must find it again; this costs
    nothing and the commit may find any number of rows. On other engines it is a plain update().
    """
    with_hint(queryset, Hint(counted=False)).update(**values)


def update_or_conflict(queryset: QuerySet[M], **values: Any) -> None:
    """`queryset.update(**values)` of exactly one row, which the queryset describes.

    Raises SerializationFailure when there is no such row or more than one: on D1 inside atomic() at the commit,
    without a round trip of its own; otherwise at once. Call it inside atomic(), so that a failure is rolled back.
    """
    count = with_hint(queryset, Hint(count=1)).update(**values)
    if count != 1:
        table = queryset.model._meta.db_table
        raise SerializationFailure(f"The update of one row of {table} found {count} rows. Run it again.")


def insert_unkeyed(new: Model) -> None:
    """Store a new object whose key is not needed, so that D1 reserves none.

    Like save(force_insert=True), except that `new.pk` stays None and no signals are sent.
    """
    model = type(new)
    query = InsertQuery(model)
    fields = [field for field in model._meta.local_concrete_fields if not isinstance(field, AutoField)]
    query.insert_values(fields, [new])
    query.get_compiler(router.db_for_write(model)).execute_sql()
