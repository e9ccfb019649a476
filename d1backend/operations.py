"""How Django's operations are written in D1's SQL."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.management.color import Style
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.sqlite3.operations import DatabaseOperations as SQLiteOperations
from django.db.backends.utils import CursorWrapper
from django.db.models import Expression, Field, Model

from d1backend.flush import with_referring_first
from d1backend.functions import FunctionOperations
from d1backend.protocol.parameters import Params
from d1backend.sql.values import Parameter, Row, Value, literal

# The most rows of a bulk_update() whose CASE fits D1's 100,000 bytes of SQL, for one field.
_BULK_UPDATE = 300

_REFERENCES = (
    'SELECT DISTINCT m.name, lower(f."table") FROM sqlite_master m, pragma_foreign_key_list(m.name) f '
    "WHERE m.type = 'table' AND m.name NOT GLOB '_cf_*'"
)


class DatabaseOperations(FunctionOperations, SQLiteOperations):  # type: ignore[misc]
    compiler_module = "d1backend.compilers.base"

    def compiler(self, compiler_name: str) -> type:
        from d1backend.compilers import insert, update

        own = {
            "SQLInsertCompiler": insert.SQLInsertCompiler,
            "SQLUpdateCompiler": update.SQLUpdateCompiler,
            "SQLDeleteCompiler": update.SQLDeleteCompiler,
        }
        return own.get(compiler_name) or super().compiler(compiler_name)

    def bulk_batch_size(self, fields: Sequence[Field], objs: Sequence[Model]) -> int:
        """How many rows one statement takes: all, except in bulk_update(), whose SQL grows with each row."""
        if len(fields) > 2 and fields[0] is fields[1]:
            return max(1, _BULK_UPDATE // max(1, len(fields) - 2))
        return len(objs)

    def sql_flush(
        self,
        style: Style,
        tables: Sequence[str],
        *,
        reset_sequences: bool = False,
        allow_cascade: bool = False,
    ) -> list[str]:
        if tables and allow_cascade:
            tables = list(self._with_referring(set(tables)))
        # Twice: a trigger may write to a table that is empty already.
        tables = with_referring_first(tables)
        return 2 * super().sql_flush(style, tables, reset_sequences=reset_sequences, allow_cascade=False)

    def _with_referring(self, tables: set[str]) -> set[str]:
        """The tables and all that refer to them, directly or through others."""
        with self.connection.cursor() as cursor:
            cursor.execute(_REFERENCES)
            links = cursor.fetchall()
        found = {name.lower() for name in tables}
        added = set(tables)
        grown = True
        while grown:
            grown = False
            for child, parent in links:
                if parent in found and child.lower() not in found:
                    found.add(child.lower())
                    added.add(child)
                    grown = True
        return added

    def last_executed_query(self, cursor: CursorWrapper, sql: str, params: Params) -> str:
        """The statement with its parameters as literals, without a query."""
        if not params:
            return sql
        if isinstance(params, Mapping):
            return sql % _Literals(params)
        return sql % tuple(map(literal, params))

    def fetch_returned_insert_columns(self, cursor: CursorWrapper, returning_params: Row) -> Row | None:
        return cursor.fetchone()

    def for_update_sql(
        self, nowait: bool = False, skip_locked: bool = False, of: Sequence[str] = (), no_key: bool = False
    ) -> str:
        return "FOR UPDATE"

    def get_db_converters(self, expression: Expression) -> list[Any]:
        converters = super().get_db_converters(expression)
        if expression.output_field.get_internal_type() == "FloatField":
            converters.append(_to_float)
        return converters

    def force_group_by(self) -> list[str]:
        return []


class _Literals(dict[str, str]):
    """The parameters that a statement uses as literals; a mapping may hold others, of any type."""

    def __init__(self, params: Mapping[str, Parameter]) -> None:
        super().__init__()
        self._params = params

    def __missing__(self, name: str) -> str:
        return literal(self._params[name])


def _to_float(value: Value, expression: Expression, connection: BaseDatabaseWrapper) -> Value:
    """JSON writes the REAL 5.0 as 5."""
    return float(value) if isinstance(value, int) else value
