"""INSERT: rows travel as one JSON text, and keys inside a transaction come from blocks reserved ahead."""

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import AutoField
from django.db.models.constants import OnConflict

from . import compiler
from .connection import Connection
from .parameters import JsonText, plain

# D1 takes values of 2 MB; a text of this many characters stays below it in most scripts.
_MAX_JSON = 1_000_000
_ROWS_WITH_EXPRESSIONS = 50


class SQLInsertCompiler(compiler.SQLInsertCompiler):
    """Compiles and runs INSERT."""

    def execute_sql(self, returning_fields: Sequence[Any] | None = None) -> list[Any]:
        """Insert the query's objects and return the values of `returning_fields` for each."""
        opts = self.query.get_meta()
        self.returning_fields = returning_fields
        with self.connection.cursor() as cursor:
            connection: Connection = self.connection.connection
            pk = opts.pk
            self._note_explicit(connection, opts)
            keys = self._keys(connection, opts, returning_fields)
            only_key = keys is not None and returning_fields is not None and list(returning_fields) == [pk]
            rows: list[Any] = []
            for sql, params in self._statements(opts, keys, returning=not only_key):
                inner = getattr(cursor, "cursor", cursor)
                inner.reserved = pk.column if keys is not None else None
                try:
                    cursor.execute(sql, params)
                finally:
                    inner.reserved = None
                if returning_fields and not only_key:
                    rows += cursor.fetchall()
            if not returning_fields:
                return []
            if keys is not None and only_key:
                rows = [(key,) for key in keys]
        cols = [field.get_col(opts.db_table) for field in returning_fields]
        converters = self.get_converters(cols)
        return list(self.apply_converters(rows, converters)) if converters else rows

    def as_sql(self) -> list[tuple[str, tuple[Any, ...]]]:
        return list(self._statements(self.query.get_meta(), None, returning=bool(self.returning_fields)))

    def _keys(self, connection: Connection, opts: Any, returning: Sequence[Any] | None) -> list[int] | None:
        pk = opts.pk
        if not returning or pk not in returning or not isinstance(pk, AutoField):
            return None
        if self.query.on_conflict is not None or pk in self.query.fields or opts.auto_field is not pk:
            return None
        return connection.new_keys(opts.db_table, pk.column, len(self.query.objs))

    def _note_explicit(self, connection: Connection, opts: Any) -> None:
        pk = opts.pk
        if isinstance(pk, AutoField) and pk in self.query.fields:
            values = [getattr(obj, pk.attname, None) for obj in self.query.objs]
            connection.explicit_keys(opts.db_table, [v for v in values if isinstance(v, int)])

    def _statements(
        self, opts: Any, keys: list[int] | None, *, returning: bool
    ) -> Iterator[tuple[str, tuple[Any, ...]]]:
        query, ops, qn = self.query, self.connection.ops, self.connection.ops.quote_name
        fields = list(query.fields)
        suffix = ops.on_conflict_suffix_sql(
            fields,
            query.on_conflict,
            (f.column for f in query.update_fields),
            (f.column for f in query.unique_fields),
        )
        if query.on_conflict == OnConflict.UPDATE and not suffix:
            suffix = ""
        tail, self.returning_params = (
            ops.return_insert_columns(self.returning_fields)
            if returning and self.returning_fields
            else ("", ())
        )
        if fields:
            values = [
                [self.prepare_value(f, self.pre_save_val(f, obj)) for f in fields] for obj in query.objs
            ]
            holders, params = self.assemble_as_sql(fields, values)
        else:
            holders, params = [() for _ in query.objs], [() for _ in query.objs]
        columns = [f.column for f in fields]
        if keys is not None:
            columns = [opts.pk.column, *columns]
            holders = [("%s", *row) for row in holders]
            params = [(key, *row) for key, row in zip(keys, params, strict=True)]
        elif not columns:
            columns = [opts.pk.column]
            holders, params = [("NULL",) for _ in query.objs], [() for _ in query.objs]
        head = f"{ops.insert_statement(on_conflict=query.on_conflict)} {qn(opts.db_table)} ({', '.join(map(qn, columns))})"
        simple = len(holders) > 1 and all(h == "%s" for row in holders for h in row)
        packed = _pack(params) if simple else None
        if packed is not None:
            select, texts = packed
            where = "WHERE TRUE " if suffix else ""
            for text in texts:
                yield f"{head} {select} {where}{suffix} {tail}".rstrip(), (text, *self.returning_params)
            return
        step = len(holders) if len(holders) <= _ROWS_WITH_EXPRESSIONS else _ROWS_WITH_EXPRESSIONS
        for i in range(0, len(holders), step):
            rows = ", ".join(f"({', '.join(map(str, row))})" for row in holders[i : i + step])
            flat = tuple(p for row in params[i : i + step] for p in row)
            yield (
                " ".join(p for p in (head, "VALUES", rows, suffix, tail) if p),
                (*flat, *self.returning_params),
            )


def _pack(rows: Sequence[Sequence[Any]]) -> tuple[str, list[JsonText]] | None:
    """A SELECT over json_each() that gives these rows, and its JSON texts; None when JSON cannot hold them."""
    plain_rows = [[plain(value) for value in row] for row in rows]
    width = len(plain_rows[0])
    blobs = []
    for i in range(width):
        kinds = {type(row[i]) for row in plain_rows} - {type(None)}
        if bytes in kinds and kinds != {bytes}:
            return None
        if any(isinstance(row[i], float) and math.isinf(row[i]) for row in plain_rows):
            return None
        blobs.append(bytes in kinds)
    cells = [f"unhex(value ->> {i})" if blobs[i] else f"value ->> {i}" for i in range(width)]
    texts, size, lines = [], 0, []
    for row in plain_rows:
        line = json.dumps([v.hex() if isinstance(v, bytes) else v for v in row], ensure_ascii=False)
        if lines and size + len(line) > _MAX_JSON:
            texts.append(JsonText(f"[{','.join(lines)}]"))
            lines, size = [], 0
        lines.append(line)
        size += len(line) + 1
    texts.append(JsonText(f"[{','.join(lines)}]"))
    return f"SELECT {', '.join(cells)} FROM json_each(%s)", texts
