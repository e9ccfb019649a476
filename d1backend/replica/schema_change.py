"""A compatible newer schema, taken over by a copy in place: no row is fetched for it but those that changed."""

import sqlite3
from collections.abc import Mapping
from dataclasses import replace

from d1backend.replica.change_log import LogState
from d1backend.replica.changes import NeedsRefill
from d1backend.replica.layout import create_indexes, names_in, rebuild_search, search_triggers
from d1backend.replica.options import ReplicaOptions
from d1backend.replica.schema import (
    IncompatibleSchema,
    Objects,
    SchemaObject,
    added_columns,
    of_kind,
    parse_objects,
)
from d1backend.replica.tables import Shape, TableSchema


class SchemaChange:
    """What differs for a copy: begin() before the newer rows are written, complete() after them.

    `text` is the newer schema as the log records it, `shape` what the copy then has.
    """

    def __init__(self, shape: Shape, old: Objects, state: LogState, options: ReplicaOptions) -> None:
        """`shape` and `old` are the copy's, `state` holds the newer schema.

        Raises NeedsRefill when the copy cannot take it over.
        """
        self._options = options
        self.text = state.schema or "[]"
        new = parse_objects(self.text)
        names = {*options.tables, *options.search}
        copied = [found for found in old if found.name in names or found.table in options.tables]
        try:
            added = added_columns(copied, new)
        except IncompatibleSchema as reason:
            raise NeedsRefill(f"the schema on D1 has changed: {reason}") from reason
        self._columns = [c for c in added if c.name not in options.hide.get(c.table, ())]
        self.old_number = shape.number
        self.shape = Shape(state.number, state.version, self._with_columns(shape.tables))
        old_indexes, new_indexes = of_kind(copied, "index"), of_kind(new, "index")
        self._old_indexes, self._new_indexes = _differences(old_indexes, new_indexes)
        old_triggers, new_triggers = (search_triggers(found, options.search) for found in (copied, new))
        self._old_triggers, self._new_triggers = _differences(old_triggers, new_triggers)

    def _with_columns(self, tables: Mapping[str, TableSchema]) -> dict[str, TableSchema]:
        # Values of generated columns are computed by the copy.
        stored = [c for c in self._columns if "AS" not in c.words]
        return {
            name: replace(table, columns=(*table.columns, *(c.name for c in stored if c.table == name)))
            for name, table in tables.items()
        }

    def begin(self, db: sqlite3.Connection) -> None:
        """Drop the indexes and triggers that the newer rows may not fit, and add the columns.

        Raises NeedsRefill when a column cannot be added.
        """
        for trigger in self._old_triggers:
            db.execute(f"DROP TRIGGER IF EXISTS {trigger.quoted_name}")
        for index in self._old_indexes:
            db.execute(f"DROP INDEX IF EXISTS {index.quoted_name}")
        for column in self._columns:
            if column.table in self._options.compact and "COLLATE" in column.words:
                raise NeedsRefill(f"the column {column.name} has a collation, and its table is compact")
            try:
                db.execute(f"ALTER TABLE {column.quoted_table} ADD COLUMN {column.definition}")
            except (sqlite3.OperationalError, sqlite3.IntegrityError) as error:
                raise NeedsRefill(f"the column {column.name} cannot be added in place ({error})") from error

    def complete(self, db: sqlite3.Connection) -> None:
        """Create indexes and triggers, and index text again whose triggers differ.

        Raises NeedsRefill when the rows break a unique index.
        """
        options = self._options
        plain = {name: table for name, table in self.shape.tables.items() if name not in options.compact}
        create_indexes(db, self._new_indexes, plain, options.hide, options.no_index)
        for trigger in self._new_triggers:
            db.execute(trigger.sql)
        for name in options.search:
            if any(name in names_in(trigger.sql) for trigger in (*self._old_triggers, *self._new_triggers)):
                rebuild_search(db, name)


def _differences(
    old: Mapping[str, SchemaObject], new: Mapping[str, SchemaObject]
) -> tuple[list[SchemaObject], list[SchemaObject]]:
    """The old objects that are gone or differ, and the new ones that are new or differ."""
    gone = [found for name, found in old.items() if new.get(name) != found]
    come = [found for name, found in new.items() if old.get(name) != found]
    return gone, come
