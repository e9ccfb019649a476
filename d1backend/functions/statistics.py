"""Variance and standard deviation from sums, because D1 has no aggregate for them.

The textbook formula, the mean of squares less the square of the mean, loses all its digits when values lie
close together and far from zero. The sums here are of distances from a typical value of the column (any
constant gives the same variance), so only the spread within a group and between groups matters.
"""

from collections.abc import Sequence

from django.core.exceptions import FullResultSet
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Aggregate, Count, StdDev, Subquery, Variance, Window
from django.db.models.expressions import Col, RawSQL, Ref, Star
from django.db.models.sql.compiler import SQLCompiler

from d1backend.functions.registry import compiles
from d1backend.functions.sql import Compiled, Parameter, as_numeric

_SAMPLE_SIZE = 100


def _typical(node: Aggregate, x: str, params: Sequence[Parameter], compiler: SQLCompiler) -> Compiled:
    """Return SQL of the mean of a few values of ``x``; 0 if its tables cannot be read again.

    The tables keep the aliases that they have outside, so the expression's SQL fits unchanged.
    """
    leaves = list(node.get_source_expressions()[0].flatten())
    aliases = {leaf.alias for leaf in leaves if isinstance(leaf, Col)}
    tables = [getattr(compiler.query.alias_map.get(alias), "table_name", "") for alias in sorted(aliases)]
    if not tables or "" in tables or any(isinstance(leaf, Ref | RawSQL | Subquery) for leaf in leaves):
        return "0", ()
    quote = compiler.connection.ops.quote_name
    source = ", ".join(
        f"{quote(t)} AS {compiler.quote_name_unless_alias(a)}"
        for t, a in zip(tables, sorted(aliases), strict=True)
    )
    sample = f"SELECT {x} AS _0 FROM {source} LIMIT {_SAMPLE_SIZE}"
    return f"COALESCE((SELECT AVG(_0) FROM ({sample})), 0)", params


def _spread(
    node: Aggregate, compiler: SQLCompiler, connection: BaseDatabaseWrapper, over: Compiled = ("", ())
) -> Compiled:
    """Return the variance or standard deviation, each of its sums followed by FILTER and OVER if needed."""
    x, params = compiler.compile(node.get_source_expressions()[0])
    typical, typical_params = _typical(node, x, params, compiler)
    suffix, suffix_params = over
    if node.filter:
        try:
            condition, condition_params = node.filter.as_sql(compiler, connection)
        except FullResultSet:
            pass
        else:
            suffix = f" FILTER (WHERE {condition}){suffix}"
            suffix_params = (*condition_params, *suffix_params)
    distance = f"({x} - {typical})"
    distance_params = (*params, *typical_params)
    count = f"COUNT({x}){suffix}"
    total = f"TOTAL({distance}){suffix}"
    squares = f"TOTAL({distance} * {distance}){suffix}"
    divisor = f"({count} - 1)" if str(node.function).endswith("_SAMP") else count
    sql = f"max(({squares} - {total} * {total} / {count}) / {divisor}, 0.0)"
    if isinstance(node, StdDev):
        sql = f"SQRT({sql})"
    of_squares = (*distance_params, *distance_params, *suffix_params)
    of_totals = (*distance_params, *suffix_params) * 2
    of_counts = (*params, *suffix_params) * 2
    return as_numeric(node, sql), (*of_squares, *of_totals, *of_counts)


@compiles(StdDev, Variance)
def spread(node: Aggregate, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Compiled:
    connection.ops.check_expression_support(node)
    return _spread(node, compiler, connection)


@compiles(Window)
def window(node: Window, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Compiled:
    source, *rest = node.get_source_expressions()
    if not isinstance(source, StdDev | Variance):
        return node.as_sqlite(compiler, connection)
    connection.ops.check_expression_support(source)
    frame = node.copy()
    frame.set_source_expressions([Count(Star()), *rest])
    over = frame.as_sql(compiler, connection, template=" OVER (%(window)s)")
    return _spread(source, compiler, connection, over)
