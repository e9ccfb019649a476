"""Django's SQLite, in a file that only its owner may read.

SQLite creates a database by the umask, and -wal and -shm with the mode of the database:
https://www.sqlite.org/src/file?name=src/os_unix.c (findCreateFileMode).
"""

import contextlib
import sqlite3
from pathlib import Path

from django.db.backends.sqlite3 import base

from core import private_files


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, str | float | None]) -> sqlite3.Connection:
        if not self.is_in_memory_db():
            with contextlib.suppress(OSError):  # SQLite reports the error itself, as a database error
                private_files.make_file(Path(str(conn_params["database"])))
        return super().get_new_connection(conn_params)
