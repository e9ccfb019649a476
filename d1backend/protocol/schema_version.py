"""The version of a database's schema, which each batch of this backend that changes the schema replaces.

It is the name of the only column of the view `_d1_schema`. `pragma_table_info()` reads it as one row, and returns no
row when there is no such view yet, where a table would be an error. D1 refuses PRAGMA schema_version. Versions are
random: after a restore of the database from a backup no number can come back with another schema.
"""

import secrets

from d1backend.errors import CHANGED
from d1backend.protocol.api import Statement
from d1backend.sql.values import literal

_VIEW = "_d1_schema"
VERSION = f"(SELECT name FROM pragma_table_info('{_VIEW}'))"
QUERY: Statement = (f"SELECT {VERSION}", [])


def replace_version() -> list[Statement]:
    """Statements that give the schema a new version."""
    return [(f'DROP VIEW IF EXISTS "{_VIEW}"', []), _create()]


def ensure_version() -> Statement:
    """A statement that gives the schema a version unless it has one."""
    return _create()


def _create() -> Statement:
    return f'CREATE VIEW IF NOT EXISTS "{_VIEW}" AS SELECT 1 AS "{secrets.token_hex(8)}"', []


def guard(version: str | None) -> Statement:
    """A statement that fails, with SchemaChangedError, when the schema has another version."""
    expected = "NULL" if version is None else literal(version)
    return f"SELECT CASE WHEN {VERSION} IS {expected} THEN 1 ELSE json_extract('{{}}', '{CHANGED}') END", []
