"""What went wrong, as PEP 249 and Django name it.

This module is the backend's `Database`: Django turns the exceptions raised here into those of
`django.db`. It is the only place that reads D1's error messages.
"""

import re
import sqlite3

from django.db import utils

# Django looks the PEP 249 classes up on the backend's `Database`.
Warning = sqlite3.Warning
Error = sqlite3.Error
InterfaceError = sqlite3.InterfaceError
DatabaseError = sqlite3.DatabaseError
DataError = sqlite3.DataError
OperationalError = sqlite3.OperationalError
IntegrityError = sqlite3.IntegrityError
InternalError = sqlite3.InternalError
ProgrammingError = sqlite3.ProgrammingError
NotSupportedError = sqlite3.NotSupportedError
Binary = memoryview

STALE = "D1STALE"
APPLIED = "D1APPLIED"
CARRIED = "D1CARRY"


class SerializationFailure(utils.OperationalError):
    """The database changed under a transaction that was told otherwise; nothing was written, and a retry
    cures it."""


class RateLimited(utils.OperationalError):
    """D1's API answers 429: the account has used its requests for now; nothing was done.

    `retry_after` is how many seconds it asks to be left alone, 0 when it does not say.
    """

    retry_after = 0.0


class OutcomeUnknown(utils.OperationalError):
    """A write was sent and its answer lost, and asking again did not settle in time whether it was applied.

    Look before writing again. Every other error of this backend means that nothing was written.
    """


class AlreadyAppliedError(Exception):
    """A batch that was sent again had been applied the first time, with this row count and last rowid."""

    def __init__(self, count: int, last_id: int) -> None:
        super().__init__()
        self.count, self.last_id = count, last_id


class CarriedResult(Exception):
    """The failure that ends a rehearsal on purpose; `text` is the result it carries."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


# Messages of D1 that speak of its state, not of the statement (Cloudflare's "Debug D1" page).
TRANSIENT = re.compile(
    r"overloaded|storage operation exceeded timeout|Network connection lost|reset because|"
    r"internal error|storage caused object to be reset|Cannot resolve D1 DB|SQLITE_BUSY|database is locked",
    re.IGNORECASE,
)
_DATA = re.compile(r"SQLITE_TOOBIG|too big|SQLITE_MISMATCH|datatype mismatch|integer overflow", re.IGNORECASE)
_PROGRAMMING = re.compile(r"Wrong number of parameter|SQLITE_RANGE|No SQL statements", re.IGNORECASE)
_NOISE = re.compile(
    r"^(D1_[A-Z_]*ERROR: )+|( at offset \d+)?: SQLITE_[A-Z]+( \(extended: SQLITE_[A-Z_]+\))?$"
)
_CARRIED = re.compile(rf"bad JSON path: '{CARRIED}(.*)'", re.DOTALL)
_APPLIED = re.compile(rf"bad JSON path: '{APPLIED} (-?\d+) (-?\d+)'")
_STALE = re.compile(rf"bad JSON path: '{STALE}(.*?)'", re.DOTALL)


def tidy(message: str) -> str:
    """D1's message without its prefix and without the codes at its end, so that it reads as SQLite's own."""
    return _NOISE.sub("", message)


def from_sql(message: str) -> Exception:
    """The exception for an error that D1 reports about a statement or a batch."""
    if found := _CARRIED.search(message):
        return CarriedResult(found[1].replace("''", "'"))
    if found := _APPLIED.search(message):
        return AlreadyAppliedError(int(found[1]), int(found[2]))
    if found := _STALE.search(message):
        what = found[1].strip()
        if what.startswith("cascade "):
            return NotSupportedError(
                f"Table {what[8:]} cannot be remade: another table refers to it with ON DELETE CASCADE, "
                "SET NULL or SET DEFAULT, and dropping it would change that table's rows."
            )
        return SerializationFailure(
            f"Rows of table {what} changed while this transaction was under way; nothing was written. "
            "Run it again."
        )
    text = tidy(message)
    if "SQLITE_CONSTRAINT" in message or "constraint failed" in message:
        return IntegrityError(text)
    if "not authorized" in message:
        return NotSupportedError(text)
    if _DATA.search(message):
        return DataError(text)
    if _PROGRAMMING.search(message):
        return ProgrammingError(text)
    return OperationalError(text)
