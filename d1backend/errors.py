"""What went wrong, as PEP 249 and Django name it.

This module is the backend's `Database`: Django turns the exceptions raised here into those of
`django.db`. Which of them a message of D1's means, messages.py tells.
"""

import secrets
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

# How the failures begin that this backend's own SQL makes on purpose. No SQL of an application's can begin one so: it
# does not know the number of the process.
_OURS = secrets.token_hex(4)
STALE = f"D1STALE {_OURS}"
CASCADES = f"D1CASCADES {_OURS}"
APPLIED = f"D1APPLIED {_OURS}"
OVERTAKEN = f"D1OVERTAKEN {_OURS}"
CARRIED = f"D1CARRY {_OURS}"


class SerializationFailure(utils.OperationalError):
    """The database changed under a transaction that was told otherwise; nothing was written, and a retry
    cures it."""


class KeyTaken(SerializationFailure):
    """A key reserved for a new row was used by someone else; the block it came from is given up."""


class UniqueError(IntegrityError):
    """A row would break a UNIQUE constraint or a primary key; `columns` are "table.column", with commas between."""

    columns = ""


class MissingError(OperationalError):
    """A statement names a table or a column that is not there; `table` is the name of a table."""

    table: str | None = None


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


class OvertakenError(Exception):
    """A batch was refused: a copy of this client's state has written under its name and gone on to this number, or
    `beyond` it. A number is given once; so a batch that was sent before was applied only if they went beyond."""

    def __init__(self, beyond: bool) -> None:
        super().__init__()
        self.beyond = beyond


class CarriedResult(Exception):
    """The failure that ends a rehearsal on purpose; `text` is the result it carries."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
