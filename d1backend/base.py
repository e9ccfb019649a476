"""Django's view of a Cloudflare D1 database."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.sqlite3 import base as sqlite3
from django.db.transaction import Atomic
from django.db.utils import load_backend

from d1backend import errors
from d1backend.client import DatabaseClient
from d1backend.creation import DatabaseCreation, id_of
from d1backend.features import DatabaseFeatures
from d1backend.introspection import DatabaseIntrospection
from d1backend.operations import DatabaseOperations
from d1backend.options import REPLICA_ENGINE, Settings, replica_of, settings_of
from d1backend.protocol.api import Usage
from d1backend.schema import DatabaseSchemaEditor
from d1backend.transaction.connection import Connection
from d1backend.transaction.cursor import Cursor
from d1backend.transaction.tail import tail_for
from d1backend.transaction.write_conditions import conditions_of


class DatabaseWrapper(sqlite3.DatabaseWrapper):
    """SQLite's SQL and types over HTTP; `vendor` stays "sqlite", so Django writes SQLite's dialect."""

    display_name = "Cloudflare D1"
    Database = errors
    SchemaEditorClass = DatabaseSchemaEditor
    client_class = DatabaseClient  # type: ignore[assignment]
    creation_class = DatabaseCreation  # type: ignore[assignment]
    features_class = DatabaseFeatures
    introspection_class = DatabaseIntrospection
    ops_class = DatabaseOperations

    connection: Connection | None

    @property
    def round_trips(self) -> int:
        """Requests sent to D1's API by this connection so far."""
        return self.usage.round_trips

    @property
    def usage(self) -> Usage:
        """What this connection has used of D1 so far, its earlier HTTP connections included."""
        usage = Usage()
        usage.add(self._usage)
        if self.connection is not None:
            usage.add(self.connection.api.usage)
        return usage

    def __init__(self, settings_dict: dict[str, Any], alias: str = DEFAULT_DB_ALIAS) -> None:
        super().__init__(settings_dict, alias)
        self._usage = Usage()

    def get_connection_params(self) -> dict[str, Settings | str]:
        name = self.settings_dict["NAME"]
        if not name:
            raise ImproperlyConfigured(f"DATABASES[{self.alias!r}] needs 'NAME', the id of the D1 database.")
        settings = settings_of(self.alias, self.settings_dict)
        if replica_of(self.alias) is not None:
            # Its module registers the tail of each commit (transaction/tail.py).
            load_backend(REPLICA_ENGINE)
        return {"settings": settings, "database": id_of(settings, str(name))}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection:
        return Connection(
            **conn_params,
            eager=self._raises_at_once,
            never_commits=self._in_testcase,
            translate_errors=self.wrap_database_errors,
            new_tail=lambda changes_schema: tail_for(self.alias, changes_schema),
            conditions=lambda: conditions_of(self.alias),
        )

    def init_connection_state(self) -> None:
        """Nothing: no request is sent before the first query."""

    def get_database_version(self) -> tuple[int, ...]:
        """The version of SQLite that D1 ran in 2026; D1 refuses sqlite_version()."""
        return (3, 50, 0)

    def create_cursor(self, name: str | None = None) -> Cursor:
        assert self.connection is not None
        return self.connection.cursor()

    def close(self) -> None:
        if self.connection is not None and not self.closed_in_transaction:
            self._usage.add(self.connection.api.usage)
            self.connection.api.usage = Usage()
        BaseDatabaseWrapper.close(self)

    def is_usable(self) -> bool:
        return self.connection is not None and not self.connection.closed

    # Transactions

    def _in_testcase(self) -> bool:
        return bool(self.atomic_blocks) and _is_of_testcase(self.atomic_blocks[0])

    def _raises_at_once(self) -> bool:
        """Whether a statement must raise its error at once: no atomic() of the application is open."""
        if not self.atomic_blocks:
            return True
        blocks = self.atomic_blocks
        return self._in_testcase() and all(_is_of_testcase(block) or not block.savepoint for block in blocks)

    def _savepoint_allowed(self) -> bool:
        return self.in_atomic_block or not self.get_autocommit()

    def _set_autocommit(self, autocommit: bool) -> None:
        assert self.connection is not None
        with self.wrap_database_errors:
            self.connection.set_autocommit(autocommit)

    def _start_transaction_under_autocommit(self) -> None:
        self.cursor().execute("BEGIN")

    # Constraints

    def disable_constraint_checking(self) -> bool:
        """Every batch defers its foreign keys to its end."""
        return True

    def enable_constraint_checking(self) -> None:
        pass

    def check_constraints(self, table_names: Iterable[str] | None = None) -> None:
        connection = self.connection
        if connection is not None and connection.script is not None and not connection.script.writes:
            return
        if table_names is not None:
            self.ensure_connection()
            assert self.connection is not None
            with self.wrap_database_errors:
                table_names = self.connection.broken_references(table_names)
            if not table_names:
                return
        super().check_constraints(table_names)

    def is_in_memory_db(self) -> bool:
        return False


def _is_of_testcase(block: Atomic) -> bool:
    """Whether Django's TestCase opened this atomic()."""
    return getattr(block, "_from_testcase", False)
