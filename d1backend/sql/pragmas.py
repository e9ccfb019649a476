"""PRAGMAs that read the schema, as table-valued functions: a rehearsal can select from those.

Columns: https://www.sqlite.org/pragma.html
"""

import re

from d1backend.sql.values import literal, quote_name, unquote

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
    """The SELECT that returns what a PRAGMA returns, and its columns; None for a PRAGMA without such a function."""
    found = _CALL.match(sql)
    columns = _COLUMNS.get(found[1].lower()) if found else None
    if not found or not columns:
        return None
    argument = unquote(found[2] or "")
    names = ", ".join(map(quote_name, columns))
    return f"SELECT {names} FROM pragma_{found[1].lower()}({literal(argument) if argument else ''})", columns
