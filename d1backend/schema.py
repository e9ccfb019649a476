"""Changes of the schema. A table is remade in the order that D1's foreign keys allow."""

from types import TracebackType
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.sqlite3.schema import DatabaseSchemaEditor as SQLiteSchemaEditor
from django.db.models import Field, Model, Value

from d1backend.errors import CASCADES
from d1backend.sql.values import Parameter, literal

_PREFIX = "new__"


class DatabaseSchemaEditor(SQLiteSchemaEditor):
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave without SQLite's PRAGMA foreign_key_check: the commit of the batch checks foreign keys."""
        BaseDatabaseSchemaEditor.__exit__(self, exc_type, exc_value, traceback)

    def quote_value(self, value: Parameter) -> str:
        return literal(value)

    def add_field(self, model: type[Model], field: "Field[Any, Any]") -> None:
        """Add a column in place where SQLite can, also one that has a default of the database and no NULL.

        SQLite's editor remakes the table then. That takes as long as its rows are many, and each copy of a replica
        would be filled again.
        """
        if _has_constant_default(field):
            BaseDatabaseSchemaEditor.add_field(self, model, field)
        else:
            super().add_field(model, field)

    def alter_db_table(self, model: type[Model], old_db_table: str, new_db_table: str) -> None:
        """Rename a table; at the end of a remake, copy the rows to the final name instead.

        D1 fails a batch in which a table that others refer to is dropped and another renamed to its name,
        foreign keys deferred or not; rows inserted after the drop satisfy it.
        """
        if old_db_table != f"{_PREFIX}{new_db_table.strip(chr(34))}":
            super().alter_db_table(model, old_db_table, new_db_table)
            return
        columns = ", ".join(
            self.quote_name(f.column)
            for f in model._meta.local_concrete_fields
            if f.column and f.generated is False
        )
        pending, self.deferred_sql = self.deferred_sql, []
        model._meta.db_table = new_db_table
        try:
            create, params = self.table_sql(model)
            self.execute(create, params or None)
        finally:
            model._meta.db_table = old_db_table
            self.deferred_sql = pending
        old, new = self.quote_name(old_db_table), self.quote_name(new_db_table)
        self.execute(f"INSERT INTO {new} ({columns}) SELECT {columns} FROM {old}")
        self.execute(f"DROP TABLE {old}")
        for sql in self.deferred_sql:
            if hasattr(sql, "rename_table_references"):
                sql.rename_table_references(old_db_table, new_db_table)

    def delete_model(self, model: type[Model], handle_autom2m: bool = True) -> None:
        if not handle_autom2m and not self.collect_sql:
            self._check_cascades(model._meta.db_table)
        super().delete_model(model, handle_autom2m)

    def _check_cascades(self, table: str) -> None:
        """Fail the batch when dropping the table, in a remake, would change rows of other tables."""
        name = literal(table.strip('"'))
        self.connection.ensure_connection()
        condition = (
            "NOT EXISTS (SELECT 1 FROM sqlite_master m, pragma_foreign_key_list(m.name) f "
            f"WHERE m.type = 'table' AND m.name NOT GLOB '_cf_*' AND m.name <> {name} "
            f'AND f."table" = {name} COLLATE NOCASE '
            "AND f.on_delete IN ('CASCADE', 'SET NULL', 'SET DEFAULT'))"
        )
        with self.connection.wrap_database_errors:
            self.connection.connection.require(condition, [], table.strip('"'), CASCADES)


def _has_constant_default(field: "Field[Any, Any]") -> bool:
    """Whether ALTER TABLE can add a field with its default of the database (https://sqlite.org/lang_altertable.html)."""
    default = field.db_default.value if isinstance(field.db_default, Value) else field.db_default
    is_constant = default is not None and not hasattr(default, "resolve_expression")
    in_place = not (field.primary_key or field.unique or field.remote_field)
    return field.has_db_default() and is_constant and in_place
