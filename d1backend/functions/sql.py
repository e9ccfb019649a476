"""Building blocks for SQL that must use one expression several times."""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress

from django.core.exceptions import FieldError
from django.db import NotSupportedError
from django.db.models.expressions import BaseExpression

Parameter = str | int | float | bytes | None
# What Django's as_sql() returns: SQL with a %s for each parameter, and the parameters.
Compiled = tuple[str, Sequence[Parameter]]

# Longer expressions are named in a derived table rather than repeated.
INLINE_LENGTH = 120
_WINDOW = " OVER ("
_MARK = re.compile("\ue000(\\d+)\ue000")


def let(fragments: Sequence[Compiled | str], body: Callable[..., str]) -> Compiled:
    """Return the SQL of ``body`` over expressions that it may use any number of times.

    ``fragments`` are pairs of SQL and parameters; a bare string is SQL whose parameters the caller passes
    on, once and in order. ``body`` is called with the text that stands for each fragment and must contain
    no placeholder itself.

    Long expressions are evaluated once, in a derived table: ``(SELECT body FROM (SELECT … AS _0))``. Short
    ones are repeated, because SQLite rejects subqueries in CHECK constraints, indexes and generated columns.
    Window functions are repeated too: inside a subquery they would see its one row only.
    """
    sqls = [f if isinstance(f, str) else f[0] for f in fragments]
    marks = [f"\ue000{i}\ue000" for i in range(len(fragments))]
    shape = body(*marks)
    used_once = [int(i) for i in _MARK.findall(shape)] == list(range(len(fragments)))
    fixed = any(isinstance(f, str) and "%s" in f for f in fragments)
    windowed = any(_WINDOW in sql for sql in sqls)
    if used_once or (not fixed and (windowed or sum(map(len, sqls)) <= INLINE_LENGTH)):
        return _filled(shape, fragments)
    refuse_windows(*sqls)
    params = tuple(p for f in fragments if not isinstance(f, str) for p in f[1])
    names = [f"_{i}" for i in range(len(sqls))]
    columns = ", ".join(f"{sql} AS {name}" for sql, name in zip(sqls, names, strict=True))
    # Keep the outermost SELECT flat: its depth adds to that of everything nested in the innermost one.
    return f"(SELECT _r FROM (SELECT {body(*names)} AS _r FROM (SELECT {columns})))", params


def refuse_windows(*sqls: str) -> None:
    """Raise NotSupportedError for a window function in a future subquery, where it would see one row."""
    if any(_WINDOW in sql for sql in sqls):
        raise NotSupportedError(
            "d1backend cannot compute this over a window function: annotate the window first and compute on "
            "it in an outer query or in Python."
        )


def _filled(shape: str, fragments: Sequence[Compiled | str]) -> Compiled:
    params: list[Parameter] = []

    def fill(match: re.Match[str]) -> str:
        fragment = fragments[int(match[1])]
        if isinstance(fragment, str):
            return fragment
        params.extend(fragment[1])
        return fragment[0]

    return f"({_MARK.sub(fill, shape)})", tuple(params)


def as_numeric(node: BaseExpression, sql: str) -> str:
    """Return a decimal's SQL with numeric affinity, as Django writes it on SQLite."""
    with suppress(FieldError):
        if node.output_field.get_internal_type() == "DecimalField":
            return f"CAST({sql} AS NUMERIC)"
    return sql


def balanced(parts: Sequence[str], operator: str) -> str:
    """Join the parts with an associative operator, nested so that the expression is log(n) deep.

    SQLite nests ``a || b || c`` to the left, one level per term, and D1 allows 100 levels.
    """
    if len(parts) <= 8:
        return "(" + f" {operator} ".join(parts) + ")"
    size = -(-len(parts) // 8)
    groups = [balanced(parts[i : i + size], operator) for i in range(0, len(parts), size)]
    return balanced(groups, operator)
