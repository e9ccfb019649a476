"""Writes the rows of a change set into the tables of a copy."""

import sqlite3
from collections.abc import Iterable, Mapping

from d1backend.replica.changes import Change, ChangeSet, NeedsRefill
from d1backend.replica.tables import Row, TableSchema, Value

# A row by its table and key.
RowKey = tuple[str, Value]
Changed = Mapping[RowKey, Change]


def write_changes(db: sqlite3.Connection, change_set: ChangeSet) -> None:
    """Write the changed rows, within a transaction. Raises NeedsRefill when they do not fit the others."""
    tables = change_set.shape.tables
    rows, counts = _changed_rows(change_set)
    try:
        db.execute("SAVEPOINT rows")
        _write_differences(db, tables, rows)
    except sqlite3.IntegrityError:
        # Rows have exchanged unique values: delete all of them first.
        db.execute("ROLLBACK TO rows")
        _replace(db, tables, rows)
    _write_counts(db, tables, counts)


def replace_rows(db: sqlite3.Connection, change_set: ChangeSet) -> None:
    """Write the changed rows and delete any others with the same unique values."""
    tables = change_set.shape.tables
    rows, counts = _changed_rows(change_set)
    _replace(db, tables, rows)
    _write_counts(db, tables, counts)


def _changed_rows(change_set: ChangeSet) -> tuple[Changed, dict[RowKey, Row]]:
    """The last change of each row, and the counters of other rows or of rows that changed before these did."""
    rows: dict[RowKey, Change] = {}
    counts: dict[RowKey, Row] = {}
    for change in change_set.changes:
        if change.table not in change_set.shape.tables:
            continue
        if change.counts is not None:
            counts |= {(change.table, counted[0]): counted[1:] for counted in change.counts}
        else:
            at = change.table, int(change.key)
            rows[at] = change
            counts.pop(at, None)
    return rows, counts


def _write_counts(
    db: sqlite3.Connection, tables: Mapping[str, TableSchema], counts: Mapping[RowKey, Row]
) -> None:
    for (name, key), values in counts.items():
        table = tables[name]
        sets = ", ".join(f"{column} = ?" for column in table.quoted_counters)
        db.execute(f"UPDATE {table.quoted_name} SET {sets} WHERE {table.quoted_key} = ?", (*values, key))


def _write_differences(db: sqlite3.Connection, tables: Mapping[str, TableSchema], rows: Changed) -> None:
    """Write only the columns that differ, so the full-text triggers run only when text has changed."""
    _delete(db, tables, [row_key for row_key, change in rows.items() if change.text is None])
    for (name, key), change in rows.items():
        if (row := change.row) is None:
            continue
        table = tables[name]
        where = f"WHERE {table.quoted_key} = ?"
        columns = ", ".join(table.quoted_columns)
        old = db.execute(f"SELECT {columns} FROM {table.quoted_name} {where}", (key,)).fetchone()
        if old is None:
            db.execute(insert_sql(table), row)
            continue
        differing = [i for i, value in enumerate(row) if value != old[i] or type(value) is not type(old[i])]
        if differing:
            sets = ", ".join(f"{table.quoted_columns[i]} = ?" for i in differing)
            values = (*(row[i] for i in differing), key)
            db.execute(f"UPDATE {table.quoted_name} SET {sets} {where}", values)


def _replace(db: sqlite3.Connection, tables: Mapping[str, TableSchema], rows: Changed) -> None:
    """Write rows and delete any others with the same unique values."""
    _delete(db, tables, rows)
    try:
        for (name, _), change in rows.items():
            if (row := change.row) is not None:
                db.execute(insert_sql(tables[name], "OR REPLACE"), row)
    except sqlite3.IntegrityError as error:
        raise NeedsRefill(f"a change does not fit the copy ({error})") from error


def _delete(db: sqlite3.Connection, tables: Mapping[str, TableSchema], row_keys: Iterable[RowKey]) -> None:
    for name, key in row_keys:
        table = tables[name]
        db.execute(f"DELETE FROM {table.quoted_name} WHERE {table.quoted_key} = ?", (key,))


def insert_sql(table: TableSchema, conflict: str = "") -> str:
    """An INSERT of one row, with a placeholder for each column."""
    columns, placeholders = ", ".join(table.quoted_columns), ", ".join("?" * len(table.columns))
    return f"INSERT {conflict} INTO {table.quoted_name} ({columns}) VALUES ({placeholders})"
