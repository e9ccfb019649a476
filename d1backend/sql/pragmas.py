"""The PRAGMAs that read the schema, as the table-valued functions a rehearsal can select from.

Columns: https://www.sqlite.org/pragma.html
"""

import re

_COLUMNS = {
    "table_info": ("cid", "name", "type", "notnull", "dflt_value", "pk"),
    "table_xinfo": ("cid", "name", "type", "notnull", "dflt_value", "pk", "hidden"),
    "table_list": ("schema", "name", "type", "ncol", "wr", "strict"),
    "foreign_key_list": ("id", "seq", "table", "from", "to", "on_update", "on_delete", "match"),
    "foreign_key_check": ("table", "rowid", "parent", "fkid"),
    "index_list": ("seq", "name", "unique", "origin", "partial"),
    "index_info": ("seqno", "cid", "name"),
    "index_xinfo": ("seqno", "cid", "name", "desc", "coll", "key"),
}
_CALL = re.compile(
    r"""\s*PRAGMA\s+(\w+)\s*(?:\(\s*("(?:[^"]|"")*"|'(?:[^']|'')*'|\w+)\s*\))?\s*;?\s*$""", re.IGNORECASE
)


def as_select(sql: str) -> tuple[str, tuple[str, ...]] | None:
    """The SELECT that gives what a PRAGMA gives, and its columns; None for a PRAGMA that has no such
    function."""
    found = _CALL.match(sql)
    columns = _COLUMNS.get(found[1].lower()) if found else None
    if not found or not columns:
        return None
    argument = found[2] or ""
    if argument[:1] == '"':
        argument = argument[1:-1].replace('""', '"')
    elif argument[:1] == "'":
        argument = argument[1:-1].replace("''", "'")
    quoted = "'{}'".format(argument.replace("'", "''")) if argument else ""
    names = ", ".join(f'"{c}"' for c in columns)
    return f"SELECT {names} FROM pragma_{found[1].lower()}({quoted})", columns
