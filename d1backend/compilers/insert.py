"""INSERT: many rows travel as one JSON text, and keys inside a transaction come from blocks reserved ahead."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import AutoField, Field
from django.db.models.constants import OnConflict
from django.db.models.expressions import Expression
from django.db.models.options import Options

from d1backend.compilers import base
from d1backend.errors import KeyTaken
from d1backend.protocol.api import Statement
from d1backend.protocol.parameters import JsonText, bind
from d1backend.sql.values import Row, stored_value
from d1backend.transaction import keys
from d1backend.transaction.hints import Hint, HintedSQL
from d1backend.transaction.interface import D1Connection

# Bytes of one JSON text; D1 takes values of 2 MB.
_MAX_JSON = 1_000_000
_ROWS_WITH_EXPRESSIONS = 50


@dataclass
class Cells:
    """The columns of an INSERT, and each row's placeholders and parameters."""

    columns: list[str]
    holders: list[Row]
    params: list[Row]

    @property
    def plain(self) -> bool:
        """Whether all values are parameters, none an expression."""
        return all(holder == "%s" for row in self.holders for holder in row)

    def written(self) -> tuple[frozenset[str] | None, frozenset[str]]:
        """The columns in lower case (None when a value is an expression), and those in which some row has a NULL."""
        if not self.plain:
            return None, frozenset()
        columns = [column.lower() for column in self.columns]
        nulls = {
            column for row in self.params for column, value in zip(columns, row, strict=True) if value is None
        }
        return frozenset(columns), frozenset(nulls)


class SQLInsertCompiler(base.SQLInsertCompiler):
    """Compiles and runs INSERT."""

    query: Any
    # By field with a database default: the values that the application has seen, one for each object.
    _observed: Mapping[Field, list[models.Value]] = {}

    def execute_sql(  # type: ignore[override]
        self, returning_fields: Sequence[Field] | None = None
    ) -> list[Row]:
        """Insert the query's objects and return the values of `returning_fields` for each."""
        self.returning_fields = returning_fields
        try:
            return self._insert(returning_fields)
        except KeyTaken:
            # In a transaction the application may have used the key: the transaction has to run again.
            if self._connection.script is not None:
                raise
        return self._insert(returning_fields, reserved=False)

    def _insert(self, returning_fields: Sequence[Field] | None, *, reserved: bool = True) -> list[Row]:
        """Insert, with reserved keys where there are some and `reserved` allows it."""
        meta = self.query.get_meta()
        with self.connection.cursor() as cursor:
            with self.connection.wrap_database_errors:
                own_keys = self._new_keys(meta) if reserved else None
            known = self._known_keys(meta) if own_keys is None else own_keys
            only_key = known is not None and list(returning_fields or ()) == [meta.pk]
            rows: list[Row] = [(key,) for key in known or ()] if only_key else []
            script = self._connection.script
            start = len(script.writes) if script is not None else 0
            cells = self._cells(meta, own_keys)
            hint = self._hint(meta, own_keys, cells, only_key=only_key)
            for sql, params in self._statements(meta, cells, returning=True):
                cursor.execute(HintedSQL(sql, hint), params)
                if returning_fields and not only_key:
                    rows += cursor.fetchall()
            if script is not None and returning_fields and not only_key:
                script.replace_text(start, self._with_observed_defaults(meta, own_keys, rows))
        if not returning_fields:
            return []
        cols: list[Expression] = [field.get_col(meta.db_table) for field in returning_fields]
        converters = self.get_converters(cols)
        return [tuple(row) for row in self.apply_converters(rows, converters)] if converters else rows

    def as_sql(self) -> list[tuple[str, Row]]:  # type: ignore[override]
        meta = self.query.get_meta()
        return list(self._statements(meta, self._cells(meta, None), returning=True))

    @property
    def _connection(self) -> D1Connection:
        return self.connection.connection

    @property
    def _ops(self) -> Any:
        # The stubs of a later Django lack return_insert_columns().
        return self.connection.ops

    def _new_keys(self, meta: Options) -> list[int] | None:
        """Keys for the rows, when this backend chooses them."""
        pk = meta.pk
        if not isinstance(pk, AutoField) or self.query.on_conflict is not None:
            return None
        if pk in self.query.fields:
            given = [pk.get_prep_value(key) for key in self._given_keys(meta)]
            keys.used_elsewhere(self._connection.identity, meta.db_table, given)
            return None
        if pk not in (self.returning_fields or ()):
            return None
        return self._connection.new_keys(meta.db_table, str(pk.column), len(self.query.objs))

    def _with_observed_defaults(
        self, meta: Options, own_keys: list[int] | None, rows: list[Row]
    ) -> list[Statement]:
        """The INSERT with the defaults that the rehearsal computed, so that the commit stores what was observed."""
        self._observed = {
            field: [models.Value(row[i]) for row in rows]
            for i, field in enumerate(self.returning_fields or ())
            if field in self.query.fields and field.has_db_default()
        }
        if len(rows) != len(self.query.objs) or not self._observed:
            return []
        try:
            cells = self._cells(meta, own_keys)
            return [bind(sql, params) for sql, params in self._statements(meta, cells, returning=False)]
        finally:
            self._observed = {}

    def _given_keys(self, meta: Options) -> list[int | str]:
        values = [getattr(obj, meta.pk.attname, None) for obj in self.query.objs]
        return [value for value in values if isinstance(value, int | str)]

    def _known_keys(self, meta: Options) -> list[int] | None:
        """The keys of the objects, when all of them have one and it will be stored."""
        if meta.pk not in self.query.fields or self.query.on_conflict is not None:
            return None
        given = [getattr(obj, meta.pk.attname) for obj in self.query.objs]
        return given if all(type(key) is int for key in given) else None

    def _hint(self, meta: Options, own_keys: list[int] | None, cells: Cells, *, only_key: bool) -> Hint:
        columns, nulls = cells.written()
        if self.query.on_conflict is not None or meta.pk is None or meta.pk.column is None:
            ignoring = self.query.on_conflict is OnConflict.IGNORE
            return Hint(columns=columns if ignoring else None, ignoring=ignoring)
        made = self._given_keys(meta) if own_keys is None else own_keys
        return Hint(
            reserved=meta.pk.column if own_keys is not None else None,
            makes=frozenset((meta.db_table.lower(), meta.pk.column, key) for key in made),
            returning=f" {self._returning()[0]}" if only_key else "",
            columns=columns,
            nulls=nulls,
            chosen=only_key and own_keys is None,
        )

    def _returning(self) -> tuple[str, Row]:
        return self._ops.return_insert_columns(self.returning_fields) if self.returning_fields else ("", ())

    def _statements(self, meta: Options, cells: Cells, *, returning: bool) -> Iterator[tuple[str, Row]]:
        """The INSERT as one statement, or as several when the rows are too large for one."""
        ops, query = self._ops, self.query
        names = ", ".join(ops.quote_name(column) for column in cells.columns)
        head = (
            f"{ops.insert_statement(on_conflict=query.on_conflict)} {ops.quote_name(meta.db_table)} ({names})"
        )
        suffix = ops.on_conflict_suffix_sql(
            list(query.fields),
            query.on_conflict,
            (f.column for f in query.update_fields),
            (f.column for f in query.unique_fields),
        )
        tail, self.returning_params = self._returning() if returning else ("", ())
        packed = _pack(cells.params) if len(cells.holders) > 1 and cells.plain else None
        if packed is None:
            for values, flat in _values(cells.holders, cells.params):
                yield " ".join(filter(None, (head, values, suffix, tail))), (*flat, *self.returning_params)
            return
        select, texts = packed
        if suffix:
            # Without WHERE, SQLite reads ON CONFLICT as the ON of a join.
            select += " WHERE TRUE"
        for text in texts:
            yield " ".join(filter(None, (head, select, suffix, tail))), (text, *self.returning_params)

    def _cells(self, meta: Options, own_keys: list[int] | None) -> Cells:
        fields = list(self.query.fields)
        values = [
            [
                self._observed[field][i]
                if field in self._observed
                else self.prepare_value(field, self.pre_save_val(field, obj))
                for field in fields
            ]
            for i, obj in enumerate(self.query.objs)
        ]
        columns = [field.column for field in fields]
        holders: list[Row] = [() for _ in values]
        params: list[Row] = [() for _ in values]
        if fields:
            holder_rows, param_rows = self.assemble_as_sql(fields, values)
            holders, params = [tuple(row) for row in holder_rows], [tuple(row) for row in param_rows]
        if own_keys is not None:
            columns = [meta.pk.column, *columns]
            holders = [("%s", *row) for row in holders]
            params = [(key, *row) for key, row in zip(own_keys, params, strict=True)]
        elif not columns:
            columns, holders = [meta.pk.column], [("NULL",) for _ in values]
        return Cells(columns, holders, params)


