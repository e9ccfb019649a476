"""SQLite without Django's Python functions and with D1's limits, which our functions' SQL must run on."""

import sqlite3
from types import SimpleNamespace
from typing import Any

from django.db.backends.sqlite3.base import DatabaseWrapper
from django.db.backends.sqlite3.features import DatabaseFeatures
from django.db.backends.sqlite3.operations import DatabaseOperations
from django.db.models import Q, Value
from django.db.models.sql import Query
from django.db.models.sql.constants import SINGLE
from django.db.utils import ConnectionHandler
from hypothesis import settings

from d1backend.functions import FunctionOperations

# The first use of a zone takes its time.
settings.register_profile("functions", deadline=None)
settings.load_profile("functions")

LIMITS = {
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 5,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 32,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 50,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
}


class Operations(FunctionOperations, DatabaseOperations):
    pass


def operations(connection_zone: str = "UTC") -> Operations:
    return Operations(SimpleNamespace(timezone_name=connection_zone))


def connect() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    for limit, value in LIMITS.items():
        connection.setlimit(limit, value)
    return connection


def evaluate(sql: str, params: Any, value: Any) -> Any:
    """The SQL of one expression over the column ``t.x``, for a row with that value."""
    with connect() as connection:
        query = f"WITH t AS MATERIALIZED (SELECT ? AS x) SELECT {sql} FROM t".replace("%s", "?").replace(
            "%%", "%"
        )
        return connection.execute(query, (value, *params)).fetchone()[0]


class Features(DatabaseFeatures):
    supports_json_field = True
    has_json_object_function = True


class RestrictedWrapper(DatabaseWrapper):
    ops_class = Operations
    features_class = Features

    def get_new_connection(self, conn_params: Any) -> sqlite3.Connection:
        return connect()

    def ensure_connection(self) -> None:
        # pytest-django guards the project's databases; this one belongs to the test.
        if self.connection is None:
            self.connect()


def restricted() -> RestrictedWrapper:
    handler = ConnectionHandler({"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
    return RestrictedWrapper(handler.settings["default"], alias="default")


connection = restricted()


def _query(columns: dict[str, Any]) -> Query:
    query = Query(None)
    for name, value in columns.items():
        query.add_annotation(
            value if hasattr(value, "resolve_expression") else Value(value), name, select=False
        )
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
