"""The first fill of a copy: each table in pages by key, then the changes made meanwhile. It can be resumed."""

import sqlite3
import uuid
from collections.abc import Callable

from d1backend.replica.changes import MAX_TEXT, ChangeSet
from d1backend.replica.copy import ReplicaCopy
from d1backend.replica.directory import ReplicaDirectory
from d1backend.replica.source import Source
from d1backend.replica.tables import SourceSchema, TableSchema

# The size that a page aims at, in characters of JSON.
_PAGE_TEXT = 1_000_000
_FIRST_PAGE, _LARGEST_PAGE = 200, 5_000

# Called after each page with the name of the table and the number of rows.
Progress = Callable[[str, int], None]


def find_unpublished_copy(directory: ReplicaDirectory, schema: SourceSchema) -> ReplicaCopy | None:
    """A copy that an earlier fill has started, or completed but not published."""
    for path in directory.files():
        try:
            copy = ReplicaCopy(path)
        except sqlite3.Error:
            continue
        if (copy.epoch, copy.signature) == (schema.epoch, directory.options.signature):
            return copy
        copy.close()
    return None


def create_copy(directory: ReplicaDirectory, schema: SourceSchema) -> ReplicaCopy:
    """A new copy with empty tables."""
    path = directory.path / f"replica-{schema.epoch[:8]}-{uuid.uuid4().hex[:8]}.sqlite3"
    options = directory.options
    hidden = {
        name: set(options.hide.get(name, ())) & set(table.columns) for name, table in schema.tables.items()
    }
    return ReplicaCopy.create(path, schema, options.signature, hidden)


def fill_copy(copy: ReplicaCopy, source: Source, schema: SourceSchema, progress: Progress) -> None:
    """Fill a copy that nobody reads yet, from where an earlier fill stopped.

    Raises NeedsRefill when the copy cannot be completed, and the errors of D1.
    """
    for table in copy.tables.values():
        _fill_table(copy, source, table, progress)
    copy.finish_fill(schema, _apply_changes_since_start(copy, source))


def _fill_table(copy: ReplicaCopy, source: Source, table: TableSchema, progress: Progress) -> None:
    after, is_done = copy.fill_position(table.name)
    limit = _FIRST_PAGE
    while not is_done:
        rows, size = source.fetch_page(table, after, limit)
        is_done = len(rows) < limit and size < MAX_TEXT
        copy.insert_page(table, rows, is_last=is_done)
        progress(table.name, len(rows))
        if rows:
            after, _ = copy.fill_position(table.name)
            limit = max(1, min(_LARGEST_PAGE, limit * 4, len(rows) * _PAGE_TEXT // max(size, 1)))


def _apply_changes_since_start(copy: ReplicaCopy, source: Source) -> ChangeSet:
    """Apply the changes made while the tables were filled; returns the last change set."""
    while True:
        change_set = source.fetch_changes(copy.tables.values(), copy.seq, versions=True)
        copy.apply_before_first_read(change_set)
        if change_set.is_complete:
            return change_set
