"""The exceptions of this backend, by the names of PEP 249.

This module is the backend's `Database`: Django turns these exceptions into those of `django.db`.
protocol/messages.py chooses the exception for an error message of D1.

The classes of PEP 249 are sqlite3's. Django replaces these, and their subclasses UniqueError and MissingError, by
its own classes. SerializationFailure, ConditionFailed, KeyTaken, RateLimited, OutOfReach and OutcomeUnknown are
subclasses of django.db's OperationalError. Django passes them on as they are, so an application can catch them. The
others are neither, and stay inside this backend.
"""

import secrets
import sqlite3
from collections.abc import Callable

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

# How failures begin that this backend's own SQL causes on purpose. An application's SQL cannot cause one: it does not
# know the token of the process.
_OURS = secrets.token_hex(4)
STALE = f"D1STALE {_OURS}"
CASCADES = f"D1CASCADES {_OURS}"
UNMET = f"D1UNMET {_OURS}"
APPLIED = f"D1APPLIED {_OURS}"
OVERTAKEN = f"D1OVERTAKEN {_OURS}"
CARRIED = f"D1CARRY {_OURS}"
CHANGED = f"D1SCHEMA {_OURS}"


class SerializationFailure(utils.OperationalError):
    """The database changed after the transaction had read it. Nothing was written; run the transaction again.

    `schema_version` is the version of the schema that the commit met, for this backend.
    """

    schema_version: str | None = None


class ConditionFailed(utils.OperationalError):
    """A condition of write_only_if() does not hold. Nothing was written.

    To run the transaction again is of no use before what led to the condition is decided again.
    """


class KeyTaken(SerializationFailure):
    """Another client used a key that was reserved for a new row; the block it came from is dropped."""


class UniqueError(IntegrityError):
    """A row would break a UNIQUE constraint or a primary key; `columns` lists "table.column", with commas between."""

    columns = ""


class MissingError(OperationalError):
    """A statement names a table or a column that does not exist; `table` is the name of the table."""

    table: str | None = None


class NotFoundError(OperationalError):
    """The API has no such endpoint, or an id in its path cannot be one."""


class RateLimited(utils.OperationalError):
    """The account, or this host's share of it, has no more requests for now. Nothing was done.

    `retry_after` is how many seconds to wait, 0 when D1 does not say. `own`: this host's budget refused the request
    before it was sent (protocol/budget.py); otherwise D1's API answered 429.
    """

    retry_after = 0.0
    own = False


class OutOfReach(utils.OperationalError):
    """D1 does not answer (protocol/breaker.py), so this call was not sent. Nothing was done.

    `retry_after` is how many seconds to wait.
    """

    retry_after = 0.0


class OutcomeUnknown(utils.OperationalError):
    """A write was sent, its answer was lost, and retries did not show in time whether it was applied.

    Call settle(), or read before writing again. Every other error of this backend means that nothing was written.
    """

    # Whether the write was applied, once that is known, and how to find out.
    applied: bool | None = None
    ask: Callable[[], bool] | None = None

    def settle(self) -> bool:
        """Return whether the write was applied, once and for all: if it was not, it never will be.

        A request to D1, the first time. Raises this error again if D1 cannot be asked; it may be called again later,
        within 12 hours.
        """
        if self.applied is None:
            if self.ask is None:
                raise self
            try:
                self.applied = self.ask()
            except (DatabaseError, utils.DatabaseError) as error:
                raise self from error
        return self.applied

    @classmethod
    def of_lost_result(cls, message: str) -> "OutcomeUnknown":
        """The error for a write that was applied, but whose result is lost."""
        error = cls(message)
        error.applied = True
        return error


class AlreadyAppliedError(Exception):
    """A batch was sent again, and it had been applied the first time with this row count and last rowid."""

    def __init__(self, count: int, last_id: int) -> None:
        super().__init__()
        self.count, self.last_id = count, last_id


class OvertakenError(Exception):
    """A batch was rejected: a copy of this client's state has written under its name, with this serial number or one
    `beyond` it. Each number is used once, so a batch that was sent before was applied only if they went beyond it."""

    def __init__(self, beyond: bool) -> None:
        super().__init__()
        self.beyond = beyond


class SchemaChangedError(Exception):
    """A question that relied on a catalog found another version of the schema; it is asked again with the new one."""


class CarriedResult(Exception):
    """The failure that ends a rehearsal on purpose; `text` is the result in its message."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
