"""Encodes results as JSON without loss: 64-bit integers, REAL distinct from INTEGER, BLOBs."""

import json
from collections.abc import Sequence

from d1backend.errors import CARRIED, DataError
from d1backend.sql.values import Row, Value

# json_array() with more arguments than this would pass D1's documented 32 for a function.
_GROUP = 30
_END = "D1END"
EXACT = 2**53


def cell(column: str) -> str:
    """SQL for a value as JSON can hold it: text begins with t, a BLOB is b and its hexadecimal digits."""
    return (
        f"CASE typeof({column}) WHEN 'text' THEN 't'||{column} WHEN 'blob' THEN 'b'||hex({column}) "
        f"ELSE {column} END"
    )


def row_of(columns: Sequence[str]) -> str:
    """SQL for a row as a JSON array of arrays of at most 30 cells."""
    groups = [columns[i : i + _GROUP] for i in range(0, len(columns), _GROUP)]
    return "json_array({})".format(
        ", ".join(f"json_array({', '.join(map(cell, group))})" for group in groups)
    )


def rows_of(sql: str, count: int) -> tuple[str, str]:
    """A common table expression around a SELECT of `count` columns, and the JSON text of all its rows."""
    names = _names(count)
    cte = f'WITH "_d1"({", ".join(names)}) AS MATERIALIZED ({sql})'
    return cte, f'SELECT json_group_array({row_of(names)}) FROM "_d1"'


def _names(count: int) -> list[str]:
    return [f'"c{i}"' for i in range(count)]


def exact(sql: str, count: int) -> str:
    """A SELECT that returns the rows of a SELECT of `count` columns as one JSON text."""
    cte, rows = rows_of(sql, count)
    return f"{cte} {rows}"


def exact_rows(sql: str, count: int) -> str:
    """A SELECT that returns each row of a SELECT of `count` columns as a JSON text."""
    cte, _ = rows_of(sql, count)
    return f'{cte} SELECT {row_of(_names(count))} FROM "_d1"'


def exact_part(sql: str, count: int, first: int, rows: int) -> str:
    """A SELECT that returns `rows` rows (-1: all) from `first` on as one JSON text."""
    cte, _ = rows_of(sql, count)
    part = f'(SELECT * FROM "_d1" LIMIT {rows} OFFSET {first})'
    return f"{cte} SELECT json_group_array({row_of(_names(count))}) FROM {part}"


def carrier(sql: str, count: int) -> str:
    """A SELECT that always fails, with the rows of a SELECT of `count` columns in its error message."""
    cte, rows = rows_of(sql, count)
    return f"{cte} SELECT json_extract('{{}}', '{CARRIED}'||({rows})||'{_END}')"


def carried(text: str) -> list[Row]:
    """The rows in the error message of a rehearsal.

    Raises DataError when the message was cut short, so that a part of a result is never taken for the whole.
    """
    if not text.endswith(_END):
        raise DataError(
            "D1 cut the answer of a rehearsal short. Read fewer rows in one query of this transaction."
        )
    return unpack(text[: -len(_END)])


def unpack(text: str) -> list[Row]:
    """The rows of a JSON text that `rows_of` made."""
    return [row(groups) for groups in json.loads(text)]


def rows(texts: Sequence[str]) -> list[Row]:
    """The rows of which each is a JSON text that `row_of` made."""
    return unpack(f"[{','.join(texts)}]")


def row(groups: list[list[Value]]) -> Row:
    return tuple(_value(v) for group in groups for v in group)


def _value(value: Value) -> Value:
    if not isinstance(value, str):
        return value
    return value[1:] if value[0] == "t" else bytes.fromhex(value[1:])


def direct(rows: list[list[Value | list[int]]]) -> tuple[list[Row], bool]:
    """Rows of a result that D1 encoded, and whether an integer in them may have lost digits."""
    lossy = False
    result = []
    for values in rows:
        for i, value in enumerate(values):
            if type(value) is int and not -EXACT < value < EXACT:
                # JavaScript writes 2**63 with other last digits: 9223372036854776000.
                if -(2**63) <= float(value) <= 2**63:
                    lossy = True
                else:
                    values[i] = float(value)
            elif type(value) is list:
                values[i] = bytes(value)
        result.append(tuple(values))
    return result, lossy
