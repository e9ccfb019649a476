"""Plain SQL for what every request reads, where making the statement would cost more than running it."""

from collections.abc import Sequence
from typing import Any

from django.db import connections


def rows(statement: str, parameters: Sequence[Any], alias: str) -> list[tuple[Any, ...]]:
    """The rows of a SELECT in the database `alias`; router.db_for_read(model) names it.

    A column declared as a date or boolean comes as the driver converts it: let SQL make texts and numbers of it.
    """
    with connections[alias].cursor() as cursor:
        cursor.execute(statement, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found
