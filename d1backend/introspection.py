"""Reading the schema, as on SQLite, without the tables that D1 and this backend keep for themselves."""

from typing import Any

from django.db.backends.base.introspection import TableInfo
from django.db.backends.sqlite3.introspection import DatabaseIntrospection as SQLiteIntrospection


def is_ours(name: str) -> bool:
    """Whether a table belongs to D1 or to this backend rather than to the application."""
    return name.startswith(("_cf_", "_d1_"))


class DatabaseIntrospection(SQLiteIntrospection):
    def get_table_list(self, cursor: Any) -> list[TableInfo]:
        return [table for table in super().get_table_list(cursor) if not is_ours(table.name)]
