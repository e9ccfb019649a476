"""Rows that a connection to a SQLite file has read, kept for as long as nobody changes the file."""

import sqlite3
from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db.backends.sqlite3 import base

Rows = list[tuple[Any, ...]]
MOST = 1024  # answers; the least recently used goes first


class KeepsRows(base.DatabaseWrapper):
    """A connection that answers a question again from memory, while its database is as it was.

    Each time it asks SQLite for the number that changes with every commit of another connection, also of another
    process (https://www.sqlite.org/pragma.html#pragma_data_version), and counts the changes of its own. That reads no
    table, so an answer is never older than one that is read now. Only a change of the schema by this connection itself
    has no number: close it after one.
    """

    def get_new_connection(self, conn_params: dict[str, str | float | None]) -> sqlite3.Connection:
        self._kept: OrderedDict[tuple[Any, ...], Rows] = OrderedDict()
        self._kept_at: tuple[int, int] | None = None  # the numbers are those of one connection
        return super().get_new_connection(conn_params)

    def kept_rows(self, statement: str, parameters: Sequence[Any]) -> Rows:
        """Return the rows of a SELECT that depends on the database and its parameters alone. Do not change them."""
        self.ensure_connection()
        if self.connection.in_transaction:  # what it reads may be rolled back, which no number shows
            return self.rows(statement, parameters)
        with self.wrap_database_errors:
            (version,) = self.connection.execute("PRAGMA data_version").fetchone()
        now = version, self.connection.total_changes
        if now != self._kept_at:
            self._kept.clear()
            self._kept_at = now
        question = (statement, *parameters)
        rows = self._kept.get(question)
        if rows is not None:
            self._kept.move_to_end(question)
            return rows
        rows = self.rows(statement, parameters)
        self._kept[question] = rows
        if len(self._kept) > MOST:
            self._kept.popitem(last=False)
        return rows

    def rows(self, statement: str, parameters: Sequence[Any]) -> Rows:
        """Return the rows of a SELECT; by SQLite itself, unless somebody watches what Django's cursors run."""
        rows: Rows
        if self.queries_logged or self.execute_wrappers:
            with self.cursor() as cursor:
                cursor.execute(statement, parameters)
                rows = cursor.fetchall()
            return rows
        self.ensure_connection()
        self.validate_no_broken_transaction()
        with self.wrap_database_errors:
            rows = self.connection.execute(with_question_marks(statement), parameters).fetchall()
        return rows


@lru_cache(maxsize=256)
def with_question_marks(statement: str) -> str:
    """Return a statement with SQLite's mark in place of each parameter, as Django's cursors do."""
    return base.FORMAT_QMARK_REGEX.sub("?", statement).replace("%%", "%")
