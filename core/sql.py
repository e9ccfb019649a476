"""Plain SQL, for statements that would cost the ORM more to compile than the database to run."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from django.db import connections
from django.db.models import Model
from django.db.models.base import ModelState

from d1backend.kept_rows import KeepsRows, Rows

M = TypeVar("M", bound=Model)
PART = 5000  # rows


def rows(statement: str, parameters: Sequence[Any], alias: str) -> Rows:
    """The rows of a SELECT in the database `alias`; router.db_for_read(model, values_only=True) names it.

    A column declared as a date or boolean comes as the driver converts it: let SQL make texts and numbers of it.
    """
    database = connections[alias]
    if isinstance(database, KeepsRows):
        return database.rows(statement, parameters)
    with database.cursor() as cursor:
        cursor.execute(statement, parameters)
        found: Rows = cursor.fetchall()
        return found


def parts(statement: str, parameters: Sequence[Any], alias: str) -> Iterator[Rows]:
    """The same rows, PART at a time, so that they need not all be in memory."""
    with connections[alias].cursor() as cursor:
        cursor.execute(statement, parameters)
        while found := cursor.fetchmany(PART):
            yield found


def kept_rows(statement: str, parameters: Sequence[Any], alias: str) -> Rows:
    """The same, for what is asked again and again: SQLite is asked only whether the database has changed since.

    Nobody may change the list.
    """
    database = connections[alias]
    if isinstance(database, KeepsRows):
        return database.kept_rows(statement, parameters)
    return rows(statement, parameters, alias)


def stored_time(moment: datetime) -> str:
    """A time as the database stores it, for a parameter of plain SQL.

    Django writes the same text of an aware time: its date and time in UTC.
    """
    return str(moment.astimezone(UTC).replace(tzinfo=None))


def instance_of(model: type[M], alias: str, **columns: Any) -> M:
    """A row with these columns as an object of its model; the others are deferred.

    Model.from_db() takes ten times as long. This sends no signal, and calls no __init__().
    """
    instance = model.__new__(model)
    instance._state = ModelState()
    instance._state.adding, instance._state.db = False, alias
    instance.__dict__.update(columns)
    return instance
