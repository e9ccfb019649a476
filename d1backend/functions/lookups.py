"""Lookups within D1's limits: patterns of 50 bytes, 100 parameters, expressions 100 deep."""

import json
import re
from collections.abc import Sequence
from typing import Any

from django.db import NotSupportedError
from django.db.models.fields.related_lookups import RelatedIn
from django.db.models.lookups import (
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
from django.db.models.sql.where import XOR, WhereNode

from d1backend.functions.registry import compiles
from d1backend.functions.sql import let

MAX_PATTERN_BYTES = 50
_LONG_LIST = 20
_LONG_CHAIN = 16
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_LIST = re.compile(r" IN \((%s(?:, %s)*)\)\Z")

# What LIKE says, without its limit of length. lower() and LIKE both fold the case of ASCII letters only.
_PATTERNS = {
    "contains": "instr({x}, {y}) > 0",
    "startswith": "instr({x}, {y}) = 1",
    "endswith": "substr({x}, length({x}) - length({y}) + 1) = {y}",
    "exact": "{x} = {y}",
}


@compiles(Contains, IContains, StartsWith, IStartsWith, EndsWith, IEndsWith, IExact)
def pattern(node: Any, compiler: Any, connection: Any) -> tuple[str, Sequence[Any]]:
    """LIKE while the pattern is known, short and ASCII where case is concerned; otherwise other functions.

    The lookups that ignore case do so for all letters of a value given, not for ASCII only as on SQLite.
    """
    node = node.copy()  # process_rhs() may change it
    kind = "exact" if node.lookup_name == "iexact" else node.lookup_name.removeprefix("i")
    lhs = node.process_lhs(compiler, connection)
    sql, params = node.process_rhs(compiler, connection)
    if hasattr(node.rhs, "as_sql") or node.bilateral_transforms:
        if kind == "exact" and params:  # IExact escapes for LIKE even what belongs to an expression
            params = [_ESCAPED.sub(r"\1", params[0]), *params[1:]]
        return let(
            [lhs, (sql, params)], lambda x, y: _PATTERNS[kind].format(x=f"lower({x})", y=f"lower({y})")
        )
    text = str(node.rhs)
    variants = _variants(text) if node.lookup_name.startswith("i") else {}
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
    """The other cases of each letter beyond ASCII in the text, with the lower case that stands for them."""
    variants = {}
    for letter in dict.fromkeys(c for c in text if not c.isascii()):
        lower = letter.lower() if len(letter.lower()) == 1 else letter
        for other in (letter, letter.upper(), letter.title(), lower.upper()):
            if len(other) == 1 and other != lower and not other.isascii():
                variants[other] = lower
    return variants


@compiles(In, RelatedIn)
def in_list(node: Any, compiler: Any, connection: Any) -> tuple[str, Sequence[Any]]:
    """A long list of plain values as one JSON text: one parameter, and the same SQL for every length."""
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


def _survives_json(value: Any) -> bool:
    return (type(value) is int and -(2**63) <= value < 2**63) or (
        isinstance(value, str) and "\0" not in value
    )


@compiles(WhereNode)
def where(node: Any, compiler: Any, connection: Any) -> tuple[str, Sequence[Any]]:
    """A long AND or OR in groups of groups: SQLite nests a chain one level a term."""
    if len(node.children) <= _LONG_CHAIN or node.connector == XOR:
        return node.as_sql(compiler, connection)
    size = -(-len(node.children) // _LONG_CHAIN)
    groups = [
        node.create(node.children[i : i + size], node.connector) for i in range(0, len(node.children), size)
    ]
    return node.create(groups, node.connector, node.negated).as_sql(compiler, connection)


@compiles(Regex, IRegex)
def regex(node: Any, compiler: Any, connection: Any) -> tuple[str, Sequence[Any]]:
    """Refuse, saying what to do. Raises NotSupportedError."""
    raise NotSupportedError(
        "D1 has no regular expressions. Use contains, startswith, endswith or their i- forms, or filter with "
        "Python's re after the query."
    )
