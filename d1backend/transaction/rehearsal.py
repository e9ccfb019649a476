"""Rehearsals: the database runs a transaction's script and answers a question, and a failure at the end undoes it."""

import json
import re

from d1backend.errors import (
    CarriedResult,
    IntegrityError,
    InternalError,
    NotSupportedError,
    SchemaChangedError,
)
from d1backend.protocol import encoding, schema_version
from d1backend.protocol.api import Statement
from d1backend.sql import pragmas
from d1backend.sql.tokenizer import Parsed, parse, tokens_of
from d1backend.sql.values import Row, quote_name
from d1backend.transaction.script import Known, Script, Write, without_guards
from d1backend.transaction.session import NamedRows, Session

# What any write changes.
OF_ALL_WRITES = frozenset(["sqlite_sequence", "last_insert_rowid", "changes", "total_changes"])
# A view numbers the columns of one name: id, id:1, id:2.
_NUMBER = re.compile(r":\d+$")
_RETURNED = (
    "SELECT changes(), last_insert_rowid(), "
    '(SELECT json_group_array(r) FROM (SELECT r FROM "_d1_out" ORDER BY n))'
)


class Rehearsal:
    """Answers questions about the script of a session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def rows(
        self,
        script: Script,
        names: frozenset[str] | None,
        sql: str,
        bound: list[str],
        count: int,
        length: int | None = None,
    ) -> list[Row]:
        """The rows of a SELECT of `count` columns as if the script (its first `length` statements) were applied.

        Only the statements are rehearsed that a question about `names` may depend on (None: all of them). The rows
        are kept until the script changes. Raises what the statements raise.
        """
        key = (sql, tuple(bound))
        if length is None and key in script.rehearsed:
            return script.rehearsed[key]

        def ask() -> tuple[list[Write], list[Row]]:
            writes = script.relevant(names, self._session.known_catalog, length)
            return writes, self._run(script, writes, [], sql, bound, count)

        writes, rows = self._session.on_current_catalog(ask)
        for write in writes:
            write.known |= Known.REHEARSED
        if length is None:
            script.rehearsed[key] = rows
        return rows

    def read_rows(self, script: Script, parsed: Parsed, sql: str, bound: list[str]) -> NamedRows:
        """Names and rows of any statement that only reads."""
        if parsed.kind == "pragma":
            select = pragmas.as_select(sql)
            if select is None:
                raise NotSupportedError(
                    f"This PRAGMA cannot be read after a write in the same transaction: {sql}"
                )
            return list(select[1]), self.rows(script, None, select[0], [], len(select[1]))
        names = self.column_names(script, parsed, sql, bound)
        # A question about what all writes change depends on all of them.
        about = parsed.names if parsed.names.isdisjoint(OF_ALL_WRITES) else None
        return names, self.rows(script, about, sql, bound, len(names))

    def column_names(self, script: Script, parsed: Parsed, sql: str, bound: list[str]) -> list[str]:
        """The names of a SELECT's columns; the database is asked what a star stands for, as the catalog may be old."""
        if script.has_schema:
            return self._new_column_names(script, parsed, sql, bound)
        if not parsed.starred:
            known = self._session.catalog().result_columns(sql)
            return [c.name for c in known] if known else [c.name or "" for c in parsed.columns or ()]
        # A subquery would number the columns of one name.
        limit = "" if any(t.upper == "LIMIT" and t.depth == 0 for t in tokens_of(sql)) else " LIMIT 0"
        return self._session.read_batch([(sql + limit, bound)])[0]["columns"]

    def _new_column_names(self, script: Script, parsed: Parsed, sql: str, bound: list[str]) -> list[str]:
        """The names of a SELECT's columns after a change of the schema: a star stands for a view's columns."""
        if not parsed.starred:
            return [c.name or "" for c in parsed.columns or ()]
        if bound:
            raise NotSupportedError(
                "After a change of the schema in the same transaction, name the columns instead of using *."
            )
        view: list[Statement] = [(f'CREATE VIEW "_d1_view" AS {sql}', [])]
        ask = "SELECT name FROM pragma_table_info('_d1_view')"
        names = list[str]()
        for (name,) in self._run(script, script.writes, view, ask, [], 1):
            base = _NUMBER.sub("", name)
            names.append(base if base in names else name)
        return names

    def find_outcome(self, script: Script, write: Write, length: int) -> None:
        """Find a write's row count and last rowid; the write is the last of the first `length`."""
        ((write.count, write.last_id),) = self.rows(
            script, write.parsed.names, "SELECT changes(), last_insert_rowid()", [], 2, length
        )

    def raise_errors(self, script: Script, since: int = 0) -> None:
        """Raise now what the statements after the first `since` would raise at the commit."""
        shown = Known.REHEARSED | Known.CERTAIN
        unknown = [w for w in script.writes[since:] if w.sql and not w.known & shown]
        if unknown:
            names = frozenset[str]().union(*(write.parsed.names for write in unknown))
            self.rows(script, names, "SELECT 1", [], 1)

    def write_returning(self, script: Script, sql: str, bound: list[str]) -> tuple[Write, list[Row]]:
        """Rehearse a statement with RETURNING: a trigger notes the rows that the statement touches.

        Returns the statement without its RETURNING, for the script, and the rows.
        """
        parsed = parse.uncached(sql)
        assert parsed.columns is not None
        if parsed.starred or any("?" in c.sql for c in parsed.columns):
            raise NotSupportedError(
                "RETURNING inside atomic() takes the names of columns, no * and no parameters."
            )
        body = sql[: parsed.returning_at].rstrip()
        table = quote_name(parsed.table or "")
        row = encoding.row_of([c.sql for c in parsed.columns])
        note = f'BEGIN INSERT INTO "_d1_out" (r) SELECT {row} FROM {table} WHERE rowid ='
        statements: list[Statement] = [('CREATE TABLE "_d1_out" (n INTEGER PRIMARY KEY, r TEXT)', [])]
        deletes = parsed.verb == "DELETE"
        for event in ("BEFORE DELETE",) if deletes else ("AFTER INSERT", "AFTER UPDATE"):
            name = f'"_d1_{event.replace(" ", "_").lower()}"'
            when = f"{event} ON {table} {note} {'OLD' if deletes else 'NEW'}.rowid; END"
            statements.append((f"CREATE TRIGGER {name} {when}", []))
        statements.append((body, bound))

        def ask() -> list[Row]:
            writes = script.relevant(parsed.names, self._session.known_catalog, None)
            return self._run(script, writes, statements, _RETURNED, [], 3)

        ((count, last_id, texts),) = self._session.on_current_catalog(ask)
        inserts = parsed.verb in ("INSERT", "REPLACE")
        known = Known.REHEARSED | (Known.OBSERVED if inserts else Known.COUNT_OBSERVED)
        write = Write(body, bound, parsed, count=count, last_id=last_id, known=known)
        return write, [encoding.row(json.loads(text)) for text in json.loads(texts)]

    def _run(
        self,
        script: Script,
        writes: list[Write],
        statements: list[Statement],
        sql: str,
        bound: list[str],
        count: int,
    ) -> list[Row]:
        """The rows of a SELECT after these writes of the script and after further statements."""
        batch = [*without_guards(writes), *statements, (encoding.carrier(sql, count), bound)]
        catalog = self._session.known_catalog
        if catalog is not None and not script.has_schema:
            # The catalog has chosen the writes.
            batch.insert(0, schema_version.guard(catalog.version))
        try:
            self._session.api.batch(self._session.database, batch)
        except SchemaChangedError:
            self._session.forget_catalog()
            raise
        except CarriedResult as carried:
            return encoding.carried(carried.text)
        except IntegrityError as error:
            unknown = [write for write in writes if Known.REHEARSED not in write.known]
            raise script.explain_collision(error, self._session.identity, unknown) from error
        raise InternalError("A rehearsal did not fail at its end, so it may have been written.")
