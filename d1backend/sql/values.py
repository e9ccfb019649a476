"""Values and names as SQL writes them."""

import datetime
import decimal
import math
from typing import Any

from d1backend.errors import DataError, ProgrammingError

# What SQLite stores.
Value = None | int | float | str | bytes
# What an application may pass for it.
Parameter = Value | bytearray | memoryview | decimal.Decimal | datetime.date
# A row of a result. SQLite types each value by itself, so what a column holds is known to the caller alone.
Row = tuple[Any, ...]


def stored_value(value: Parameter) -> Value:
    """A parameter as SQLite stores it, converted as Django's SQLite backend does.

    Raises ProgrammingError for a type that SQLite has no form for, OverflowError for an integer beyond 64 bits,
    DataError for text with a lone surrogate.
    """
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        number = int(value)
        if not -(2**63) <= number < 2**63:
            raise OverflowError("Python int too large to convert to SQLite INTEGER")
        return number
    if isinstance(value, float):
        return None if math.isnan(value) else float(value)
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ")
    if isinstance(value, datetime.date):
        return value.isoformat()
    raise ProgrammingError(f"Error binding parameter: type '{type(value).__name__}' is not supported")


def _text(value: str) -> str:
    text = str.__str__(value)
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise DataError(
                f"Text with half a character (a lone surrogate at position {error.start}) cannot be stored."
            ) from error
    return text


def quote_name(name: str) -> str:
    """The name of a table or a column as an identifier."""
    return '"{}"'.format(name.replace('"', '""'))


def unquote(name: str) -> str:
    """The name that an identifier or a string literal stands for; a plain word is its own name."""
    quote = name[:1]
    return name[1:-1].replace(quote * 2, quote) if quote in ('"', "'") and quote else name


def literal(value: Parameter) -> str:
    """A parameter as a literal, for SQL that takes no parameters and for people to read."""
    value = stored_value(value)
    if value is None:
        return "NULL"
    if isinstance(value, str):
        if "\0" in value:
            return f"CAST(x'{value.encode().hex()}' AS TEXT)"
        return "'{}'".format(value.replace("'", "''"))
    if isinstance(value, bytes):
        return f"x'{value.hex()}'"
    return number_literal(value)


def number_literal(value: float) -> str:
    if isinstance(value, float):
        if math.isinf(value):
            return "9e999" if value > 0 else "(-9e999)"
        text = repr(value)
    else:
        text = str(value)
    return f"({text})" if text.startswith("-") else text
