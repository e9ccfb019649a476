"""Converts dates, times, booleans and floats by the declared type of their column, as Django's SQLite backend does for
raw SQL. D1's results do not say how a column is declared, and write 5.0 as 5."""

import datetime
import re
from collections.abc import Callable, Iterable, Mapping

from django.utils.dateparse import parse_date, parse_datetime, parse_time

from d1backend.sql.tokenizer import Parsed
from d1backend.sql.values import Row, Value, unquote

_COLUMN = re.compile(r'(?:(?P<table>"[^"]+"|\w+)\.)?(?P<name>"[^"]+"|\w+)')
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


class ColumnConverters:
    """Knows which columns hold dates, times, booleans and floats; `types` is by table, then by column."""

    def __init__(self, types: Mapping[str, Mapping[str, str]]) -> None:
        kinds = {t: {c: re.split(r"[ (]", kind)[0] for c, kind in of.items()} for t, of in types.items()}
        wanted = {c for of in kinds.values() for c, kind in of.items() if kind in _CONVERTERS}
        self._owners = {
            column: {table: _CONVERTERS.get(of[column]) for table, of in kinds.items() if column in of}
            for column in wanted
        }

    def convert_rows(self, parsed: Parsed, names: list[str], rows: list[Row]) -> list[Row]:
        """The rows of a statement, with the columns converted that come unchanged from its tables.

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
        owners = self._owners.get(unquote(found["name"]).lower()) if found else None
        if not found or not owners:
            return None
        table = unquote(found["table"] or "").lower()
        if table in owners:
            return owners[table]
        converters = {convert for owner, convert in owners.items() if owner in names}
        return converters.pop() if len(converters) == 1 else None
