"""The mark each writing batch leaves, so that a batch whose answer was lost can be sent again without harm.

One row for each connection in `_d1_marks` holds the serial number of its last batch and what that did. A
batch first looks for its own number there, and fails as a whole when it has been applied before; so it does
not matter how often, or how late, a copy of it arrives.
"""

import os
import uuid

from .errors import APPLIED

TABLE = "_d1_marks"
CREATE = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} (client TEXT PRIMARY KEY, serial INTEGER NOT NULL, changes INTEGER, "
    "last_id INTEGER, at INTEGER NOT NULL) WITHOUT ROWID"
)
_DAY = 86_400


class Marks:
    """Numbers the batches of one connection."""

    def __init__(self) -> None:
        self._renew()

    def _renew(self) -> None:
        self._process = os.getpid()
        self._client = uuid.uuid4().hex
        self._serial = 0

    def next(self) -> tuple[str, list[str]]:
        """The statement that begins the next writing batch, and those that end it.

        The first fails, and says in its failure what the batch did, when the batch has been applied. The
        first of the others returns the row count and the last rowid (as text) of the statement before it.
        """
        if self._process != os.getpid():
            self._renew()
        self._serial += 1
        check = (
            f"SELECT json_extract('{{}}', (SELECT '{APPLIED} ' || changes || ' ' || last_id FROM {TABLE} "
            f"WHERE client = '{self._client}' AND serial >= {self._serial}))"
        )
        mark = (
            f"INSERT INTO {TABLE} (client, serial, changes, last_id, at) "
            f"VALUES ('{self._client}', {self._serial}, changes(), last_insert_rowid(), unixepoch()) "
            "ON CONFLICT(client) DO UPDATE SET serial = excluded.serial, changes = excluded.changes, "
            "last_id = excluded.last_id, at = excluded.at RETURNING changes, CAST(last_id AS TEXT)"
        )
        if self._serial > 1:
            return check, [mark]
        # A new client: the marks of clients that are long gone make room.
        return check, [mark, f"DELETE FROM {TABLE} WHERE at < unixepoch() - {_DAY}"]
