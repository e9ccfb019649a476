"""Copies a D1 database into an empty one, for tests in parallel."""

import json
from collections.abc import Iterator

from d1backend.errors import NotSupportedError
from d1backend.protocol import encoding
from d1backend.protocol.api import Api, Statement
from d1backend.sql.tokenizer import tokens_of
from d1backend.sql.values import Row, Value, literal, quote_name

_PAGE = 500
# The most bytes of rows that one statement inserts; D1 takes parameters of up to 2 MB.
_BYTES = 1_000_000
_SCHEMA = (
    "SELECT CASE WHEN m.type = 'table' AND m.rootpage = 0 THEN 'virtual' ELSE m.type END, m.name, m.sql "
    "FROM sqlite_master m WHERE m.sql IS NOT NULL AND m.name NOT GLOB 'sqlite_*' AND m.name NOT GLOB '_cf_*' "
    "AND m.name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow') ORDER BY m.rowid"
)


def copy(api: Api, source: str, target: str) -> None:
    """Copy tables, rows, indexes, views, virtual tables and triggers of `source` into `target`.

    A virtual table makes its own shadow tables, which D1 lets nobody write: its rows are inserted, and an index of
    another table's text is built again. Raises NotSupportedError for a full-text index that has rows and keeps no text.
    """
    parts: dict[str, list[tuple[str, str]]] = {}
    for kind, name, sql in api.batch(source, [(_SCHEMA, [])])[0]["rows"]:
        parts.setdefault(kind, []).append((name, sql))
    tables = parts.get("table", [])
    api.batch(target, [("PRAGMA defer_foreign_keys=on", []), *((sql, []) for _, sql in tables)])
    statements = [("PRAGMA defer_foreign_keys=on", list[str]())]
    for name, _ in tables:
        statements += _rows(api, source, name)
    if sequences := _rows(api, source, "sqlite_sequence"):
        statements += [("DELETE FROM sqlite_sequence", []), *sequences]
    for kind in ("index", "view"):
        statements += [(sql, []) for _, sql in parts.get(kind, [])]
    for name, sql in parts.get("virtual", []):
        statements += [(sql, []), *_virtual_rows(api, source, name, sql)]
    statements += [(sql, []) for _, sql in parts.get("trigger", [])]
    api.batch(target, statements)


def _virtual_rows(api: Api, source: str, table: str, sql: str) -> list[Statement]:
    """Statements that fill a virtual table as it is in `source`."""
    tokens = tokens_of(sql)
    module = next(tokens[i + 1].name.lower() for i, t in enumerate(tokens) if t.upper == "USING")
    if module == "fts5vocab":
        return []
    if module != "fts5":
        return _rows(api, source, table)
    name = quote_name(table)
    settings = f"SELECT k, v FROM {quote_name(table + '_config')} WHERE k <> 'version'"
    out: list[Statement] = [
        (f"INSERT INTO {name} ({name}, rank) VALUES ({literal(key)}, {literal(value)})", [])
        for key, value in api.batch(source, [(settings, [])])[0]["rows"]
    ]
    content = next(
        (
            tokens[i + 2].name
            for i, t in enumerate(tokens[:-2])
            if t.upper == "CONTENT" and tokens[i + 1].text == "="
        ),
        None,
    )
    if content is None:
        return [*out, *_rows(api, source, table, ["rowid"])]
    if content:
        return [*out, (f"INSERT INTO {name} ({name}) VALUES ('rebuild')", [])]
    if api.batch(source, [(f"SELECT rowid FROM {name} LIMIT 1", [])])[0]["rows"]:
        raise NotSupportedError(
            f"The full-text table {table} keeps no text (content=''), so its rows cannot be copied for parallel tests. "
            "Fill it in the tests, or run them without --parallel."
        )
    return out


def _rows(api: Api, source: str, table: str, also: list[str] | None = None) -> list[Statement]:
    """Statements that insert the rows of a table, with the columns that it declares and those in `also`."""
    columns = f"SELECT name FROM pragma_table_xinfo({literal(table)}) WHERE hidden = 0"
    names = [quote_name(row[0]) for row in api.batch(source, [(columns, [])])[0]["rows"]]
    if not names:
        return []
    names += also or []
    values = ", ".join(
        f"CASE WHEN EXISTS (SELECT 1 FROM json_each(r.value, '$[1]') b WHERE b.value = {i}) "
        f"THEN unhex(json_extract(r.value, '$[0][{i}]')) ELSE json_extract(r.value, '$[0][{i}]') END"
        for i in range(len(names))
    )
    insert = f"INSERT INTO {quote_name(table)} ({', '.join(names)}) SELECT {values} FROM json_each(?1) r"
    return [(insert, [data]) for data in _chunks(_read(api, source, table, names))]


def _read(api: Api, source: str, table: str, names: list[str]) -> Iterator[Row]:
    select, page = f"SELECT {', '.join(names)} FROM {quote_name(table)}", 0
    while True:
        ask = encoding.exact_rows(f"{select} LIMIT {_PAGE} OFFSET {page * _PAGE}", len(names))
        texts = api.batch(source, [(ask, [])])[0]["rows"]
        yield from (encoding.row(json.loads(text)) for (text,) in texts)
        if len(texts) < _PAGE:
            return
        page += 1


def _chunks(rows: Iterator[Row]) -> Iterator[str]:
    """JSON arrays of rows; each row as its cells, and the indices of those that are BLOBs in hexadecimal digits."""
    lines, size = list[str](), 0
    for row in rows:
        cells: list[Value] = [v.hex() if isinstance(v, bytes) else v for v in row]
        blobs = [i for i, v in enumerate(row) if isinstance(v, bytes)]
        line = json.dumps([cells, blobs], ensure_ascii=False)
        length = len(line.encode())
        if lines and size + length > _BYTES:
            yield f"[{','.join(lines)}]"
            lines, size = [], 0
        lines.append(line)
        size += length
    if lines:
        yield f"[{','.join(lines)}]"
