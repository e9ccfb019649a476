"""What the schema says about tables: their columns, whether they can reject a row, and what else a write to them
changes through views, triggers and cascading foreign keys."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from d1backend.errors import MissingError
from d1backend.sql.parse_cache import ByteCache, size_of_texts
from d1backend.sql.result_columns import Columns, ResultColumn, Schema, result_columns
from d1backend.sql.tokenizer import tokens_of
from d1backend.sql.triggers import LostColumns, Trigger, fired_by, parse_trigger

_OWN = "m.name GLOB '_d1_*' OR m.name GLOB '_cf_*'"
_VIRTUAL = "m.type = 'table' AND m.rootpage = 0"
# Keys and indexes are asked from SQLite, which has parsed them: a text may be written in many ways.
# One scan for what belongs to each table: a subquery for each table would read the schema as often as it has tables.
QUERY = (
    "WITH parts AS MATERIALIZED (SELECT tbl_name, "
    "max(type = 'trigger' OR type = 'index' AND (sql LIKE '%(%(%' OR sql LIKE '%->%')) AS checks FROM sqlite_master "
    "WHERE type IN ('index', 'trigger') GROUP BY tbl_name COLLATE NOCASE) "
    "SELECT m.type, m.name, m.tbl_name, m.sql, NULL, NULL FROM sqlite_master m "
    f"WHERE NOT ({_OWN}) AND (m.type IN ('view', 'trigger') OR {_VIRTUAL}) "
    "UNION ALL "
    "SELECT 'cascade', m.name, f.\"table\", '', NULL, NULL "
    "FROM sqlite_master m, pragma_foreign_key_list(m.name) f "
    f"WHERE m.type = 'table' AND NOT ({_OWN}) "
    "AND NOT (f.on_delete IN ('NO ACTION', 'RESTRICT') AND f.on_update IN ('NO ACTION', 'RESTRICT')) "
    "UNION ALL "
    "SELECT 'columns', m.name, '', "
    '(SELECT json_group_array(json_array(name, type, "notnull", pk, hidden)) '
    "FROM pragma_table_xinfo(m.name)), "
    "m.sql LIKE '%CHECK%' OR EXISTS (SELECT 1 FROM pragma_index_list(m.name) i "
    "WHERE i.\"unique\" AND i.origin <> 'pk'), "
    f"m.sql LIKE '%STRICT%' OR {_VIRTUAL} OR coalesce(p.checks, 0) "
    "FROM sqlite_master m LEFT JOIN parts p ON p.tbl_name = m.name COLLATE NOCASE "
    f"WHERE m.type = 'table' AND NOT ({_OWN})"
)
_HIDDEN = 1
_CACHE_BYTES = 4_000_000


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

    @cached_property
    def keys(self) -> frozenset[str]:
        """The columns of the primary key."""
        return frozenset(name for name, column in self.columns.items() if column.key)

    @cached_property
    def _rowid(self) -> frozenset[str]:
        keys = self.keys
        return frozenset(name for name in keys if len(keys) == 1 and self.columns[name].type == "integer")

    @cached_property
    def _required(self) -> frozenset[str]:
        """The columns that take no NULL; for the rowid, NULL means a new key."""
        return frozenset(name for name, column in self.columns.items() if column.required) - self._rowid

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
        keys, rowid, required = self.keys, self._rowid, self._required
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
        self._triggers = defaultdict[str, list[Trigger]](list)
        self._cascades = defaultdict[str, set[str]](set)
        virtual, views, columns = list[str](), dict[str, str](), dict[str, Columns]()
        for kind, name, table, text, constrained, may_reject in rows:
            name, table = name.lower(), table.lower()
            if kind == "columns":
                found = json.loads(text)
                self.tables[name] = _table(found, bool(constrained), bool(may_reject))
                columns[name] = _result_columns(found)
            elif kind == "cascade":
                self._cascades[table].add(name)
                self._links.append((frozenset([table]), frozenset([name])))
            elif kind == "trigger":
                self._triggers[table].append(parse_trigger(text, table))
                self._links.append((frozenset([table]), _names(text)))
            else:
                # A view changes with what it reads, a full-text table with what it indexes.
                self._links.append((_names(text) - {name}, frozenset([name])))
                if kind == "view":
                    views[name] = text
                else:
                    virtual.append(name)
        for name in virtual:
            shadows = {table for table in self.tables if table.startswith(f"{name}_")}
            self._links.append((frozenset([name]), frozenset(shadows)))
        self._schema = Schema(columns, views)
        # The columns that a statement returns, as far as its text and the schema say.
        self.result_columns = ByteCache(self._result_columns, _size, _CACHE_BYTES)

    def _result_columns(self, sql: str) -> Columns | None:
        return result_columns(sql, self._schema)

    def hides_rows(self, table: str) -> bool:
        """Whether a statement's row count may differ from the rows that are there (lower case)."""
        return table in self._schema.views or any(trigger.hides for trigger in self._triggers.get(table, ()))

    def lost_with(self, table: str, verb: str) -> dict[str, LostColumns]:
        """By table, the columns that lose values through the triggers which a statement fires; None: whole rows."""
        lost: dict[str, LostColumns] = {}
        waiting, seen = [(table, fired_by(verb))], set[tuple[str, frozenset[str]]]()
        while waiting:
            seen.add(now := waiting.pop())
            effects = [e for t in self._triggers.get(now[0], ()) if t.event in now[1] for e in t.effects]
            for effect in effects:
                columns = (
                    None if effect.lost is None else effect.lost | (lost.get(effect.table) or frozenset())
                )
                lost[effect.table] = None if lost.get(effect.table, columns) is None else columns
                waiting.append((effect.table, effect.fires))
                if columns is None or columns & self._keys(effect.table):
                    for child in self._cascades.get(effect.table, ()):
                        lost[child] = None
                        waiting += [(child, fired_by("REPLACE"))]
            waiting = [step for step in waiting if step not in seen]
        return lost

    def _keys(self, table: str) -> frozenset[str]:
        found = self.tables.get(table)
        return found.keys if found else frozenset()

    def has(self, missing: MissingError) -> bool:
        """Whether the table or column is here that an error says is missing."""
        if missing.table is not None:
            return missing.table.lower() in self.tables
        column = str(missing).removeprefix("no such column: ").rpartition(".")[2].lower()
        return any(column in table.columns for table in self.tables.values())

    def is_key(self, table: str, column: str) -> bool:
        """Whether a column is the primary key of a table."""
        found = self.tables.get(table.lower())
        return (
            found is not None and column.lower() in found.columns and found.columns[column.lower()].key == 1
        )

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


def _result_columns(columns: list[tuple[str, str, int, int, int]]) -> Columns:
    keys = [kind.lower() for _, kind, _, key, _ in columns if key]
    return tuple(
        ResultColumn(name, kind.lower(), bool(key) and keys == ["integer"])
        for name, kind, _, key, hidden in columns
        if hidden != _HIDDEN
    )


def _size(sql: str, columns: Columns | None) -> int:
    names = [column.name for column in columns or ()]
    # A column is an object of its own.
    return 200 + 60 * len(names) + size_of_texts([sql, *names])


def _names(sql: str) -> frozenset[str]:
    """All names in a definition; the options of a full-text table name others in strings."""
    return frozenset(t.name.lower() for t in tokens_of(sql) if t.kind in ("word", "quoted", "string"))
