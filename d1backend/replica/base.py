"""The engine "d1backend.replica": Django's SQLite backend on the file that is current."""

import sqlite3
from typing import Any

from django.db.backends.sqlite3 import base as sqlite3_base
from django.db.backends.sqlite3.creation import DatabaseCreation as SQLiteCreation
from django.db.utils import DatabaseErrorWrapper
from django.utils.functional import cached_property

from d1backend.replica.fill import is_damage
from d1backend.replica.host import Generation
from d1backend.replica.read_your_writes import new_tail
from d1backend.replica.registry import host_of
from d1backend.transaction import tail

tail.register(new_tail)


class DatabaseCreation(SQLiteCreation):
    """Tests keep the replica they are given: it holds nothing of its own."""

    def create_test_db(self, *args: Any, **kwargs: Any) -> str:
        return str(self.connection.settings_dict["NAME"])

    def destroy_test_db(self, *args: Any, **kwargs: Any) -> None:
        """Nothing was made."""

    def test_db_signature(self) -> tuple[Any, ...]:
        return ("d1backend.replica", str(self.connection.settings_dict["NAME"]))


class _Watch(DatabaseErrorWrapper):
    """Gives a file up that a query finds damaged."""

    wrapper: "DatabaseWrapper"

    def __exit__(self, exc_type: Any, exc_value: Any, traceback: Any) -> None:
        if exc_value is not None and is_damage(exc_value):
            self.wrapper.discard()
        super().__exit__(exc_type, exc_value, traceback)


class DatabaseWrapper(sqlite3_base.DatabaseWrapper):
    """Reads the copy; before each query it goes to the current file and sees that it is fresh enough."""

    display_name = "replica of Cloudflare D1"
    creation_class = DatabaseCreation

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._opened: Generation | None = None

    @cached_property
    def wrap_database_errors(self) -> _Watch:
        return _Watch(self)

    def get_connection_params(self) -> dict[str, Any]:
        host = host_of(self.alias)
        if self._opened is None:
            raise sqlite3.OperationalError(
                f"The replica {self.alias} is not filled. Read from {host.options.source}, or run "
                f"`manage.py d1_replica fill`; `manage.py d1_replica status` tells what is wrong."
            )
        self.transaction_mode = None
        self.init_commands = ["PRAGMA query_only=ON", "PRAGMA mmap_size=268435456"]
        uri = f"{self._opened.path.resolve().as_uri()}?mode=rw"
        return {"database": uri, "uri": True, "check_same_thread": False, "timeout": 10}

    def ensure_connection(self) -> None:
        if self.connection is None or not self.in_atomic_block:
            self._follow()
        super().ensure_connection()

    def _follow(self) -> None:
        host = host_of(self.alias)
        host.ready()
        if self._opened is not host.generation:
            self.leave()
            self._opened = host.generation

    def leave(self) -> None:
        """Let go of the connection; cursors that are still read keep it open."""
        self.connection = self._opened = None

    def discard(self) -> None:
        if self._opened is not None:
            host_of(self.alias).discard(self._opened)
            self.leave()

    def close_if_unusable_or_obsolete(self) -> None:
        """A connection to a local file is kept for as long as its thread lives."""

    def is_in_memory_db(self) -> bool:
        return False
