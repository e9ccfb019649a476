"""Converts dates, times, booleans and floats by the declared type of their column, as Django's SQLite backend does for
raw SQL. D1's results do not say how a column is declared, and write 5.0 as 5."""

import datetime
import re
from collections.abc import Callable
from functools import lru_cache

from django.utils.dateparse import parse_date, parse_datetime, parse_time

from d1backend.sql.result_columns import Columns, ResultColumn
from d1backend.sql.values import Row, Value

_FIRST_WORD = re.compile(r"[^ (]*")
# The type that a column's alias asks for: SELECT x AS "x [date]".
_ASKED_TYPE = re.compile(r" ?\[([^\]]*).*", re.DOTALL)
# What raw SQL returns for a value.
Converted = Value | datetime.date | datetime.time
Convert = Callable[[Value], Converted]


def _parsed_by(parse: Callable[[str], Converted]) -> Convert:
    def convert(value: Value) -> Converted:
        try:
            return (parse(value) if isinstance(value, str) else None) or value
        except ValueError:
            return value

    return convert


_CONVERTERS: dict[str, Convert] = {
    "date": _parsed_by(parse_date),
    "time": _parsed_by(parse_time),
    "datetime": _parsed_by(parse_datetime),
    "timestamp": _parsed_by(parse_datetime),
    "real": lambda value: float(value) if isinstance(value, int) else value,
    "bool": lambda value: value == 1 if isinstance(value, int) else value,
}


def convert_rows(columns: Columns, rows: list[Row]) -> list[Row]:
    """The rows of a result, with the values converted of columns whose declaration or name asks for it."""
    plan = _plan(columns)
    if not plan:
        return rows
    result = []
    for row in rows:
        values = list(row)
        for i, convert in plan:
            values[i] = convert(values[i])
        result.append(tuple(values))
    return result


def shown_name(name: str) -> str:
    """A column's name without the type that it asks for."""
    return _ASKED_TYPE.sub("", name) if "[" in name else name


@lru_cache(maxsize=512)
def _plan(columns: Columns) -> list[tuple[int, Convert]]:
    found = [(i, _converter(column)) for i, column in enumerate(columns)]
    return [(i, convert) for i, convert in found if convert]


def _converter(column: ResultColumn) -> Convert | None:
    asked = _ASKED_TYPE.search(column.name)
    if asked and asked[1].lower() in _CONVERTERS:
        return _CONVERTERS[asked[1].lower()]
    found = _FIRST_WORD.match(column.type or "")
    return _CONVERTERS.get(found[0]) if found else None
