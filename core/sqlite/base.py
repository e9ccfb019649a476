"""Django's SQLite, in a file that only its owner may read.

SQLite creates a database by the umask, and -wal and -shm with the mode of the database:
https://www.sqlite.org/src/file?name=src/os_unix.c (findCreateFileMode).
"""

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from django.core.management.color import Style
from django.db.backends.sqlite3 import base, operations

from core import private_files
from d1backend.flush import with_referring_first
from d1backend.kept_rows import KeepsRows


class DatabaseOperations(operations.DatabaseOperations):
    def sql_flush(self, style: Style, tables: Sequence[str], **options: bool) -> list[str]:
        """Empty the tables twice: a trigger may write to one that is empty already."""
        return 2 * super().sql_flush(style, with_referring_first(tables), **options)


class DatabaseWrapper(KeepsRows, base.DatabaseWrapper):
    ops_class = DatabaseOperations

    def get_new_connection(self, conn_params: dict[str, str | float | None]) -> sqlite3.Connection:
        if not self.is_in_memory_db():
            with contextlib.suppress(OSError):  # SQLite reports the error itself, as a database error
                private_files.make_file(Path(str(conn_params["database"])))
        return super().get_new_connection(conn_params)
