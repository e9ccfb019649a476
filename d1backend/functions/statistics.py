"""Variance and standard deviation, which D1 has no aggregate for, from sums.

The textbook formula, the mean of squares less the square of the mean, loses all its digits when values lie
close together and far from zero. The sums here are of distances from a value that is typical of the column
(any constant gives the same variance), so only the spread within a group and between groups counts.
"""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import FullResultSet
from django.db.models import Count, StdDev, Subquery, Variance, Window
from django.db.models.expressions import Col, RawSQL, Ref, Star

from d1backend.functions.registry import compiles
from d1backend.functions.sql import as_numeric

_SAMPLE_SIZE = 100


def _typical(node: Any, x: str, params: Sequence[Any], compiler: Any) -> tuple[str, Sequence[Any]]:
    """SQL of the mean of a few values of ``x``; 0 where its tables cannot be read anew.

    The tables bear the same aliases as outside, so the expression's SQL serves unchanged.
    """
    leaves = list(node.get_source_expressions()[0].flatten())
    aliases = {leaf.alias for leaf in leaves if isinstance(leaf, Col)}
    tables = [getattr(compiler.query.alias_map.get(alias), "table_name", None) for alias in sorted(aliases)]
    if not tables or None in tables or any(isinstance(leaf, Ref | RawSQL | Subquery) for leaf in leaves):
        return "0", ()
    quote = compiler.connection.ops.quote_name
    source = ", ".join(
        f"{quote(t)} AS {compiler.quote_name_unless_alias(a)}"
        for t, a in zip(tables, sorted(aliases), strict=True)
    )
    sample = f"SELECT {x} AS _0 FROM {source} LIMIT {_SAMPLE_SIZE}"
    return f"COALESCE((SELECT AVG(_0) FROM ({sample})), 0)", params


def _spread(
    node: Any, compiler: Any, connection: Any, over: tuple[str, Sequence[Any]] = ("", ())
) -> tuple[str, Any]:
    """The variance or standard deviation, each of its sums followed by FILTER and OVER as need be."""
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
    divisor = f"({count} - 1)" if node.function.endswith("_SAMP") else count
    sql = f"max(({squares} - {total} * {total} / {count}) / {divisor}, 0.0)"
    if isinstance(node, StdDev):
        sql = f"SQRT({sql})"
    of_squares = (*distance_params, *distance_params, *suffix_params)
    of_totals = (*distance_params, *suffix_params) * 2
    of_counts = (*params, *suffix_params) * 2
    return as_numeric(node, sql), (*of_squares, *of_totals, *of_counts)


@compiles(StdDev, Variance)
def spread(node: Any, compiler: Any, connection: Any) -> tuple[str, Sequence[Any]]:
    connection.ops.check_expression_support(node)
    return _spread(node, compiler, connection)


@compiles(Window)
def window(node: Any, compiler: Any, connection: Any) -> tuple[str, Sequence[Any]]:
    if not isinstance(node.source_expression, StdDev | Variance):
        return node.as_sqlite(compiler, connection)
    connection.ops.check_expression_support(node.source_expression)
    frame = node.copy()
    frame.source_expression = Count(Star())
    over = frame.as_sql(compiler, connection, template=" OVER (%(window)s)")
    return _spread(node.source_expression, compiler, connection, over)
