"""A connection to one D1 database: straight calls, scripts and their rehearsals."""

import json
import re
from collections.abc import Callable
from typing import Any

from . import keys, pragmas, results
from .catalog import QUERY, Catalog
from .cursor import Cursor
from .errors import (
    AlreadyAppliedError,
    CarriedResult,
    IntegrityError,
    InternalError,
    NotSupportedError,
    OperationalError,
    OutcomeUnknown,
    ProgrammingError,
    SerializationFailure,
)
from .http import Api, Settings, Statement
from .marks import CREATE, TABLE, Marks
from .parameters import literal
from .script import Script, Write, stale
from .sqltext import Parsed, parse
from .tail import Tail, is_fault_of

Rows = list[tuple[Any, ...]]
_KEY_TAKEN = re.compile(r"UNIQUE constraint failed: (?P<table>.+)\.(?P<column>[^.]+)")


class Paused(BaseException):
    """A question of gather() waits for the others."""


class Gathering:
    """The questions of a gather() that wait, and the answers that have come."""

    def __init__(self) -> None:
        self.waiting: dict[tuple[str, tuple[str, ...]], None] = {}
        self.answers: dict[tuple[str, tuple[str, ...]], tuple[list[str], Rows]] = {}


class Connection:
    """What Django's wrapper holds as its connection; used by one thread at a time.

    `eager` tells whether an error of a statement must show at once (no block's end will show it); `never_commits`
    whether the transaction belongs to a test case that will roll it back; `new_tail` gives what the next writing
    batch brings along.
    """

    def __init__(
        self,
        settings: Settings,
        database: str,
        eager: Callable[[], bool] = lambda: True,
        never_commits: Callable[[], bool] = lambda: False,
        new_tail: Callable[[], Tail] = Tail,
    ) -> None:
        self.api = Api(settings)
        self.database = database
        self.identity = f"{settings.base_url} {settings.account_id} {database}"
        self.script: Script | None = None
        self.gathering: Gathering | None = None
        self._eager, self._never_commits, self._new_tail = eager, never_commits, new_tail
        self._marks = Marks()
        self._catalog: Catalog | None = None

    def cursor(self) -> Cursor:
        return Cursor(self)

    def close(self) -> None:
        self.script = None
        self.api.close()

    # Reading

    def read(self, parsed: Parsed, sql: str, bound: list[str]) -> tuple[list[str], Rows]:
        """Column names and rows of a statement that only reads, seen from where the transaction stands."""
        if parsed.verb == "EXPLAIN" or self.script is None or not self._depends(parsed):
            return self._straight(sql, bound)
        if parsed.kind == "pragma":
            select = pragmas.as_select(sql)
            if select is None:
                return self._straight(sql, bound)
            return list(select[1]), self.rehearse(select[0], [], len(select[1]))
        names = self._names(parsed, sql, bound)
        return names, self.rehearse(sql, bound, len(names))

    def _straight(self, sql: str, bound: list[str]) -> tuple[list[str], Rows]:
        if self.gathering is not None:
            key = (sql, tuple(bound))
            if key not in self.gathering.answers:
                self.gathering.waiting[key] = None
                raise Paused
            return self.gathering.answers[key]
        return self._received(sql, bound, self._call([(sql, bound)])[0])

    def _received(self, sql: str, bound: list[str], answer: dict[str, Any]) -> tuple[list[str], Rows]:
        """Names and rows of D1's answer; one in which integers have lost digits is asked for again as JSON text."""
        rows, lossy = results.direct(answer["rows"])
        columns = answer["columns"]
        if lossy and not sql.lstrip().upper().startswith(("PRAGMA", "EXPLAIN")):
            text = self._call([(results.exact(sql, len(columns)), bound)])[0]["rows"][0][0]
            rows = results.unpack(text)
        return columns, rows

    def answer(self, gathering: Gathering) -> None:
        """Ask all waiting questions in one batch."""
        asked = [(sql, list(bound)) for sql, bound in gathering.waiting]
        gathering.waiting.clear()
        for (sql, bound), answer in zip(asked, self._call(asked) if asked else [], strict=True):
            gathering.answers[sql, tuple(bound)] = self._received(sql, bound, answer)

    def _call(self, statements: list[Statement]) -> list[dict[str, Any]]:
        """A batch that only reads; the first one of a connection brings the catalog along."""
        if self._catalog is not None:
            return self.api.batch(self.database, statements)
        answers = self.api.batch(self.database, [*statements, (QUERY, [])])
        self._catalog = Catalog(answers.pop()["rows"])
        return answers

    def _depends(self, parsed: Parsed) -> bool:
        script = self.script
        if script is None or not script.writes:
            return False
        if parsed.kind == "pragma" or script.has_schema:
            return True
        if "sqlite_sequence" in parsed.names:
            return True
        if script.tables & parsed.names:
            return True
        if self._catalog is None:
            self._call([("SELECT 1", [])])
        assert self._catalog is not None
        return bool(self._catalog.reach(script.tables) & parsed.names)

    def _names(self, parsed: Parsed, sql: str, bound: list[str]) -> list[str]:
        if parsed.columns is not None and not parsed.starred:
            return [c.name or "" for c in parsed.columns]
        assert self.script is not None
        if not self.script.has_schema:
            text = sql.strip().rstrip(";")
            return self._call([(f"SELECT * FROM ({text}) LIMIT 0", bound)])[0]["columns"]
        if bound:
            raise NotSupportedError(
                "After a change of the schema in the same transaction, name the columns instead of using *."
            )
        view = [*self.script.batch(), (f'CREATE VIEW "_d1_view" AS {sql}', [])]
        return [
            name for (name,) in self._carry(view, "SELECT name FROM pragma_table_info('_d1_view')", [], 1)
        ]

    # Rehearsing

    def rehearse(self, sql: str, bound: list[str], count: int, length: int | None = None) -> Rows:
        """The rows of a SELECT of `count` columns as if the script (its first `length` statements) were applied."""
        script = self.script
        assert script is not None
        whole = length is None or length == len(script.writes)
        key = (sql, tuple(bound))
        if whole and key in script.answers:
            return script.answers[key]
        rows = self._carry(script.batch(length), sql, bound, count)
        script.proven = max(script.proven, len(script.writes) if length is None else length)
        if whole:
            script.answers[key] = rows
        return rows

    def _carry(self, statements: list[Statement], sql: str, bound: list[str], count: int) -> Rows:
        try:
            self.api.batch(self.database, [*statements, (results.carrier(sql, count), bound)])
        except CarriedResult as carried:
            return results.carried(carried.text)
        except IntegrityError as error:
            raise self._collision(error, self.script.proven if self.script else 0) from error
        raise InternalError("A rehearsal ended without its failure; nothing may have been written.")

    def _outcome(self, write: Write, length: int) -> None:
        rows = self.rehearse("SELECT changes(), last_insert_rowid()", [], 2, length)
        write.count, write.last_id = rows[0]

    def told_count(self, write: Write) -> int:
        """A write's row count, which the commit will hold the database to."""
        self._ask(write)
        write.told = True
        return write.count if write.count is not None else -1

    def told_last_id(self, write: Write) -> int | None:
        self._ask(write)
        write.told_id = True
        return write.last_id

    def _ask(self, write: Write) -> None:
        if write.count is None and self.script is not None and write.parsed.kind == "write":
            at = next((i for i, w in enumerate(self.script.writes) if w is write), None)
            if at is not None:
                self._outcome(write, at + 1)

    # Writing

    def write(
        self, parsed: Parsed, sql: str, bound: list[str], *, reserved: str | None = None
    ) -> tuple[Write, Rows]:
        """Run a statement that writes, or put it into the script; returns it and what RETURNING gave."""
        if (parsed.table and parsed.table.lower() == "sqlite_sequence") or parsed.verb == "DROP":
            keys.forget(self.identity)
        if self.script is None:
            return self._write_now(parsed, sql, bound)
        if parsed.columns is not None:
            return self._write_returning(parsed, sql, bound)
        write = Write(sql, bound, parsed, reserved=reserved)
        self._note(write)
        script = self.script
        script.add(write)
        if self._eager():
            try:
                if parsed.kind == "write":
                    self._outcome(write, len(script.writes))
                else:
                    self.rehearse("SELECT 1", [], 1)
            except Exception:
                script.cut(len(script.writes) - 1)
                raise
        return write, []

    def _note(self, write: Write) -> None:
        table = (write.parsed.table or "").lower()
        assert self.script is not None
        if table == "sqlite_sequence" or write.parsed.kind == "schema":
            self.script.next_keys.clear()
        elif write.parsed.verb in ("INSERT", "REPLACE") and not write.reserved:
            self.script.next_keys.pop(table, None)

    def _write_now(self, parsed: Parsed, sql: str, bound: list[str]) -> tuple[Write, Rows]:
        exact = None
        if parsed.returning_at is not None and not parsed.starred:
            final = parse.__wrapped__(sql)
            assert final.columns is not None
            exact = results.row_of([c.sql for c in final.columns])
            sql = f"{sql[: final.returning_at]} RETURNING {exact}"
        write = Write(sql, bound, parsed)
        answers = self._apply([(sql, bound)])
        if parsed.kind == "schema":
            self._catalog = None
        if isinstance(answers, AlreadyAppliedError):
            write.count, write.last_id = answers.count, answers.last_id
            return write, [] if parsed.columns is None else self._lost_rows(write, exact)
        if parsed.kind == "write":
            count, last_id = answers[1]["rows"][0]
            write.count, write.last_id = count, int(last_id)
        rows, _ = results.direct(answers[0]["rows"])
        if exact:
            rows = [results.row(json.loads(text)) for (text,) in rows]
        return write, rows

    def _lost_rows(self, write: Write, exact: str | None) -> Rows:
        """What RETURNING gave when its answer was lost: the row of a plain INSERT is found by its rowid."""
        parsed = write.parsed
        if write.count == 0:
            return []
        if exact and write.count == 1 and parsed.verb == "INSERT" and "conflict" not in parsed.names:
            table = '"{}"'.format((parsed.table or "").replace('"', '""'))
            sql = f"SELECT {exact} FROM {table} WHERE rowid = {write.last_id}"
            return [results.row(json.loads(text)) for (text,) in self._straight(sql, [])[1]]
        raise OutcomeUnknown(
            f"The write to {parsed.table} was applied, but what it returned was lost on the way."
        )

    def _apply(self, statements: list[Statement]) -> list[dict[str, Any]] | AlreadyAppliedError:
        """Send a writing batch with its mark.

        Returns its answers, or what the mark tells when it turns out that an answer to it was lost.
        """
        check, ends = self._marks.next()
        batch: list[Statement] = [(check, []), *statements, *((sql, []) for sql in ends)]
        try:
            return self._send(batch)[1:]
        except AlreadyAppliedError as applied:
            return applied
        except OperationalError as error:
            if f"no such table: {TABLE}" not in str(error):
                raise
        try:
            return self._send([(CREATE, []), *batch])[2:]
        except AlreadyAppliedError as applied:
            return applied

    def _send(self, batch: list[Statement]) -> list[dict[str, Any]]:
        """The answers to a writing batch; those to its tail go to the tail."""
        tail = self._new_tail()
        try:
            answers = self.api.batch(self.database, batch, writes=True, tail=tail.statements)
        except (AlreadyAppliedError, OutcomeUnknown):
            tail.lost()
            raise
        except OperationalError as error:
            if not is_fault_of(tail, error):
                raise
            try:
                return self.api.batch(self.database, batch, writes=True)
            finally:
                tail.lost()
        tail.came(answers[len(batch) :])
        return answers[: len(batch)]

    def _write_returning(self, parsed: Parsed, sql: str, bound: list[str]) -> tuple[Write, Rows]:
        """RETURNING in a transaction: a trigger of the rehearsal notes the rows that the statement touches."""
        final = parse.__wrapped__(sql)
        script = self.script
        assert script is not None
        assert final.columns is not None
        if final.starred or any("?" in c.sql for c in final.columns):
            raise NotSupportedError(
                "RETURNING inside atomic() takes the names of columns, no * and no parameters."
            )
        body = sql[: final.returning_at].rstrip()
        table = '"{}"'.format((final.table or "").replace('"', '""'))
        row = results.row_of([c.sql for c in final.columns])
        note = f'BEGIN INSERT INTO "_d1_out" (r) SELECT {row} FROM {table} WHERE rowid ='
        statements: list[Statement] = [
            *script.batch(),
            ('CREATE TABLE "_d1_out" (n INTEGER PRIMARY KEY, r TEXT)', []),
        ]
        for event in ("BEFORE DELETE",) if final.verb == "DELETE" else ("AFTER INSERT", "AFTER UPDATE"):
            old = "OLD" if final.verb == "DELETE" else "NEW"
            name = event.replace(" ", "_").lower()
            statements.append((f'CREATE TRIGGER "_d1_{name}" {event} ON {table} {note} {old}.rowid; END', []))
        statements.append((body, bound))
        ask = 'SELECT changes(), last_insert_rowid(), (SELECT json_group_array(r) FROM (SELECT r FROM "_d1_out" ORDER BY n))'
        ((count, last_id, texts),) = self._carry(statements, ask, [], 3)
        write = Write(body, bound, parsed, count=count, last_id=last_id, told=True)
        write.told_id = parsed.verb in ("INSERT", "REPLACE")
        self._note(write)
        script.add(write)
        script.proven = len(script.writes)
        return write, [results.row(json.loads(text)) for text in json.loads(texts)]

    # Keys

    def new_keys(self, table: str, column: str, count: int) -> list[int] | None:
        """Keys for `count` new rows, or None when the database itself shall choose them."""
        if self.script is None:
            return keys.take(self.identity, table, count)
        if self._never_commits() or self.script.has_schema:
            return self._next_keys(table, column, count)
        held = keys.take(self.identity, table, count)
        if held is None:
            held = self._reserve(table, column, count)
        if held is not None:
            used = self.script.used_keys
            used[table, column] = used.get((table, column), 0) + count
        return held

    def _reserve(self, table: str, column: str, count: int) -> list[int] | None:
        size = max(count, keys.SMALLEST) if count <= keys.LARGEST_REFILL else count
        try:
            answers = self._apply(keys.reserve(table, column, size))
        except OperationalError as error:
            if "no such table" not in str(error):
                raise
            return None
        if isinstance(answers, AlreadyAppliedError) or not answers[1]["rows"]:
            return None
        keys.keep(self.identity, table, int(answers[1]["rows"][0][0]), size)
        return keys.take(self.identity, table, count)

    def _next_keys(self, table: str, column: str, count: int) -> list[int] | None:
        script = self.script
        assert script is not None
        name = table.lower()
        if name not in script.next_keys:
            quoted, text = table.replace('"', '""'), table.replace("'", "''")
            highest = self.rehearse(
                f'SELECT max(coalesce((SELECT max("{column}") FROM "{quoted}"), 0), '
                f"coalesce((SELECT seq FROM sqlite_sequence WHERE name = '{text}' COLLATE NOCASE), 0))",
                [],
                1,
            )[0][0]
            script.next_keys[name] = highest + 1
        first = script.next_keys[name]
        script.next_keys[name] = first + count
        return list(range(first, first + count))

    def explicit_keys(self, table: str, values: list[int]) -> None:
        """Rows are written with keys of the application's own choice."""
        keys.used_elsewhere(self.identity, table, values)

    def _collision(self, error: Exception, proven: int = 0) -> Exception:
        """A reserved key that someone else has written is no fault of the application's data.

        It is told from a key that the application wrote itself by the statements not yet known to succeed.
        """
        found = _KEY_TAKEN.fullmatch(str(error))
        if self.script is None or found is None:
            return error
        writes = [w for w in self.script.writes[proven:] if w.parsed.table == found["table"]]
        if not writes or not all(w.reserved == found["column"] for w in writes):
            return error
        keys.forget(self.identity, found["table"].lower())
        self.script.next_keys.pop(found["table"].lower(), None)
        return SerializationFailure(
            f"A key reserved for {found['table']} was used by someone else. Run it again."
        )

    # Transactions

    def begin(self) -> None:
        if self.script is not None:
            raise OperationalError("cannot start a transaction within a transaction")
        self.script = Script()

    def commit(self) -> None:
        """Send the script as one batch; it stays when that fails, for rollback() to drop."""
        script = self.script
        if script is None:
            return
        if script.writes:
            refills = [
                (table, column, count)
                for (table, column), count in script.used_keys.items()
                if count <= keys.LARGEST_REFILL and keys.left(self.identity, table) < count
            ]
            statements = script.batch(guarded=True)
            at = len(statements)
            for refill in refills:
                statements += keys.reserve(*refill)
            try:
                answers = self._apply(statements)
            except IntegrityError as error:
                raise self._collision(error) from error
            for i, (table, _, count) in enumerate(refills):
                rows = [] if isinstance(answers, AlreadyAppliedError) else answers[at + 2 * i + 1]["rows"]
                if rows:
                    keys.keep(self.identity, table, int(rows[0][0]), count)
            if script.has_schema:
                self._catalog = None
        self.script = Script()

    def write_many(self, writes: list[Write]) -> int:
        """Run statements as one batch outside a transaction, and return the rows they changed in all."""
        statements = Script().batch()
        for write in writes:
            statements += [write.statement, ("SELECT changes()", [])]
        answers = self._apply(statements)
        return (
            -1
            if isinstance(answers, AlreadyAppliedError)
            else sum(a["rows"][0][0] for a in answers[2 : len(statements) : 2])
        )

    def rollback(self) -> None:
        if self.script is not None:
            self.script = Script()

    def autocommit(self) -> None:
        """Leave transactions; what the script holds is committed first."""
        if self.script is not None:
            self.commit()
        self.script = None

    def prove(self, length: int = 0) -> None:
        """Let errors of the statements since `length` show now."""
        script = self.script
        if script is not None and len(script.writes) > max(script.proven, length):
            self.rehearse("SELECT 1", [], 1)

    def control(self, parsed: Parsed) -> None:
        """BEGIN, COMMIT, ROLLBACK, SAVEPOINT and RELEASE."""
        verb, words = parsed.verb, [w for w in parsed.words[1:] if w not in ("TRANSACTION", "SAVEPOINT")]
        if verb == "BEGIN":
            return self.begin()
        if self.script is None and verb == "SAVEPOINT":
            raise OperationalError("SAVEPOINT outside a transaction: use atomic().")
        if self.script is None:
            raise OperationalError(f"cannot {verb.lower()} - no transaction is active")
        try:
            if verb == "SAVEPOINT":
                self.script.mark(parsed.words[1])
            elif verb == "RELEASE":
                self.prove(self.script.marks[self.script.find(words[-1])].length)
                self.script.release(words[-1])
            elif verb == "ROLLBACK" and words[:1] == ["TO"]:
                self.script.back_to(words[-1])
            elif verb == "ROLLBACK":
                self.script = None
            else:
                self.autocommit()
        except LookupError as error:
            raise OperationalError(f"no such savepoint: {error}") from error
        return None

    def read_for_update(self, parsed: Parsed, sql: str, bound: list[str]) -> tuple[list[str], Rows]:
        """Rows that the commit holds the database to: read as their exact JSON text, which the commit compares."""
        if self.script is None:
            raise ProgrammingError("select_for_update() needs a transaction.")
        sql = sql[: sql.upper().rindex("FOR UPDATE")]
        if parsed.verb == "EXPLAIN":
            return self._straight(sql, bound)
        names = self._names(parsed, sql, bound)
        exact = results.exact(sql, len(names))
        if self._depends(parsed):
            text = self.rehearse(exact, bound, 1)[0][0]
        else:
            text = self._call([(exact, bound)])[0]["rows"][0][0]
        self.require(f"({exact}) IS {literal(text)}", bound, "that were read for update")
        return names, results.unpack(text)

    def require(self, condition: str, bound: list[str], what: str) -> None:
        """Fail the commit, or this call outside a transaction, unless the condition holds at this point."""
        check = (f"SELECT CASE WHEN {condition} THEN 1 ELSE {stale(what)} END", bound)
        if self.script is None:
            self._call([check])
        else:
            self.script.add(Write("", [], parse("SELECT 1"), guard=check))