def _values(holders: list[Row], params: list[Row]) -> Iterator[tuple[str, Row]]:
    """VALUES for rows with expressions, a limited number in each statement."""
    step = _ROWS_WITH_EXPRESSIONS
    for i in range(0, len(holders), step):
        rows = ", ".join(f"({', '.join(map(str, row))})" for row in holders[i : i + step])
        yield f"VALUES {rows}", tuple(p for row in params[i : i + step] for p in row)


def _pack(rows: Sequence[Row]) -> tuple[str, list[JsonText]] | None:
    """A SELECT over json_each() that returns these rows, and its JSON texts; None when JSON cannot hold them."""
    plain_rows = [[stored_value(value) for value in row] for row in rows]
    cells = []
    for i in range(len(plain_rows[0])):
        kinds = {type(row[i]) for row in plain_rows} - {type(None)}
        if bytes in kinds and kinds != {bytes}:
            return None
        if any(isinstance(cell := row[i], float) and math.isinf(cell) for row in plain_rows):
            return None
        cells.append(f"unhex(value ->> {i})" if bytes in kinds else f"value ->> {i}")
    texts: list[JsonText] = []
    lines: list[str] = []
    size = 0
    for row in plain_rows:
        line = json.dumps([v.hex() if isinstance(v, bytes) else v for v in row], ensure_ascii=False)
        length = len(line.encode()) + 1
        if lines and size + length > _MAX_JSON:
            texts.append(JsonText(f"[{','.join(lines)}]"))
            lines, size = [], 0
        lines.append(line)
        size += length
    texts.append(JsonText(f"[{','.join(lines)}]"))
    return f"SELECT {', '.join(cells)} FROM json_each(%s)", texts
