"""UPDATE and DELETE of rows that the transaction knows are there: their row count needs no rehearsal."""

from collections.abc import Sequence
from typing import Any, TypeVar

from django.db.models import Field, Model, QuerySet
from django.db.models.expressions import Col
from django.db.models.lookups import Exact, In
from django.db.models.sql import Query
from django.db.models.sql.where import AND

from d1backend.aliases import GuardedAlias
from d1backend.compilers import base
from d1backend.sql.values import Value
from d1backend.transaction.hints import NO_HINT, Hint, HintedSQL
from d1backend.transaction.interface import D1Connection

_CALLERS_HINT = "d1backend_hint"
M = TypeVar("M", bound=Model)
Compiled = tuple[str, tuple[str | int, ...]]


def with_hint(queryset: QuerySet[M], hint: Hint) -> QuerySet[M]:
    """A copy of the queryset whose UPDATE or DELETE takes `count` and `counted` of this hint.

    Other engines ignore it.
    """
    copy = queryset.all()
    setattr(copy.query, _CALLERS_HINT, hint)
    return copy


def _keys(query: Query) -> tuple[str, str, Sequence[Value]] | None:
    """Table, key column and keys of a query whose only condition is that its key is one of some plain values."""
    where = query.where
    if len(where.children) != 1 or where.negated or where.connector != AND:
        return None
    lookup = where.children[0]
    if not isinstance(lookup, Exact | In) or lookup.bilateral_transforms or not lookup.rhs_is_direct_value():
        return None
    meta, lhs = query.get_meta(), lookup.lhs
    if not isinstance(lhs, Col) or lhs.target is not meta.pk:
        return None
    values = list(dict.fromkeys(lookup.rhs)) if isinstance(lookup, In) else [lookup.rhs]
    return meta.db_table, str(lhs.target.column), values


def _written(
    values: Sequence[tuple[Field, type[Model] | None, Any]],
) -> tuple[frozenset[str] | None, frozenset[str]]:
    """The columns that an UPDATE writes (None when a value is an expression), and those that get a NULL."""
    if any(hasattr(value, "resolve_expression") for _, _, value in values):
        return None, frozenset()
    columns = {str(field.column).lower(): value for field, _, value in values}
    return frozenset(columns), frozenset(column for column, value in columns.items() if value is None)


def _known_count(connection: D1Connection, query: Query, *, ask: bool = False) -> int | None:
    """How many rows the query finds, when the transaction knows that; with `ask`, D1 may be asked."""
    found = None if connection.script is None else _keys(query)
    return found and connection.count_rows(found[0], found[1], list(found[2]), ask=ask)


class _HintedCompiler(base.SQLCompiler):
    _hint = NO_HINT

    def as_sql(self, *args: bool, **kwargs: bool) -> Compiled:
        sql, params = super().as_sql(*args, **kwargs)
        return HintedSQL(sql, self._hint), params


class SQLUpdateCompiler(_HintedCompiler, base.SQLUpdateCompiler):
    query: Any

    def execute_sql(self, result_type: Any) -> Any:  # type: ignore[override]
        self.connection.ensure_connection()
        self._hint = self._find_hint(self.connection.connection)
        return super().execute_sql(result_type)

    def _find_hint(self, connection: D1Connection) -> Hint:
        query = self.query
        given: Hint = getattr(query, _CALLERS_HINT, NO_HINT)
        keeps_keys = not any(field.primary_key for field, _, _ in query.values)
        count = given.count
        columns, nulls = None, frozenset[str]()
        if count is None and not query.related_updates:
            count = _known_count(connection, query, ask=given.counted)
            if count is not None:
                columns, nulls = _written(query.values)
        return Hint(
            count=count,
            counted=given.counted,
            keeps_keys=keeps_keys,
            columns=columns,
            nulls=nulls,
            requires=self._condition_of_whole_save(),
        )

    def _condition_of_whole_save(self) -> str | None:
        """What must be true of the row when an object is saved whole that was read from a replica."""
        using, found = self.using, _keys(self.query)
        if not isinstance(using, GuardedAlias) or found is None or len(found[2]) != 1:
            return None
        fields = self.query.get_meta().local_concrete_fields
        whole = {field for field in fields if not field.primary_key and not field.generated}
        if not whole <= {field for field, _, _ in self.query.values}:
            return None
        condition = using.condition(found[0], found[2][0])
        if condition is None:
            return None
        if self.connection.in_atomic_block:
            self.connection.on_commit(using.end)
        else:
            using.end()
        return condition


class SQLDeleteCompiler(_HintedCompiler, base.SQLDeleteCompiler):
    def execute_sql(self, result_type: Any, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        self.connection.ensure_connection()
        given: Hint = getattr(self.query, _CALLERS_HINT, NO_HINT)
        count = given.count
        if count is None:
            count = _known_count(self.connection.connection, self.query)
        self._hint = Hint(count=count, counted=given.counted)
        return super().execute_sql(result_type, *args, **kwargs)
