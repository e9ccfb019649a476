"""The database that the SQL of our functions is tried on, and ways to ask it for single values.

It is D1 itself where the local engine is installed (`make d1-engine`); elsewhere SQLite without Django's
Python functions and with D1's limits.
"""

import atexit
import sqlite3
from collections.abc import Callable
from typing import Any

from django.db.backends.sqlite3.base import DatabaseWrapper as SQLiteWrapper
from django.db.backends.sqlite3.features import DatabaseFeatures
from django.db.backends.sqlite3.operations import DatabaseOperations
from django.db.models import Q, Value
from django.db.models.sql import Query
from django.db.models.sql.constants import SINGLE
from django.db.utils import ConnectionHandler
from hypothesis import given, settings

from d1backend.base import DatabaseWrapper as D1Wrapper
from d1backend.functions import FunctionFeatures, FunctionOperations
from d1backend.local import D1Local, workerd_binary

LIMITS = {
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 5,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 32,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 50,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
}


def proves(*args: Any, **kwargs: Any) -> Callable[[Any], Any]:
    """Hypothesis's given(), at a pace for a database: the first use of a zone or the engine takes time."""
    return lambda test: settings(deadline=None, max_examples=50)(given(*args, **kwargs)(test))


class _Unguarded:
    """pytest-django guards the project's databases; this one belongs to the tests."""

    def ensure_connection(self) -> None:
        if self.connection is None:  # type: ignore[has-type]
            self.connect()  # type: ignore[attr-defined]


class Operations(FunctionOperations, DatabaseOperations):
    pass


class Features(FunctionFeatures, DatabaseFeatures):
    supports_json_field = True
    has_json_object_function = True


class LimitedSQLite(_Unguarded, SQLiteWrapper):
    ops_class = Operations
    features_class = Features

    def get_new_connection(self, conn_params: Any) -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:")
        for limit, value in LIMITS.items():
            connection.setlimit(limit, value)
        return connection


class LocalD1(_Unguarded, D1Wrapper):
    pass


def _connection() -> Any:
    if workerd_binary() is None:
        database = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
        return LimitedSQLite(ConnectionHandler({"default": database}).settings["default"])
    engine = D1Local(autocreate=True)
    engine.__enter__()
    atexit.register(engine.__exit__, None, None, None)
    options = {"account_id": "local", "api_token": engine.token, "base_url": engine.url}
    database = {"ENGINE": "d1backend", "NAME": "functions", "OPTIONS": options}
    return LocalD1(ConnectionHandler({"default": database}).settings["default"])


connection = _connection()


def evaluate(sql: str, params: Any, value: Any) -> Any:
    """The SQL of one expression over the column ``t.x``, for a row with that value."""
    with connection.cursor() as cursor:
        cursor.execute(f"WITH t AS MATERIALIZED (SELECT %s AS x) SELECT {sql} FROM t", (value, *params))
        return cursor.fetchone()[0]


def _query(columns: dict[str, Any]) -> Query:
    query = Query(None)
    for name, value in columns.items():
        value = value if hasattr(value, "resolve_expression") else Value(value)
        query.add_annotation(value, name, select=False)
    return query


def rows_of(queryset: Any) -> list[Any]:
    return list(queryset.query.get_compiler(connection=connection).results_iter())


def value_of(expression: Any, **columns: Any) -> Any:
    """What the database makes of an expression over columns with these values."""
    query = _query(columns)
    query.add_annotation(expression, "_value")
    return next(iter(query.get_compiler(connection=connection).results_iter()))[0]


def matches(condition: Q, **columns: Any) -> bool:
    """Whether a row with these values passes a filter."""
    query = _query(columns)
    query.add_annotation(Value(1), "_one")
    query.add_q(condition)
    return query.get_compiler(connection=connection).execute_sql(SINGLE) is not None
