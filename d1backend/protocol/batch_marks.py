"""The mark of each writing batch, an idempotency key: a batch whose answer was lost can be sent again without harm.

`_d1_marks` has one row for each connection: the serial number of its last batch, that batch's nonce, and what it did.
A batch first looks for its own number there and fails as a whole when that has been reached, so it does not matter
how often or how late a copy of it arrives. It has been applied only if the nonce is its own: another nonce was written
by a copy of this process's state (a snapshot of its machine, a copied client id).

The check fails with APPLIED or OVERTAKEN in its message. messages.py turns these into AlreadyAppliedError and
OvertakenError, and transaction/session.py acts on them: it takes the result of the first copy, or sends the batch again
as a new client.
"""

import os
import time
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from d1backend.errors import APPLIED, OVERTAKEN, MissingError, OperationalError
from d1backend.protocol.api import Result, Statement
from d1backend.protocol.schema_version import VERSION

TABLE = "_d1_marks"
CREATE: Statement = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} (client TEXT PRIMARY KEY, serial INTEGER NOT NULL, changes INTEGER, "
    "last_id INTEGER, at INTEGER NOT NULL, nonce TEXT) WITHOUT ROWID",
    [],
)
ADD_NONCE: Statement = (f"ALTER TABLE {TABLE} ADD COLUMN nonce TEXT", [])
_DAY = 86_400
_TIDIED = 10
# The most batches of unknown outcome that a connection fences off while D1 is away.
_MOST_FENCES = 100


@dataclass(frozen=True)
class Mark:
    """What identifies one batch."""

    client: str
    serial: int
    nonce: str

    def fence(self) -> Statement:
        """A statement after which no copy of the batch can be applied, however late it arrives.

        It takes the serial number after the batch's, and keeps the nonce if the batch has been applied.
        """
        return (
            f"INSERT INTO {TABLE} (client, serial, changes, last_id, at, nonce) VALUES "
            f"('{self.client}', {self.serial + 1}, 0, 0, unixepoch(), 'not {self.nonce}') ON CONFLICT(client) "
            "DO UPDATE SET serial = excluded.serial, at = excluded.at, "
            f"nonce = CASE WHEN {TABLE}.nonce = '{self.nonce}' THEN {TABLE}.nonce ELSE excluded.nonce END "
            f"WHERE {TABLE}.serial <= {self.serial}",
            [],
        )

    def was_applied(self) -> Statement:
        """A question for after the fence: 1, 0, or another value if a copy of the client has written further."""
        return (
            f"SELECT CASE nonce WHEN '{self.nonce}' THEN 1 WHEN 'not {self.nonce}' THEN 0 END "
            f"FROM {TABLE} WHERE client = '{self.client}'",
            [],
        )


def preparation(error: Exception, before: list[Statement]) -> list[Statement] | None:
    """DDL to send before a batch that failed because the table of marks is missing or old.

    It replaces the DDL that came `before` the batch. None if the error has another cause.
    """
    message = str(error)
    if isinstance(error, MissingError) and error.table == TABLE:
        needed = [CREATE]
    elif isinstance(error, MissingError) and message.startswith(f"no such column: {TABLE}.nonce"):
        needed = [ADD_NONCE]
    elif before == [ADD_NONCE] and message.startswith("duplicate column name: nonce"):
        # Another connection has added it, or a first copy of this batch whose answer was lost.
        needed = []
    else:
        return None
    return None if needed == before else needed


def with_preparation(send: Callable[[list[Statement]], list[Result]]) -> list[Result]:
    """The results of a batch; `send` sends it after the statements that prepare the table of marks."""
    before: list[Statement] = []
    while True:
        try:
            return send(before)[len(before) :]
        except OperationalError as error:
            needed = preparation(error, before)
            if needed is None:
                raise
            before = needed


class BatchMarks:
    """Numbers the batches of one connection."""

    def __init__(self) -> None:
        self._given_up = deque[Mark](maxlen=_MOST_FENCES)
        self.renew()

    def renew(self) -> None:
        """Continue as a new client."""
        self._process = os.getpid()
        self._client = uuid.uuid4().hex
        self._serial = 0

    def with_mark(self, statements: list[Statement]) -> list[Statement]:
        """The next writing batch: a check, these statements, and the mark.

        The check fails when the batch has been applied, and its failure says what the batch did; otherwise it returns
        the version of the schema as its second column. The mark returns the row count and the last rowid (as text) of
        the statement before it.
        """
        if self._process != os.getpid():
            self.renew()
        self._serial += 1
        self._last = Mark(self._client, self._serial, _nonce())
        fences = [mark.fence() for mark in self._given_up]
        return [(self._check(self._last.nonce), []), *statements, *self._ends(self._last.nonce), *fences]

    def applied(self) -> None:
        """Note that the last batch was applied, with the fences in it."""
        self._given_up.clear()

    def give_up(self) -> Mark:
        """Continue as a new client, because the outcome of the last batch is unknown; return that batch's mark.

        Under the same name the next mark would hide whether the batch was applied. The next batch fences it off.
        """
        self._given_up.append(self._last)
        mark = self._last
        self.renew()
        return mark

    def _check(self, nonce: str) -> str:
        return (
            f"SELECT json_extract('{{}}', (SELECT CASE WHEN serial = {self._serial} AND {TABLE}.nonce = '{nonce}' "
            f"THEN '{APPLIED} ' || changes || ' ' || last_id ELSE '{OVERTAKEN} ' || (serial - {self._serial}) END "
            f"FROM {TABLE} WHERE client = '{self._client}' AND serial >= {self._serial})), {VERSION}"
        )

    def _ends(self, nonce: str) -> list[Statement]:
        mark = (
            f"INSERT INTO {TABLE} (client, serial, changes, last_id, at, nonce) VALUES "
            f"('{self._client}', {self._serial}, changes(), last_insert_rowid(), unixepoch(), '{nonce}') "
            "ON CONFLICT(client) DO UPDATE SET serial = excluded.serial, changes = excluded.changes, "
            "last_id = excluded.last_id, at = excluded.at, nonce = excluded.nonce "
            "RETURNING changes, CAST(last_id AS TEXT)"
        )
        if self._serial > 1:
            return [(mark, [])]
        # A new client deletes old marks among the next few after its own, which is a random place. An index on their
        # age would be a second row to write for each batch, and a scan would read all marks.
        tidy = (
            f"DELETE FROM {TABLE} WHERE client IN (SELECT client FROM {TABLE} WHERE client > '{self._client}' "
            f"ORDER BY client LIMIT {_TIDIED}) AND at < unixepoch() - {_DAY}"
        )
        return [(mark, []), (tidy, [])]


def _nonce() -> str:
    """A nonce that never repeats: machines that woke from one snapshot share random numbers, but not the time."""
    return f"{time.time_ns():x}-{uuid.uuid4().hex}"
