"""Reads the schema, as on SQLite, without the internal tables of D1 and of this backend."""

from django.db import DatabaseError
from django.db.backends.base.introspection import TableInfo
from django.db.backends.sqlite3.introspection import DatabaseIntrospection as SQLiteIntrospection
from django.db.backends.sqlite3.introspection import FieldInfo, get_field_size
from django.db.backends.utils import CursorWrapper

# In pragma_table_xinfo: an ordinary column, a virtual and a stored generated one.
_VISIBLE = (0, 2, 3)


def is_internal(name: str) -> bool:
    """Whether a table is internal to D1 or to this backend."""
    return name.startswith(("_cf_", "_d1_"))


class DatabaseIntrospection(SQLiteIntrospection):
    def get_table_list(self, cursor: CursorWrapper) -> list[TableInfo]:
        return [table for table in super().get_table_list(cursor) if not is_internal(table.name)]

    def get_table_description(self, cursor: CursorWrapper, table_name: str) -> list[FieldInfo]:
        """The table's columns, in three queries (Django's SQLite backend sends one more for each column)."""
        cursor.execute(f"PRAGMA table_xinfo({self.connection.ops.quote_name(table_name)})")
        rows = [row for row in cursor.fetchall() if row[6] in _VISIBLE]
        if not rows:
            raise DatabaseError(f"Table {table_name} does not exist (empty pragma).")
        cursor.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = %s", [table_name])
        (sql,) = cursor.fetchone() or ("",)  # a view has no row
        collations = self._get_column_collations(cursor, table_name)  # type: ignore[attr-defined]
        keys = sum(bool(row[5]) for row in rows)
        return [
            FieldInfo(
                name=name,
                type_code=kind,
                display_size=get_field_size(kind),
                internal_size=None,
                precision=None,
                scale=None,
                null_ok=not required,
                default=default,
                collation=collations.get(name),
                pk=bool(key) and keys == 1,
                has_json_constraint=f'json_valid("{name}")'.lower() in sql.lower(),
            )
            for _, name, kind, required, default, key, _ in rows
        ]
