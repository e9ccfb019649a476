"""What D1 can do, and why where it differs from Django's SQLite backend."""

from django.db.backends.sqlite3.features import DatabaseFeatures as SQLiteFeatures
from django.utils.functional import cached_property

from d1backend.functions import FunctionFeatures


class DatabaseFeatures(FunctionFeatures, SQLiteFeatures):
    minimum_database_version = None
    test_db_allows_multiple_connections = True
    # Parameters beyond D1's 100 travel as one JSON text.
    max_query_params = None  # type: ignore[assignment]
    # A transaction is a script, so turning autocommit off works as on other databases.
    autocommits_when_autocommit_is_off = False
    supports_atomic_references_rename = True
    can_alter_table_drop_column = True
    supports_paramstyle_pyformat = True
    can_return_columns_from_insert = True
    can_return_rows_from_bulk_insert = True
    # The commit compares the rows that were read.
    has_select_for_update = True
    # Nobody waits for a lock, and no row is locked: these ask for what is so anyway. `of` and `no_key` guard all that
    # is read, which is more than they ask.
    has_select_for_update_nowait = True
    has_select_for_update_skip_locked = True
    has_select_for_update_of = True
    has_select_for_no_key_update = True
    supports_json_field = True
    can_introspect_json_field = True
    has_json_object_function = True

    @cached_property
    def django_test_skips(self) -> dict[str, set[str]]:  # type: ignore[override]
        return {
            **super().django_test_skips,
            "D1 has no locks: rows read for update are compared at the commit.": {
                "get_or_create.tests.UpdateOrCreateTransactionTests.test_creation_in_transaction",
                "get_or_create.tests.UpdateOrCreateTransactionTests.test_updates_in_transaction",
                "select_for_update.tests.SelectForUpdateTests.test_nowait_raises_error_on_block",
                "select_for_update.tests.SelectForUpdateTests.test_skip_locked_skips_locked_rows",
            },
        }
