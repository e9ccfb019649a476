"""Arithmetic with datetimes and durations in SQL; durations are integer microseconds."""

from django.db import DatabaseError

from d1backend.functions.datetimes import microseconds_sql
from d1backend.functions.sql import Compiled, let

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
# Counted from the year 0, every moment that SQLite knows is positive, so division rounds down.
_YEAR_0 = 62_167_219_200


def _microseconds(x: str) -> str:
    """Return a datetime's or a date's microseconds since 1970."""
    return f"(unixepoch(substr({x}, 1, 19)) * {_SECOND} + {microseconds_sql(x)})"


def _time_microseconds(x: str) -> str:
    """Return a time's microseconds since midnight, without the day that SQLite adds to it."""
    return f"(unixepoch(substr({x}, 1, 8)) %% 86400 * {_SECOND} + {microseconds_sql(x, after=9)})"


def _fraction(microseconds: str) -> str:
    """Return the fraction as Python's ``str()`` writes it: six digits, or nothing for zero."""
    return f"replace(printf('.%%06d', {microseconds} %% {_SECOND}), '.000000', '')"


def _shifted(moment: str, duration: str, sign: str) -> str:
    """Move a date, a time or a datetime by microseconds; the shape of its text shows which it is.

    A date moves by whole days, rounded down, as in Python.
    """
    days = f"({duration} - ({duration} %% {_DAY} + {_DAY}) %% {_DAY}) / {_DAY}"
    time = f"((({_time_microseconds(moment)} {sign} {duration}) %% {_DAY} + {_DAY}) %% {_DAY})"
    total = f"({_microseconds(moment)} {sign} {duration} + {_YEAR_0 * _SECOND})"
    return (
        f"CASE WHEN length({moment}) = 10 THEN date({moment}, ({sign}({days})) || ' days')"
        f" WHEN substr({moment}, 3, 1) = ':' THEN time({time} / {_SECOND}, 'unixepoch') || {_fraction(time)}"
        f" ELSE datetime({total} / {_SECOND} - {_YEAR_0}, 'unixepoch') || {_fraction(total)} END"
    )


class DurationOperations:
    """The duration methods of ``DatabaseOperations``; mix in before Django's SQLite class."""

    def format_for_duration_arithmetic(self, sql: str) -> str:
        return sql

    def combine_duration_expression(self, connector: str, sub_expressions: list[str]) -> str:
        if connector not in ("+", "-", "*", "/"):
            raise DatabaseError(f"Invalid connector for timedelta: {connector}.")
        if len(sub_expressions) != 2:
            raise ValueError("Too many params for timedelta operations.")
        if connector == "*":
            return f"({sub_expressions[0]} * {sub_expressions[1]})"
        if connector == "/":
            return f"({sub_expressions[0]} * 1.0 / {sub_expressions[1]})"

        def combined(left: str, right: str) -> str:
            # A divided duration is no longer an integer.
            whole = [f"CAST(round({side}) AS INTEGER)" for side in (left, right)]
            return (
                f"CASE WHEN typeof({left}) = 'text' THEN {_shifted(left, whole[1], connector)}"
                f" WHEN typeof({right}) = 'text' THEN {_shifted(right, whole[0], connector)}"
                f" ELSE {left} {connector} {right} END"
            )

        return let(sub_expressions, combined)[0]

    def subtract_temporals(self, internal_type: str, lhs: Compiled, rhs: Compiled) -> Compiled:
        count = _time_microseconds if internal_type == "TimeField" else _microseconds
        return let([lhs, rhs], lambda left, right: f"{count(left)} - {count(right)}")
