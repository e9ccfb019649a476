"""The engine "d1backend.replica": Django's SQLite backend on the current copy, for reads only."""

import sqlite3
from types import TracebackType

from django.db.backends.sqlite3.creation import DatabaseCreation as SQLiteCreation
from django.db.backends.sqlite3.operations import DatabaseOperations as SQLiteOperations
from django.db.utils import DatabaseErrorWrapper
from django.utils.functional import cached_property

from d1backend.kept_rows import KeepsRows
from d1backend.replica.copy import STATE_OF_COPY, is_damage
from d1backend.replica.directory import OpenCopy
from d1backend.replica.host import Host
from d1backend.replica.position import CopyPosition
from d1backend.replica.read_your_writes import changes_tail
from d1backend.replica.registry import host_of
from d1backend.transaction import tail


class DatabaseCreation(SQLiteCreation):
    """Test runs use the replica as it is: it has no data of its own."""

    def create_test_db(
        self,
        verbosity: int = 1,
        autoclobber: bool = False,
        serialize: bool | None = None,
        keepdb: bool = False,
    ) -> str:
        return str(self.connection.settings_dict["NAME"])

    def destroy_test_db(
        self,
        old_database_name: str | None = None,
        verbosity: int = 1,
        keepdb: bool = False,
        suffix: str | None = None,
    ) -> None:
        """Nothing was created."""

    def test_db_signature(self) -> tuple[str, str, str, str]:
        return ("", "", "d1backend.replica", str(self.connection.settings_dict["NAME"]))


class DatabaseOperations(SQLiteOperations):
    compiler_module = "d1backend.replica.compiler"


class DamageWatch(DatabaseErrorWrapper):
    """Discards a copy that a query finds damaged."""

    wrapper: "DatabaseWrapper"

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_value is not None and is_damage(exc_value):
            self.wrapper.discard_copy()
        super().__exit__(exc_type, exc_value, traceback)


class DatabaseWrapper(KeepsRows):
    """Reads the copy. Before each query it opens the current file and makes sure that it is fresh enough."""

    display_name = "replica of Cloudflare D1"
    creation_class = DatabaseCreation
    ops_class = DatabaseOperations
    _opened: OpenCopy | None = None

    @cached_property
    def _host(self) -> Host:
        return host_of(self.alias)

    @cached_property
    def wrap_database_errors(self) -> DamageWatch:
        return DamageWatch(self)

    def get_connection_params(self) -> dict[str, str | bool | int]:
        if self._opened is None:
            raise sqlite3.OperationalError(
                f"The replica {self.alias} is not filled. Read from {self._host.options.source}, or run "
                f"`manage.py d1_replica fill`; `manage.py d1_replica status` shows what is wrong."
            )
        self.transaction_mode = None
        self.init_commands = ["PRAGMA query_only=ON"]
        uri = f"{self._opened.path.resolve().as_uri()}?mode=rw"
        return {"database": uri, "uri": True, "check_same_thread": False, "timeout": 10}

    def ensure_connection(self) -> None:
        if self.connection is None or not self.in_atomic_block:
            self._host.ensure_fresh()
            current = self._host.directory.opened
            if self._opened is not current:
                self.release_file()
                self._opened = current
        super().ensure_connection()

    def read_position(self) -> CopyPosition:
        """The state of the copy; what this connection reads from now on is as new, or newer.

        It is read by the connection itself: while one of its cursors is open, SQLite shows it an older state.
        """
        if self.connection is None or self._opened is not self._host.directory.opened:
            self.ensure_connection()
        with self.wrap_database_errors:
            return CopyPosition(*self.connection.execute(STATE_OF_COPY).fetchone())

    def release_file(self) -> None:
        """Forget the connection; cursors that are still read keep its file open."""
        self.connection = self._opened = None

    def discard_copy(self) -> None:
        if self._opened is not None:
            self._host.directory.discard(self._opened)
            self.release_file()

    def close_if_unusable_or_obsolete(self) -> None:
        """Keep the connection for as long as its thread lives: the file is local."""

    def is_in_memory_db(self) -> bool:
        return False


tail.register(changes_tail)
