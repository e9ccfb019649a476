"""The rows that a copy takes over from D1, pages of a table and changes since a number: queries and their results."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from d1backend.protocol import encoding
from d1backend.protocol.api import Result, Statement
from d1backend.replica.change_log import LOG, VERSIONS_QUERY, LogState, parse_state, state_query
from d1backend.replica.tables import Row, Shape, TableSchema
from d1backend.sql.values import literal

# One result is of at most so many entries of the log, has at most so many changes, and ends with the row that exceeds
# this many characters of JSON.
_MAX_ENTRIES = 20_000
MAX_CHANGES = 2000
MAX_TEXT = 2_000_000


class NeedsRefill(Exception):
    """The copy cannot be continued and must be filled again.

    `restored` is true when D1 holds an older state than the copy, as after a restore.
    """

    def __init__(self, reason: str, *, restored: bool = False) -> None:
        super().__init__(reason)
        self.restored = restored


class OtherSchema(NeedsRefill):
    """The schema on D1 is not the one that the changes were read for: a sync takes it over first, if it can."""

    def __init__(self) -> None:
        super().__init__("the schema on D1 has changed")


@dataclass(frozen=True)
class Change:
    """An entry of the log: a row that changed, or rows whose counters did.

    `text` has the current values as JSON, None when the row was deleted. `counts`, of an entry for counters, has the
    key and the current counters of each row that its `key` lists. `nonce` differs for a change that got the same number
    after a restore of D1 to an earlier time.
    """

    seq: int
    table: str
    key: str
    nonce: str
    text: str | None
    counts: list[Row] | None

    @property
    def row(self) -> Row | None:
        """The current values. They are not kept: they take half as much memory again as their text."""
        return None if self.text is None else encoding.row(json.loads(self.text))


@dataclass(frozen=True)
class ChangeSet:
    """The changes after the number `since`, read at or after `started` (seconds, time.time()), for a copy's `shape`.

    `anchor` is the nonce of the change `since` itself, while the log has it. `is_complete` is false when there are
    more changes than one result holds. `versions` has the last change of each table by more than counters, when it was
    asked for.
    """

    shape: Shape
    since: int
    started: float
    state: LogState
    changes: list[Change]
    is_complete: bool
    anchor: str | None = None
    versions: dict[str, int] = field(default_factory=dict)

    @property
    def seq(self) -> int:
        """The last number that the log gave."""
        return self.state.seq

    @property
    def fits(self) -> bool:
        """Whether the schema on D1 is the one that the changes were read for."""
        return self.state.is_same and self.state.number == self.shape.number

    @property
    def last_seq(self) -> int:
        """The number that a copy has reached with these changes."""
        return self.seq if self.is_complete else self.changes[-1].seq

    @property
    def next_anchor(self) -> str | None:
        """The anchor that the next changes should have."""
        return self.changes[-1].nonce if self.changes else self.anchor


def changes_query(
    shape: Shape, since: int, *, check_schema: bool = False, versions: bool = False
) -> list[Statement]:
    """Queries for the state of the log and for the current rows that changed after `since`.

    A row that changed several times comes once, with the number of its last change. A row that no longer meets the
    condition of its table comes as one that was deleted. `check_schema` compares the whole schema, not only its
    version; `versions` adds the versions of the tables.
    """
    cases = " ".join(
        f"WHEN {literal(t.name)} THEN (SELECT {t.row_sql} FROM {t.quoted_name} WHERE {t.quoted_key} = c.key{_and(t)})"
        for t in shape.tables.values()
    )
    text = f"CASE tbl {cases} END"
    if counts := " ".join(
        f"WHEN {literal(t.name)} THEN (SELECT json_group_array({t.counts_sql}) FROM {t.quoted_name} "
        f"WHERE {t.quoted_key} IN (SELECT value FROM json_each(c.key)))"
        for t in shape.tables.values()
        if t.quoted_counters
    ):
        text = f"CASE typeof(key) WHEN 'text' THEN CASE tbl {counts} END ELSE {text} END"
    entries = f"SELECT * FROM {LOG} WHERE seq > CAST(?1 AS INTEGER) ORDER BY seq LIMIT {_MAX_ENTRIES}"
    last = f"SELECT max(seq) AS at, tbl, key, nonce FROM ({entries}) GROUP BY tbl, key ORDER BY at LIMIT {MAX_CHANGES}"
    select = f"SELECT at, tbl, key, nonce, {text} AS text FROM ({last}) c"
    return [
        (state_query(shape, compares=check_schema), []),
        (f"SELECT CAST(nonce AS TEXT) FROM {LOG} WHERE seq = CAST(?1 AS INTEGER)", [str(since)]),
        (_limit_text("at, tbl, CAST(key AS TEXT), CAST(nonce AS TEXT), text", select), [str(since)]),
        *([(VERSIONS_QUERY, list[str]())] if versions else []),
    ]


def parse_changes(results: Sequence[Result], shape: Shape, since: int, started: float) -> ChangeSet:
    """The result of changes_query().

    Raises NeedsRefill when the log was never installed.
    """
    state, anchors, rows = parse_state(results[0]["rows"]), results[1]["rows"], results[2]["rows"]
    if state is None:
        raise NeedsRefill("the log of changes on D1 has no state")
    changes = [_parse_change(*values) for values in rows]
    anchor = anchors[0][0] if anchors else None
    versions = {str(table): at for table, at in results[3]["rows"]} if len(results) > 3 else {}
    is_complete = not changes or changes[-1].seq >= state.seq
    return ChangeSet(shape, since, started, state, changes, is_complete, anchor, versions)


def _parse_change(seq: int, table: str, key: str, nonce: str, text: str | None) -> Change:
    if key.startswith("["):
        return Change(seq, table, key, nonce, None, encoding.unpack(text or "[]"))
    return Change(seq, table, key, nonce, text, None)


def page_query(table: TableSchema, after: int | str | None, limit: int) -> Statement:
    """The next rows of a table by key, as exact JSON text; fewer than `limit` when they are long or the last."""
    key = table.quoted_key
    where = f"WHERE {'1' if after is None else f'{key} > {literal(after)}'}{_and(table)}"
    rows = f"SELECT {key} AS at, {table.row_sql} AS text FROM {table.quoted_name} {where}"
    return _limit_text("text", f"{rows} ORDER BY {key} LIMIT {limit}"), []


def count_query(table: TableSchema) -> Statement:
    """The number of rows of a table to copy."""
    return f"SELECT count(*) FROM {table.quoted_name} WHERE 1{_and(table)}", []


def _and(table: TableSchema) -> str:
    """The condition of the rows to copy, after another."""
    return f" AND ({table.only})" if table.only else ""


def _limit_text(columns: str, select: str) -> str:
    """A SELECT that ends with the row whose `text` exceeds MAX_TEXT; it always returns the first row."""
    before = "sum(coalesce(length(text), 0)) OVER (ORDER BY at) - coalesce(length(text), 0)"
    return (
        f"SELECT {columns} FROM (SELECT *, {before} AS before FROM ({select})) "
        f"WHERE before < {MAX_TEXT} ORDER BY at"
    )
