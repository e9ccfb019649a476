"""Binds parameters so that D1 stores and compares exactly the values of Python.

D1 binds every JSON number as REAL, and a statement takes 100 parameters. So numbers become literals in the SQL, texts
are bound, and more than 100 texts travel as one JSON array (docs/d1backend.md, "Parameters").
"""

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence

from d1backend.errors import DataError, ProgrammingError
from d1backend.sql.values import Parameter, number_literal, stored_value

MAX_PARAMETERS = 100
MAX_SQL_BYTES = 100_000
# What a rehearsal or a guard puts around a SELECT of 100 columns takes less than this.
_WRAPPER_BYTES = 20_000
_SHORT_BLOB = 256
# A placeholder by position or by name, or an escaped percent sign.
_PLACEHOLDER = re.compile(r"%(?:(?P<percent>%)|(?:\((?P<name>[^)]*)\))?s)")
# An integer literal after ORDER BY or GROUP BY names a column by its position.
_POSITION = re.compile(r"\bBY\s(?:[^()]|\((?:[^()]|\([^()]*\))*\))*$", re.IGNORECASE)
_NOT_BY = re.compile(r"\b(LIMIT|OFFSET|ROWS|RANGE|THEN|SET|WHERE|HAVING)\b", re.IGNORECASE)


class JsonText(str):
    """Text that is already JSON and is bound whole (the list behind a json_each)."""


# The parameters of one statement as Django passes them: by position or by name.
Params = Sequence[Parameter] | Mapping[str, Parameter] | None


class _Binder:
    """Writes the SQL that stands for each parameter, and keeps what is bound."""

    def __init__(self, *, packed: bool, everything: bool) -> None:
        self.packed, self.everything = packed, everything
        self.bound: list[str | float] = []

    def placeholder(self, value: Parameter, *, position: bool = False) -> str:
        if isinstance(value, JsonText):
            return self._bind(str(value))
        value = stored_value(value)
        if value is None:
            return "NULL"
        if isinstance(value, str):
            return self._bind(value)
        if isinstance(value, bytes):
            short = len(value) <= _SHORT_BLOB and not self.everything
            return f"x'{value.hex()}'" if short else f"unhex({self._bind(value.hex())})"
        if self.everything and not (isinstance(value, float) and math.isinf(value)):
            return self._bind(value)
        return f"0+{value}" if position else number_literal(value)

    def _bind(self, value: str | float) -> str:
        self.bound.append(value)
        if self.packed:
            return f"json_extract(?1,'$[{len(self.bound) - 1}]')"
        return f"?{len(self.bound)}"

    def parameters(self) -> list[str]:
        if not self.packed:
            return [str(text) for text in self.bound]
        return [json.dumps(self.bound, ensure_ascii=False)] if self.bound else []


def bind(sql: str, params: Params, spare: int = 0) -> tuple[str, list[str]]:
    """SQL with Django's placeholders (%s or %(name)s) and its parameters, as D1 takes them.

    Returns the SQL and the texts bound to ?1, ?2, …, of which the caller may add `spare` more.
    Raises ProgrammingError when placeholders and parameters differ in number, DataError when the
    statement is longer than D1's 100,000 bytes.
    """
    if params is None:
        return sql, []
    values = params if isinstance(params, Mapping) else tuple(params)
    result = _bind(sql, values, packed=False, everything=False)
    if len(result[1]) > MAX_PARAMETERS - spare:
        result = _bind(sql, values, packed=True, everything=False)
    if len(result[0].encode()) > MAX_SQL_BYTES - _WRAPPER_BYTES:
        packed = _bind(sql, values, packed=True, everything=True)
        result = min(result, packed, key=lambda bound: len(bound[0]))
        if len(result[0].encode()) > MAX_SQL_BYTES:
            raise DataError(
                f"The statement is {len(result[0].encode()):,} bytes long; D1 takes {MAX_SQL_BYTES:,}. "
                "Split it into several statements, or pass a list as one JSON text to json_each()."
            )
    return result


def _bind(
    sql: str, params: tuple[Parameter, ...] | Mapping[str, Parameter], *, packed: bool, everything: bool
) -> tuple[str, list[str]]:
    placeholders = list(_PLACEHOLDER.finditer(sql))
    if not isinstance(params, Mapping):
        used = sum(not found["percent"] for found in placeholders)
        if used != len(params):
            raise ProgrammingError(
                f"Incorrect number of bindings supplied. The current statement uses {used}, "
                f"and there are {len(params)} supplied."
            )
    binder = _Binder(packed=packed, everything=everything)
    by = " by " in sql.lower()
    by_name: dict[str, str] = {}
    out: list[str] = []
    at = index = 0
    for found in placeholders:
        out.append(sql[at : found.start()])
        at, name = found.end(), found["name"]
        if found["percent"]:
            out.append("%")
        elif name in by_name:
            out.append(by_name[name])
        else:
            value = _value_of(params, name, index)
            text = binder.placeholder(value, position=by and isinstance(value, int) and _is_position(out))
            if name is not None and not isinstance(value, int):
                by_name[name] = text
            index += 1
            out.append(text)
    return "".join([*out, sql[at:]]), binder.parameters()


def _value_of(
    params: tuple[Parameter, ...] | Mapping[str, Parameter], name: str | None, index: int
) -> Parameter:
    """The value of a placeholder, by its name or its index."""
    if isinstance(params, Mapping) is (name is None):
        raise ProgrammingError("Placeholders with names take a mapping of parameters, %s takes a sequence.")
    if not isinstance(params, Mapping):
        return params[index]
    try:
        return params[name or ""]
    except KeyError as error:
        raise ProgrammingError(f"No value for the placeholder {error}") from error


def _is_position(before: Iterable[str]) -> bool:
    text = "".join(before)
    if not text.rstrip().upper().endswith((" BY", ",")):
        return False
    found = _POSITION.search(text)
    return bool(found and not _NOT_BY.search(found[0]))
