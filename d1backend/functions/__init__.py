"""Django's database functions, aggregates and lookups as pure SQL for D1, which runs no Python inside SQLite.

Importing a module here registers how its expressions are compiled (see ``registry``); the mixins are the
parts of ``DatabaseOperations`` that write SQL.
"""

from . import json, lookups, statistics, text
from .datetimes import DateTimeOperations
from .durations import DurationOperations
from .maths import MathOperations


class FunctionOperations(DateTimeOperations, DurationOperations, MathOperations):
    """All of it; mix in before Django's SQLite ``DatabaseOperations``."""

    compiler_module = "d1backend.compiler"


__all__ = ["FunctionOperations", "json", "lookups", "statistics", "text"]
