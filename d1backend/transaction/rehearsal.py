"""Rehearsals: what a transaction's script would give, asked of the database and undone by the failure
that ends it."""

import json

from d1backend.errors import CarriedResult, IntegrityError, InternalError, NotSupportedError
from d1backend.protocol import encoding
from d1backend.protocol.api import Statement
from d1backend.sql import pragmas
from d1backend.sql.tokenizer import Parsed, parse
from d1backend.sql.values import quote_name
from d1backend.transaction.script import Script, Write, rehearsed
from d1backend.transaction.session import Rows, Session

# What any write moves.
OF_ALL_WRITES = frozenset(["sqlite_sequence", "last_insert_rowid", "changes", "total_changes"])
_NOTED = (
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
    ) -> Rows:
        """The rows of a SELECT of `count` columns as if the script (its first `length` statements) were applied.

        Only the statements that what stands under `names` may depend on are rehearsed (None: all of them). An
        answer is kept until the script changes. Raises what the statements raise.
        """
        key = (sql, tuple(bound))
        if length is None and key in script.answers:
            return script.answers[key]
        writes = script.relevant(names, self._session.known_catalog, length)
        rows = self._carry(script, writes, [], sql, bound, count)
        for write in writes:
            write.proven = True
        if length is None:
            script.answers[key] = rows
        return rows

    def read(self, script: Script, parsed: Parsed, sql: str, bound: list[str]) -> tuple[list[str], Rows]:
        """Names and rows of any statement that only reads."""
        if parsed.kind == "pragma":
            select = pragmas.as_select(sql)
            if select is None:
                raise NotSupportedError(
                    f"This PRAGMA cannot be asked after a write in the same transaction: {sql}"
                )
            return list(select[1]), self.rows(script, None, select[0], [], len(select[1]))
        names = self.names(script, parsed, sql, bound)
        return names, self.rows(script, _asked(parsed), sql, bound, len(names))

    def names(self, script: Script, parsed: Parsed, sql: str, bound: list[str]) -> list[str]:
        """The names of a SELECT's columns; a star is asked of the database."""
        if parsed.columns is not None and not parsed.starred:
            return [c.name or "" for c in parsed.columns]
        text = sql.strip().rstrip(";")
        if not script.has_schema:
            return self._session.ask([(f"SELECT * FROM ({text}) LIMIT 0", bound)])[0]["columns"]
        if bound:
            raise NotSupportedError(
                "After a change of the schema in the same transaction, name the columns instead of using *."
            )
        view: list[Statement] = [(f'CREATE VIEW "_d1_view" AS {text}', [])]
        ask = "SELECT name FROM pragma_table_info('_d1_view')"
        return [name for (name,) in self._carry(script, script.writes, view, ask, [], 1)]

    def outcome(self, script: Script, write: Write, length: int) -> None:
        """Find a write's row count and last rowid; the write is the last of the first `length`."""
        ((write.count, write.last_id),) = self.rows(
            script, write.parsed.names, "SELECT changes(), last_insert_rowid()", [], 2, length
        )

    def prove(self, script: Script, since: int = 0) -> None:
        """Let errors of the statements after the first `since` show now."""
        open_ = [w for w in script.writes[since:] if w.sql and not w.proven and not w.sure]
        if open_:
            names = frozenset[str]().union(*(write.parsed.names for write in open_))
            self.rows(script, names, "SELECT 1", [], 1)

    def returning(self, script: Script, sql: str, bound: list[str]) -> tuple[Write, Rows]:
        """RETURNING in a script: a trigger of the rehearsal notes the rows that the statement touches.

        Returns the statement without its RETURNING, for the script, and the rows.
        """
        parsed = parse.__wrapped__(sql)
        assert parsed.columns is not None
        if parsed.starred or any("?" in c.sql for c in parsed.columns):
            raise NotSupportedError(
                "RETURNING inside atomic() takes the names of columns, no * and no parameters."
            )
        body = sql[: parsed.returning_at].rstrip()
        table = quote_name(parsed.table or "")
        row = encoding.row_of([c.sql for c in parsed.columns])
        note = f'BEGIN INSERT INTO "_d1_out" (r) SELECT {row} FROM {table} WHERE rowid ='
        writes = script.relevant(parsed.names, self._session.known_catalog, None)
        statements: list[Statement] = [('CREATE TABLE "_d1_out" (n INTEGER PRIMARY KEY, r TEXT)', [])]
        deletes = parsed.verb == "DELETE"
        for event in ("BEFORE DELETE",) if deletes else ("AFTER INSERT", "AFTER UPDATE"):
            name = f'"_d1_{event.replace(" ", "_").lower()}"'
            when = f"{event} ON {table} {note} {'OLD' if deletes else 'NEW'}.rowid; END"
            statements.append((f"CREATE TRIGGER {name} {when}", []))
        statements.append((body, bound))
        ((count, last_id, texts),) = self._carry(script, writes, statements, _NOTED, [], 3)
        write = Write(body, bound, parsed, count=count, last_id=last_id, told=True, proven=True)
        write.told_id = parsed.verb in ("INSERT", "REPLACE")
        return write, [encoding.row(json.loads(text)) for text in json.loads(texts)]

    def _carry(
        self,
        script: Script,
        writes: list[Write],
        statements: list[Statement],
        sql: str,
        bound: list[str],
        count: int,
    ) -> Rows:
        """The rows of a SELECT after these writes of the script and after further statements."""
        batch = [*rehearsed(writes), *statements, (encoding.carrier(sql, count), bound)]
        try:
            self._session.api.batch(self._session.database, batch)
        except CarriedResult as carried:
            return encoding.carried(carried.text)
        except IntegrityError as error:
            open_ = [write for write in writes if not write.proven]
            raise script.collision(error, self._session.identity, open_) from error
        raise InternalError("A rehearsal ended without its failure; nothing of it should have been written.")


def _asked(parsed: Parsed) -> frozenset[str] | None:
    """The names that a question depends on; None when it may depend on any write."""
    return parsed.names if parsed.names.isdisjoint(OF_ALL_WRITES) else None
