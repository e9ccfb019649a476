"""UPDATE and DELETE of rows that the transaction knows are there: their row count need not be asked."""

from typing import Any

from django.db.models.expressions import Col
from django.db.models.lookups import Exact, In
from django.db.models.sql.where import AND

from d1backend.compilers import base
from d1backend.transaction.script import Hint


def _keys(query: Any) -> tuple[str, Any, list[Any]] | None:
    """Table, key column and keys of a query whose whole condition is that its key equals or is among
    plain values."""
    where = query.where
    if len(where.children) != 1 or where.negated or where.connector != AND:
        return None
    lookup = where.children[0]
    meta: Any = query.get_meta()
    lhs = getattr(lookup, "lhs", None)
    if not isinstance(lhs, Col) or lhs.target is not meta.pk or lookup.bilateral_transforms:
        return None
    if isinstance(lookup, Exact) and lookup.rhs_is_direct_value():
        values = [lookup.rhs]
    elif isinstance(lookup, In) and lookup.rhs_is_direct_value():
        values = list(dict.fromkeys(lookup.rhs))
    else:
        return None
    return meta.db_table, meta.pk.column, values


def _written(query: Any) -> tuple[frozenset[str] | None, frozenset[str]]:
    """The columns that an UPDATE writes, and those that get a NULL; None when a value is an expression."""
    if any(hasattr(value, "resolve_expression") for _, _, value in query.values):
        return None, frozenset()
    columns = {field.column.lower(): value for field, _, value in query.values}
    return frozenset(columns), frozenset(column for column, value in columns.items() if value is None)


def _known_count(connection: Any, query: Any) -> int | None:
    script = connection.script
    if script is None or not script.known:
        return None
    found = _keys(query)
    if found is None or not script.knows(*found):
        return None
    return len(found[2])


class SQLUpdateCompiler(base.SQLUpdateCompiler):
    def execute_sql(self, result_type: Any) -> Any:  # type: ignore[override]
        self.connection.ensure_connection()
        connection: Any = self.connection.connection
        query: Any = self.query
        keeps_keys = not any(field.primary_key for field, _, _ in query.values)
        count = connection.expected
        if count is None and not query.related_updates:
            count = _known_count(connection, query)
        sure = count is not None and connection.expected is None
        columns, nulls = _written(query) if sure else (None, frozenset())
        with connection.hinting(Hint(count=count, keeps_keys=keeps_keys, columns=columns, nulls=nulls)):
            return super().execute_sql(result_type)


class SQLDeleteCompiler(base.SQLDeleteCompiler):
    def execute_sql(self, result_type: Any, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        self.connection.ensure_connection()
        connection: Any = self.connection.connection
        with connection.hinting(Hint(count=_known_count(connection, self.query))):
            return super().execute_sql(result_type, *args, **kwargs)
