"""Mathematical functions under the names that D1 allows, and replacements for those it lacks."""

import math

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.expressions import CombinedExpression, Expression, Func
from django.db.models.functions import Ceil, Coalesce, Cot, Greatest, Least, Power, Random
from django.db.models.sql.compiler import SQLCompiler

from d1backend.functions.registry import compiles
from d1backend.functions.sql import Compiled, as_numeric, balanced, let

# Cloudflare documents 32 arguments per function: https://developers.cloudflare.com/d1/platform/limits/
MAX_ARGUMENTS = 32
_MANTISSA = 2**53
_ASSOCIATIVE = {"+", "*", "&", "|"}
_LONG_CHAIN = 32


@compiles(Ceil)
def ceil(node: Ceil, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Compiled:
    return node.as_sqlite(compiler, connection, function="CEIL")


@compiles(Power)
def power(node: Power, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Compiled:
    return node.as_sqlite(compiler, connection, function="POW")


@compiles(Cot)
def cot(node: Cot, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Compiled:
    return node.as_sqlite(compiler, connection, template="(1.0 / TAN(%(expressions)s))")


@compiles(Random)
def random(node: Random, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Compiled:
    """Return a float in [0, 1) with as many random bits as its mantissa holds."""
    return f"((random() & {_MANTISSA - 1}) / {float(_MANTISSA)!r})", ()


@compiles(Coalesce, Greatest, Least)
def variadic(node: Func, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Compiled:
    """Nest the calls so that none has more arguments than D1 takes; all three functions are associative."""
    sources = node.get_source_expressions()
    if len(sources) <= MAX_ARGUMENTS:
        return node.as_sqlite(compiler, connection)
    size = max(math.ceil(len(sources) / MAX_ARGUMENTS), 2)
    groups: list[Expression] = []
    for start in range(0, len(sources), size):
        group = node.copy()
        group.set_source_expressions(sources[start : start + size])
        groups.append(group if len(sources[start : start + size]) > 1 else sources[start])
    outer = node.copy()
    outer.set_source_expressions(groups)
    return outer.as_sqlite(compiler, connection)


@compiles(CombinedExpression)
def combined(node: CombinedExpression, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Compiled:
    """Write a long sum or product as a tree; only the rounding of floats may differ from Django's chain.

    SQLite nests a chain one level per term.
    """
    terms: list[Expression] = []
    rest: Expression = node
    while type(rest) is CombinedExpression and rest.connector == node.connector:
        rest, term = rest.get_source_expressions()
        terms.append(term)
    terms.append(rest)
    if node.connector not in _ASSOCIATIVE or len(terms) <= _LONG_CHAIN:
        return node.as_sqlite(compiler, connection)
    compiled = [compiler.compile(term) for term in reversed(terms)]
    sql = as_numeric(node, balanced([sql for sql, _ in compiled], node.connector))
    return sql, [p for _, params in compiled for p in params]


class MathOperations:
    """The methods of ``DatabaseOperations`` that spell operators; mix in before Django's SQLite class."""

    def combine_expression(self, connector: str, sub_expressions: list[str]) -> str:
        if connector == "^":
            return "POW({})".format(", ".join(sub_expressions))
        if connector == "#":
            return let(sub_expressions, lambda left, right: f"({left} | {right}) - ({left} & {right})")[0]
        return super().combine_expression(connector, sub_expressions)  # type: ignore[misc]
