"""Text functions that SQLite lacks: padding, repeating, reversing; hashes, which D1 cannot do at all."""

from collections.abc import Sequence
from typing import Any

from django.db import NotSupportedError
from django.db.models import Value
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

from d1backend.functions.registry import compiles
from d1backend.functions.sql import balanced, let, refuse_windows


def _repeated(text: str, count: str) -> str:
    """``text`` ``count`` times: hex(zeroblob(n)) is "00" n times."""
    return f"replace(hex(zeroblob(max({count}, 0))), '00', {text})"


def _compiled(node: Any, compiler: Any) -> list[tuple[str, Sequence[Any]]]:
    return [compiler.compile(source) for source in node.get_source_expressions()]


@compiles(Repeat)
def repeat(node: Any, compiler: Any, connection: Any) -> tuple[str, Sequence[Any]]:
    return let(
        _compiled(node, compiler),
        lambda text, count: f"CASE WHEN {count} IS NOT NULL THEN {_repeated(text, count)} END",
    )


@compiles(LPad)
def lpad(node: Any, compiler: Any, connection: Any) -> tuple[str, Sequence[Any]]:
    def padded(text: str, length: str, fill: str) -> str:
        padding = f"substr({_repeated(fill, length)}, 1, max({length} - length({text}), 0))"
        return f"{padding} || substr({text}, 1, max({length}, 0))"

    return let(_compiled(node, compiler), padded)


@compiles(RPad)
def rpad(node: Any, compiler: Any, connection: Any) -> tuple[str, Sequence[Any]]:
    return let(
        _compiled(node, compiler),
        lambda text, length, fill: f"substr({text} || {_repeated(fill, length)}, 1, max({length}, 0))",
    )


@compiles(Reverse)
def reverse(node: Any, compiler: Any, connection: Any) -> tuple[str, Sequence[Any]]:
    """One step a character; the text travels along, so that its expression is written once."""
    sql, params = compiler.compile(node.lhs)
    refuse_windows(sql)
    return (
        "(WITH RECURSIVE _r(x, i, y) AS ("
        f"SELECT _0, length(_0), '' FROM (SELECT {sql} AS _0) "
        "UNION ALL SELECT x, i - 1, y || substr(x, i, 1) FROM _r WHERE i > 0"
        ") SELECT y FROM _r WHERE i = 0)"
    ), params


@compiles(ConcatPair)
def concat(node: Any, compiler: Any, connection: Any) -> tuple[str, Sequence[Any]]:
    """The pairs of a Concat() as one flat chain: nested, some fifty reach D1's limit of depth."""
    parts, params = [], []
    rest: Any = node
    while True:
        first, rest = rest.get_source_expressions()
        for part in [first] if type(rest) is ConcatPair else [first, rest]:
            sql, part_params = compiler.compile(part)
            parts.append(f"COALESCE({sql}, '')")
            params.extend(part_params)
        if type(rest) is not ConcatPair:
            return balanced(parts, "||"), params


@compiles(MD5, SHA1, SHA224, SHA256, SHA384, SHA512)
def hashed(node: Any, compiler: Any, connection: Any) -> tuple[str, Sequence[Any]]:
    """Refuse, saying what to do; D1 has no hash functions and SQL is no place to write one.

    Raises NotSupportedError.
    """
    name = type(node).__name__
    value = "the value" if isinstance(node.lhs, Value) else "it when the row is saved"
    raise NotSupportedError(
        f"D1 has no {name}(). Compute {value} in Python with hashlib, and store it in a column if you need "
        "to filter or order by it."
    )
