"""Dates, times, booleans and floats by the type their column was declared with, as Django's SQLite backend gives
them to raw SQL; D1's answers do not say how a column was declared, and write 5.0 as 5."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime, parse_time

from d1backend.sql.tokenizer import Parsed

_COLUMN = re.compile(r'(?:(?P<table>"[^"]+"|\w+)\.)?(?P<name>"[^"]+"|\w+)')
Convert = Callable[[Any], Any]
Row = tuple[Any, ...]


def _parsed_by(parse: Convert) -> Convert:
    def convert(value: Any) -> Any:
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


class Declared:
    """Which columns hold dates, times, booleans and floats; `types` is by table, then by column."""

    def __init__(self, types: Mapping[str, Mapping[str, str]]) -> None:
        kinds = {t: {c: re.split(r"[ (]", kind)[0] for c, kind in of.items()} for t, of in types.items()}
        wanted = {c for of in kinds.values() for c, kind in of.items() if kind in _CONVERTERS}
        self._owners = {
            column: {table: _CONVERTERS.get(of[column]) for table, of in kinds.items() if column in of}
            for column in wanted
        }

    def converted(self, parsed: Parsed, names: list[str], rows: list[Row]) -> list[Row]:
        """The rows of a statement, with the columns converted that it takes from its tables as they are.

        A column that several of its tables have is converted when all of them declare it so.
        """
        columns = names if parsed.starred else [column.sql for column in parsed.columns or ()]
        found = [(i, self._converter(column, parsed.names)) for i, column in enumerate(columns)]
        plan = [(i, convert) for i, convert in found if convert]
        if not plan:
            return rows
        result = []
        for row in rows:
            values = list(row)
            for i, convert in plan:
                values[i] = convert(values[i])
            result.append(tuple(values))
        return result

    def _converter(self, column: str, names: Iterable[str]) -> Convert | None:
        found = _COLUMN.fullmatch(column)
        owners = self._owners.get(found["name"].strip('"').lower()) if found else None
        if not found or not owners:
            return None
        table = (found["table"] or "").strip('"').lower()
        if table in owners:
            return owners[table]
        converters = {convert for owner, convert in owners.items() if owner in names}
        return converters.pop() if len(converters) == 1 else None
