"""One state of the copy, read over a connection of its own while others change the file."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from d1backend.replica.copy import STATE_OF_COPY, read_tables
from d1backend.replica.tables import Row, TableSchema

_PAGE = 200


class FrozenCopy:
    """The state that the copy in a file had when this was opened: its epoch, last change, tables and rows."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=rw", uri=True, isolation_level=None, check_same_thread=False
        )
        try:
            self._db.execute("PRAGMA query_only = ON")
            self._db.execute("BEGIN")
            epoch, seq, anchor = self._db.execute(STATE_OF_COPY).fetchone()
            self.tables = read_tables(self._db)
        except sqlite3.Error:
            self._db.close()
            raise
        self.epoch, self.seq = str(epoch), int(seq)
        self.anchor: str | None = anchor

    def close(self) -> None:
        self._db.close()

    def pages(self, table: TableSchema) -> Iterator[list[Row]]:
        """The rows of a table in pages, by key."""
        columns = ", ".join(table.quoted_columns)
        cursor = self._db.execute(f"SELECT {columns} FROM {table.quoted_name} ORDER BY {table.quoted_key}")
        while page := cursor.fetchmany(_PAGE):
            yield page
