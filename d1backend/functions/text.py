"""Text functions that SQLite lacks: padding, repeating, reversing. Hashes are rejected: D1 has none."""

from django.db import NotSupportedError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, Func, Transform, Value
from django.db.models.functions import (
    MD5,
    SHA1,
    SHA224,
    SHA256,
    SHA384,
    SHA512,
    ConcatPair,
    LPad,
    Repeat,
    Reverse,
    RPad,
)
from django.db.models.sql.compiler import SQLCompiler

from d1backend.functions.registry import compiles
from d1backend.functions.sql import Compiled, Parameter, balanced, let, refuse_windows


def _repeated(text: str, count: str) -> str:
    """Repeat ``text`` ``count`` times: hex(zeroblob(n)) is "00" n times."""
    return f"replace(hex(zeroblob(max({count}, 0))), '00', {text})"


def _compiled(node: Func, compiler: SQLCompiler) -> list[Compiled]:
    return [compiler.compile(source) for source in node.get_source_expressions()]


@compiles(Repeat)
def repeat(node: Repeat, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Compiled:
    return let(
        _compiled(node, compiler),
        lambda text, count: f"CASE WHEN {count} IS NOT NULL THEN {_repeated(text, count)} END",
    )


@compiles(LPad)
def lpad(node: LPad, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Compiled:
    def padded(text: str, length: str, fill: str) -> str:
        padding = f"substr({_repeated(fill, length)}, 1, max({length} - length({text}), 0))"
        return f"{padding} || substr({text}, 1, max({length}, 0))"

    return let(_compiled(node, compiler), padded)


@compiles(RPad)
def rpad(node: RPad, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Compiled:
    return let(
        _compiled(node, compiler),
        lambda text, length, fill: f"substr({text} || {_repeated(fill, length)}, 1, max({length}, 0))",
    )


@compiles(Reverse)
def reverse(node: Reverse, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Compiled:
    """Take one character per step; each row carries the text, so its expression is written once."""
    sql, params = compiler.compile(node.lhs)
    refuse_windows(sql)
    return (
        "(WITH RECURSIVE _r(x, i, y) AS ("
        f"SELECT _0, length(_0), '' FROM (SELECT {sql} AS _0) "
        "UNION ALL SELECT x, i - 1, y || substr(x, i, 1) FROM _r WHERE i > 0"
        ") SELECT y FROM _r WHERE i = 0)"
    ), params


@compiles(ConcatPair)
def concat(node: ConcatPair, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Compiled:
    """Write the pairs of a Concat() as one flat chain: about fifty nested ones reach D1's limit of depth."""
    parts: list[str] = []
    params: list[Parameter] = []
    rest: Expression = node
    while True:
        first, rest = rest.get_source_expressions()
        for part in [first] if type(rest) is ConcatPair else [first, rest]:
            sql, part_params = compiler.compile(part)
            parts.append(f"COALESCE({sql}, '')")
            params.extend(part_params)
        if type(rest) is not ConcatPair:
            return balanced(parts, "||"), params


@compiles(MD5, SHA1, SHA224, SHA256, SHA384, SHA512)
def hashed(node: Transform, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> Compiled:
    """Raise NotSupportedError, which names the alternative: D1 has no hash functions."""
    name = type(node).__name__
    value = "the value" if isinstance(node.lhs, Value) else "it when the row is saved"
    raise NotSupportedError(
        f"D1 has no {name}(). Compute {value} in Python with hashlib, and store it in a column if you need "
        "to filter or order by it."
    )
