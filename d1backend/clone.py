"""Copies a D1 database into an empty one, for tests in parallel."""

import json

from d1backend.protocol import encoding
from d1backend.protocol.api import Api
from d1backend.sql.values import literal, quote_name

_PAGE = 500


def copy(api: Api, source: str, target: str) -> None:
    """Copy tables, rows, indexes, views and triggers of `source` into `target`."""
    schema = api.batch(
        source,
        [
            (
                "SELECT type, name, sql FROM sqlite_master "
                "WHERE sql IS NOT NULL AND name NOT GLOB 'sqlite_*' "
                "AND name NOT GLOB '_cf_*' ORDER BY type = 'table' DESC, type = 'index' DESC",
                [],
            )
        ],
    )[0]["rows"]
    tables = [(name, sql) for kind, name, sql in schema if kind == "table"]
    api.batch(target, [("PRAGMA defer_foreign_keys=on", []), *((sql, []) for _, sql in tables)])
    statements = [("PRAGMA defer_foreign_keys=on", list[str]())]
    for name, _ in tables:
        statements += _rows(api, source, name)
    if sequences := _rows(api, source, "sqlite_sequence"):
        statements += [("DELETE FROM sqlite_sequence", []), *sequences]
    api.batch(target, [*statements, *((sql, []) for kind, _, sql in schema if kind != "table")])


def _rows(api: Api, source: str, table: str) -> list[tuple[str, list[str]]]:
    quoted = quote_name(table)
    columns = f"SELECT name FROM pragma_table_xinfo({literal(table)}) WHERE hidden = 0"
    names = [quote_name(row[0]) for row in api.batch(source, [(columns, [])])[0]["rows"]]
    if not names:
        return []
    out: list[tuple[str, list[str]]] = []
    select = f"SELECT {', '.join(names)} FROM {quoted}"
    while True:
        page = f"{select} LIMIT {_PAGE} OFFSET {len(out) * _PAGE}"
        body = api.batch(source, [(encoding.exact(page, len(names)), [])])[0]["rows"][0][0]
        rows = encoding.unpack(body)
        if rows:
            cells = [[v.hex() if isinstance(v, bytes) else v for v in row] for row in rows]
            blobs = [[i for i, v in enumerate(row) if isinstance(v, bytes)] for row in rows]
            values = ", ".join(
                f"CASE WHEN EXISTS (SELECT 1 FROM json_each(r.value, '$[1]') b WHERE b.value = {i}) "
                f"THEN unhex(json_extract(r.value, '$[0][{i}]')) ELSE json_extract(r.value, '$[0][{i}]') END"
                for i in range(len(names))
            )
            data = json.dumps([list(pair) for pair in zip(cells, blobs, strict=True)], ensure_ascii=False)
            out.append(
                (f"INSERT INTO {quoted} ({', '.join(names)}) SELECT {values} FROM json_each(?1) r", [data])
            )
        if len(rows) < _PAGE:
            return out
