"""Django's database functions, aggregates and lookups as pure SQL for D1, which runs no Python inside SQLite.

Importing a module here registers how its expressions are compiled (see ``registry``). The mixins are the
parts of ``DatabaseOperations`` that write SQL, and the flags of ``DatabaseFeatures`` that follow from them.
"""

from d1backend.functions import json, lookups, statistics, text
from d1backend.functions.datetimes import DateTimeOperations
from d1backend.functions.durations import DurationOperations
from d1backend.functions.maths import MathOperations


class FunctionOperations(DateTimeOperations, DurationOperations, MathOperations):
    """All SQL-writing methods; mix in before Django's SQLite ``DatabaseOperations``."""

    compiler_module = "d1backend.compilers.base"


class FunctionFeatures:
    """What D1 can compute; mix in before Django's SQLite ``DatabaseFeatures``."""

    # Neither can be written in SQL; NotSupportedError names the alternative.
    supports_regular_expressions = False
    supports_hash_functions = False
    supports_regex_backreferencing = False


__all__ = ["FunctionFeatures", "FunctionOperations", "json", "lookups", "statistics", "text"]
