"""The mark each writing batch leaves, so that a batch whose answer was lost can be sent again without harm.

One row for each connection in `_d1_marks` holds the serial number of its last batch. A batch that comes twice finds
its own number there and fails as a whole.
"""

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
        self.client = uuid.uuid4().hex
        self.serial = 0

    def statements(self) -> list[str]:
        """The statements that end the next writing batch; the last one returns the row count and the last rowid."""
        self.serial += 1
        mark = (
            f"INSERT INTO {TABLE} (client, serial, changes, last_id, at) "
            f"VALUES ('{self.client}', {self.serial}, changes(), last_insert_rowid(), unixepoch()) "
            "ON CONFLICT(client) DO UPDATE SET changes = excluded.changes, last_id = excluded.last_id, "
            "at = excluded.at, serial = CASE WHEN serial < excluded.serial THEN excluded.serial "
            f"ELSE json_extract('{{}}', '{APPLIED}') END RETURNING changes, CAST(last_id AS TEXT)"
        )
        if self.serial > 1:
            return [mark]
        # A new client: the marks of clients that are long gone make room.
        return [mark, f"DELETE FROM {TABLE} WHERE at < unixepoch() - {_DAY}"]

    def outcome(self) -> str:
        """The question what the last batch did, once it is known to have been applied."""
        return (
            f"SELECT changes, CAST(last_id AS TEXT) FROM {TABLE} "
            f"WHERE client = '{self.client}' AND serial = {self.serial}"
        )
