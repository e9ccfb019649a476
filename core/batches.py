"""Deletes many rows a few at a time, so that no statement runs long and nothing waits behind it."""

from typing import Any, TypeVar

from django.db import router
from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)
BATCH = 2000  # rows of one statement


def delete_in_batches(rows: QuerySet[M]) -> int:
    """Delete these rows, to which no other row refers, by their keys; return how many went.

    Each statement asks for the conditions again, so a row that has changed since it was found stays. On D1 a batch is
    two round trips, and nothing to do is one. Call it outside of a transaction. No signals are sent.
    """
    using = router.db_for_write(rows.model)
    rows = rows.using(using).order_by("pk")
    count, keys = 0, first_keys(rows)
    while keys:
        # Not delete(): its transaction would ask D1 for the number of rows once more.
        count += rows.filter(pk__in=keys).order_by()._raw_delete(using)
        if len(keys) < BATCH:
            break
        keys = first_keys(rows.filter(pk__gt=keys[-1]))
    return count


def first_keys(rows: QuerySet[M]) -> list[Any]:
    return list(rows.values_list("pk", flat=True)[:BATCH])
