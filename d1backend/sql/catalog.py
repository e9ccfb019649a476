"""What the schema says about tables: their columns, whether they can reject a row, and what else a write to them
changes through views, triggers and cascading foreign keys."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from d1backend.errors import MissingError
from d1backend.sql.converters import ColumnConverters
from d1backend.sql.tokenizer import tokens_of

_OWN = "name GLOB '_d1_*' OR name GLOB '_cf_*'"
# One scan for what belongs to each table: a subquery for each table would read the schema as often as it has tables.
QUERY = (
    "WITH parts AS MATERIALIZED (SELECT tbl_name, max(sql LIKE 'CREATE UNIQUE%') AS uniq, "
    "max(type = 'trigger' OR type = 'index' AND sql LIKE '%(%(%') AS checks FROM sqlite_master "
    "WHERE type IN ('index', 'trigger') GROUP BY tbl_name) "
    "SELECT type, name, tbl_name, sql, NULL, NULL FROM sqlite_master "
    f"WHERE NOT ({_OWN}) AND (type IN ('view', 'trigger') OR type = 'table' AND sql LIKE '%REFERENCES%ON %') "
    "UNION ALL "
    "SELECT 'columns', name, '', "
    '(SELECT json_group_array(json_array(name, type, "notnull", pk, hidden)) '
    "FROM pragma_table_xinfo(m.name)), "
    "sql LIKE '%UNIQUE%' OR sql LIKE '%CHECK%' OR coalesce(p.uniq, 0), "
    "sql LIKE '%STRICT%' OR sql LIKE '%VIRTUAL%' OR coalesce(p.checks, 0) "
    f"FROM sqlite_master m LEFT JOIN parts p ON p.tbl_name = m.name WHERE type = 'table' AND NOT ({_OWN})"
)


@dataclass(frozen=True)
class Column:
    """A column's declared type, whether it is NOT NULL, and its place in the primary key (0: none)."""

    type: str
    required: bool
    key: int


@dataclass(frozen=True)
class Table:
    """A table's columns by name. `constrained`: UNIQUE or CHECK may reject a row. `may_reject`: something else may, a
    trigger or an index on an expression."""

    columns: dict[str, Column]
    constrained: bool
    may_reject: bool

    def will_succeed(
        self,
        columns: frozenset[str],
        nulls: frozenset[str],
        new_key: str | None,
        *,
        inserts: bool,
        ignoring: bool,
    ) -> bool | None:
        """Whether an INSERT or UPDATE of plain values succeeds: True and False are certain, None is unknown.

        `columns` are those written, `nulls` those of them that get a NULL, `new_key` the column whose value no row has
        yet; with `ignoring`, rows that break a constraint are skipped.
        """
        if not columns <= self.columns.keys():
            return None
        keys = {name for name, column in self.columns.items() if column.key}
        rowid = {name for name in keys if len(keys) == 1 and self.columns[name].type == "integer"}
        required = {name for name, column in self.columns.items() if column.required} - rowid
        if required & nulls and not ignoring:
            return False
        if self.may_reject or (self.constrained and not ignoring) or (inserts and not required <= columns):
            return None
        return True if ignoring or not keys & columns or {new_key} == keys & rowid else None


class Catalog:
    """The tables, views, triggers and cascades of a database, from the rows of `QUERY`, and the schema's version."""

    def __init__(self, rows: Iterable[Sequence[Any]], version: str | None = None) -> None:
        self.version = version
        self.tables: dict[str, Table] = {}
        self._links: list[tuple[frozenset[str], frozenset[str]]] = []
        self._reached: dict[frozenset[str], frozenset[str]] = {}
        for kind, name, table, text, constrained, may_reject in rows:
            name, table = name.lower(), table.lower()
            if kind == "columns":
                self.tables[name] = _table(json.loads(text), bool(constrained), bool(may_reject))
                continue
            names = _names(text)
            if kind == "trigger":
                self._links.append((frozenset([table]), names))
            else:
                # A view changes with what it reads, a table with cascades with what it refers to.
                self._links.append((names - {name}, frozenset([name])))
        self.converters = ColumnConverters(
            {name: {c: column.type for c, column in t.columns.items()} for name, t in self.tables.items()}
        )

    def has(self, missing: MissingError) -> bool:
        """Whether the table or column is here that an error says is missing."""
        if missing.table is not None:
            return missing.table.lower() in self.tables
        column = str(missing).removeprefix("no such column: ").rpartition(".")[2].lower()
        return any(column in table.columns for table in self.tables.values())

    def reach(self, tables: frozenset[str]) -> frozenset[str]:
        """All names whose rows may have changed when these tables were written (lower case)."""
        if not self._links:
            return tables
        if tables not in self._reached:
            self._reached[tables] = self._follow(tables)
        return self._reached[tables]

    def _follow(self, tables: frozenset[str]) -> frozenset[str]:
        reached, before = set(tables), -1
        while len(reached) != before:
            before = len(reached)
            for sources, targets in self._links:
                if sources & reached:
                    reached |= targets
        return frozenset(reached)


def _table(columns: list[tuple[str, str, int, int, int]], constrained: bool, may_reject: bool) -> Table:
    return Table(
        {name.lower(): Column(kind.lower(), bool(required), key) for name, kind, required, key, _ in columns},
        constrained,
        may_reject or any(hidden for *_, hidden in columns),
    )


def _names(sql: str) -> frozenset[str]:
    return frozenset(t.name.lower() for t in tokens_of(sql) if t.kind in ("word", "quoted"))
