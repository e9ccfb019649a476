"""Lookups within D1's limits: patterns of 50 bytes, 100 parameters, expressions 100 deep."""

import json
import re

from django.db import NotSupportedError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.fields.related_lookups import RelatedIn
from django.db.models.lookups import (
    BuiltinLookup,
    Contains,
    EndsWith,
    IContains,
    IEndsWith,
    IExact,
    In,
    IRegex,
    IStartsWith,
    Regex,
    StartsWith,
)
from django.db.models.sql.compiler import SQLCompiler
from django.db.models.sql.where import XOR, WhereNode

from d1backend.functions.registry import compiles
from d1backend.functions.sql import Compiled, Parameter, let

MAX_PATTERN_BYTES = 50
_LONG_LIST = 20
_LONG_CHAIN = 16
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_LIST = re.compile(r" IN \((%s(?:, %s)*)\)\Z")

# The equivalents of LIKE that have no limit of length. lower() and LIKE both fold ASCII letters only.
_PATTERNS = {
    "contains": "instr({x}, {y}) > 0",
    "startswith": "instr({x}, {y}) = 1",
    "endswith": "substr({x}, length({x}) - length({y}) + 1) = {y}",
    "exact": "{x} = {y}",
}


@compiles(Contains, IContains, StartsWith, IStartsWith, EndsWith, IEndsWith, IExact)
def pattern(node: "BuiltinLookup[str]", compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Compiled:
    """Use LIKE for a short, known pattern (ASCII only, if the case is ignored); other functions otherwise.

    The lookups that ignore case do so for every letter of a given value, not for ASCII only as on SQLite.
    """
    node = node.copy()  # process_rhs() may change it
    name = str(node.lookup_name)
    kind = "exact" if name == "iexact" else name.removeprefix("i")
    lhs = node.process_lhs(compiler, connection)
    sql, found = node.process_rhs(compiler, connection)
    params: list[Parameter] = [*found]
    if hasattr(node.rhs, "as_sql") or node.bilateral_transforms:
        if kind == "exact" and params:  # IExact escapes for LIKE even what belongs to an expression
            params[0] = _ESCAPED.sub(r"\1", str(params[0]))
        return let(
            [lhs, (sql, params)], lambda x, y: _PATTERNS[kind].format(x=f"lower({x})", y=f"lower({y})")
        )
    text = str(node.rhs)
    variants = _variants(text) if name.startswith("i") else {}
    if not variants and len(str(params[-1]).encode()) <= MAX_PATTERN_BYTES:
        return f"{lhs[0]} {node.get_rhs_op(connection, sql)}", [*lhs[1], *params]

    def folded(x: str, y: str) -> str:
        x = f"lower({x})"
        for variant, lower in variants.items():
            x = f"replace({x}, '{variant}', '{lower}')"
        return _PATTERNS[kind].format(x=x, y=y)

    needle = "".join(variants.get(c, c.lower() if c.isascii() else c) for c in text)
    return let([lhs, ("%s", [needle])], folded)


def _variants(text: str) -> dict[str, str]:
    """Map the other cases of each non-ASCII letter in the text to the lower case that replaces them."""
    variants = {}
    for letter in dict.fromkeys(c for c in text if not c.isascii()):
        lower = letter.lower() if len(letter.lower()) == 1 else letter
        for other in (letter, letter.upper(), letter.title(), lower.upper()):
            if len(other) == 1 and other != lower and not other.isascii():
                variants[other] = lower
    return variants


@compiles(In, RelatedIn)
def in_list(node: "In[Parameter]", compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Compiled:
    """Pass a long list of plain values as one JSON text: one parameter, and the same SQL for every length."""
    sql, params = node.as_sql(compiler, connection)
    match = _LIST.search(sql)
    if not match:
        return sql, params
    count = match[1].count("%s")
    values = list(params)[-count:]
    if count <= _LONG_LIST or not all(_survives_json(value) for value in values):
        return sql, params
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return f"{sql[: match.start()]} IN (SELECT value FROM json_each(%s))", (*list(params)[:-count], text)


def _survives_json(value: Parameter) -> bool:
    return (type(value) is int and -(2**63) <= value < 2**63) or (
        isinstance(value, str) and "\0" not in value
    )


@compiles(WhereNode)
def where(node: WhereNode, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Compiled:
    """Split a long AND or OR into groups of groups, because SQLite nests a chain one level per term."""
    if len(node.children) <= _LONG_CHAIN or node.connector == XOR:
        return node.as_sql(compiler, connection)
    size = -(-len(node.children) // _LONG_CHAIN)
    whole = node.create(connector=node.connector, negated=node.negated)
    for start in range(0, len(node.children), size):
        whole.children.append(node.create(node.children[start : start + size], node.connector))
    return whole.as_sql(compiler, connection)


@compiles(Regex, IRegex)
def regex(node: Regex, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Compiled:
    """Raise NotSupportedError, which names the alternatives."""
    raise NotSupportedError(
        "D1 has no regular expressions. Use contains, startswith, endswith or their i- forms, or filter with "
        "Python's re after the query."
    )
