"""The connection that Django's wrapper holds: straight calls outside transactions, scripts inside."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from typing import Any

from d1backend.errors import (
    STALE,
    AlreadyAppliedError,
    IntegrityError,
    NotSupportedError,
    OperationalError,
    OutcomeUnknown,
    ProgrammingError,
    RateLimited,
)
from d1backend.options import Settings
from d1backend.protocol import encoding
from d1backend.sql.tokenizer import Parsed, parse
from d1backend.sql.values import literal, quote_name
from d1backend.transaction import keys
from d1backend.transaction.cursor import Cursor
from d1backend.transaction.key_source import KeySource
from d1backend.transaction.pending_reads import Gathering
from d1backend.transaction.rehearsal import OF_ALL_WRITES, Rehearsal
from d1backend.transaction.script import Hint, Script, Write, rehearsed, stale
from d1backend.transaction.session import Rows, Session
from d1backend.transaction.tail import Tail, no_tail


class Connection:
    """One thread's connection to one D1 database.

    `eager` tells whether an error of a statement must show at once (no block's end will show it);
    `never_commits` whether the transaction belongs to a test case that will roll it back; `translating`
    turns this backend's errors into Django's where Django's cursor does not.
    """

    def __init__(
        self,
        settings: Settings,
        database: str,
        eager: Callable[[], bool] = lambda: True,
        never_commits: Callable[[], bool] = lambda: False,
        translating: AbstractContextManager[Any] | None = None,
        new_tail: Callable[[bool], Tail] = no_tail,
    ) -> None:
        self.session = Session(settings, database, new_tail)
        self.api = self.session.api
        self.rehearsal = Rehearsal(self.session)
        self.script: Script | None = None
        self.gathering: Gathering | None = None
        self.closed = False
        # False while an UPDATE runs whose row count is not wanted.
        self.counting = True
        # The row count that the caller of an UPDATE knows, while it runs.
        self.expected: int | None = None
        self.translating = translating or nullcontext()
        self._keys = KeySource(self.session, self.rehearsal)
        self._eager, self._never_commits = eager, never_commits
        self._autocommit, self._commit_failed = True, False
        self._hint = Hint()

    @property
    def identity(self) -> str:
        return self.session.identity

    def cursor(self) -> Cursor:
        return Cursor(self)

    def close(self) -> None:
        self.closed = True
        self.script = None
        self.api.close()

    # Reading

    def read(self, parsed: Parsed, sql: str, bound: list[str]) -> tuple[list[str], Rows]:
        """Column names and rows of a statement that only reads, seen from where the transaction stands."""
        if self.script is not None and parsed.verb != "EXPLAIN" and self._depends(self.script, parsed):
            return self.rehearsal.read(self.script, parsed, sql, bound)
        return self._straight(sql, bound)

    def typed(self, parsed: Parsed, names: list[str], rows: Rows) -> Rows:
        """Rows with dates, times, booleans and floats where their columns are declared so."""
        catalog = self.session.known_catalog
        return catalog.declared.converted(parsed, names, rows) if catalog and rows else rows

    def _straight(self, sql: str, bound: list[str]) -> tuple[list[str], Rows]:
        if self.gathering is not None:
            return self.gathering.take(sql, bound)
        return self.session.received(sql, bound, self.session.ask([(sql, bound)])[0])

    def _depends(self, script: Script, parsed: Parsed) -> bool:
        """Whether what is read may have been written by the script."""
        if not script.writes:
            return False
        if parsed.kind == "pragma" or script.has_schema or not parsed.names.isdisjoint(OF_ALL_WRITES):
            return True
        return not self.session.catalog().reach(script.tables).isdisjoint(parsed.names)

    def read_for_update(self, parsed: Parsed, sql: str, bound: list[str]) -> tuple[list[str], Rows]:
        """Rows that the commit holds the database to: read as their exact JSON text, which the commit
        compares."""
        script = self.script
        if script is None:
            raise ProgrammingError("select_for_update() needs a transaction.")
        sql = sql[: sql.upper().rindex("FOR UPDATE")]
        if parsed.verb == "EXPLAIN":
            return self._straight(sql, bound)
        names = self.rehearsal.names(script, parsed, sql, bound)
        exact = encoding.exact(sql, len(names))
        if self._depends(script, parsed):
            text = self.rehearsal.rows(script, parsed.names, exact, bound, 1)[0][0]
        else:
            text = self.session.ask([(exact, bound)])[0]["rows"][0][0]
        self.require(f"({exact}) IS {literal(text)}", bound, "that were read for update")
        rows = encoding.unpack(text)
        script.know_rows(parsed, rows)
        return names, rows

    def require(self, condition: str, bound: list[str], what: str, why: str = STALE) -> None:
        """Fail the commit, or this call outside a transaction, unless the condition holds at this point."""
        check = (f"SELECT CASE WHEN {condition} THEN 1 ELSE {stale(what, why)} END", bound)
        if self.script is None:
            self.session.ask([check])
        else:
            self.script.add(Write("", [], parse("SELECT 1"), guard=check))

    # Writing

    @contextmanager
    def hinting(self, hint: Hint) -> Iterator[None]:
        """Say what is known of the statements that follow."""
        self._hint = hint
        try:
            yield
        finally:
            self._hint = Hint()

    def write(self, parsed: Parsed, sql: str, bound: list[str]) -> tuple[Write, Rows]:
        """Run a statement that writes, or put it into the script; returns it and what RETURNING gave.

        Nothing is returned where the compiler knows what it would be.
        """
        if (parsed.table or "").lower() == "sqlite_sequence":
            keys.forget(self.identity)
        elif parsed.dropped_table:
            keys.forget(self.identity, parsed.dropped_table)
        script, hint = self.script, self._hint
        if hint.returning and sql.endswith(hint.returning):
            sql = sql.removesuffix(hint.returning)
            parsed = replace(parsed, columns=None, returning_at=None)
        if script is None:
            return self._write_now(parsed, sql, bound)
        touched = self.session.reach(frozenset([(parsed.table or "").lower()]))
        if parsed.columns is not None:
            write, rows = self.rehearsal.returning(script, sql, bound)
            script.note(write, hint, touched)
            script.add(write)
            return write, rows
        runs = self._foresee(script, parsed, hint)
        write = Write(sql, bound, parsed, reserved=hint.reserved, sure=bool(runs))
        at_once = not runs and (runs is False or hint.chosen or parsed.fickle or self._eager())
        if not at_once:
            write.count = hint.count
        script.note(write, hint, touched)
        script.add(write)
        if at_once:
            self._prove_last(script, write)
        return write, []

    def _foresee(self, script: Script, parsed: Parsed, hint: Hint) -> bool | None:
        """Whether a statement will run, as far as the schema tells; of a NULL it is asked."""
        catalog = self.session.catalog() if hint.nulls else self.session.known_catalog
        table = catalog.tables.get((parsed.table or "").lower()) if catalog else None
        if table is None or hint.columns is None or script.has_schema:
            return None
        return table.foresees(
            hint.columns,
            hint.nulls,
            hint.reserved and hint.reserved.lower(),
            inserts=parsed.verb == "INSERT",
            ignoring=hint.ignoring,
        )

    def _prove_last(self, script: Script, write: Write) -> None:
        """Let the error of the statement that was added last show now."""
        with self._proving(script, len(script.writes)):
            if write.parsed.kind == "write":
                self.rehearsal.outcome(script, write, len(script.writes))
            else:
                self.rehearsal.prove(script, len(script.writes) - 1)

    @contextmanager
    def _proving(self, script: Script, length: int) -> Iterator[None]:
        """When the question for its last statement, the script's `length`th, fails, the script goes on without that
        statement: for its caller it has failed, and they may try it again."""
        try:
            yield
        except BaseException:
            if length == len(script.writes):
                script.cut(length - 1)
            raise

    def _write_now(self, parsed: Parsed, sql: str, bound: list[str]) -> tuple[Write, Rows]:
        exact = None
        if parsed.returning_at is not None and not parsed.starred:
            final = parse.__wrapped__(sql)
            assert final.columns is not None
            exact = encoding.row_of([c.sql for c in final.columns])
            sql = f"{sql[: final.returning_at]} RETURNING {exact}"
        write = Write(sql, bound, parsed, reserved=self._hint.reserved)
        try:
            answers = self.session.apply([(sql, bound)], schema=parsed.kind == "schema")
        except IntegrityError as error:
            raise Script().collision(error, self.identity, [write]) from error
        if isinstance(answers, AlreadyAppliedError):
            write.count, write.last_id = answers.count, answers.last_id
            return write, [] if parsed.columns is None else self._lost_rows(write, exact)
        if parsed.kind == "write":
            count, last_id = answers[1]["rows"][0]
            write.count, write.last_id = count, int(last_id)
        rows, _ = encoding.direct(answers[0]["rows"])
        return write, [encoding.row(json.loads(text)) for (text,) in rows] if exact else rows

    def _lost_rows(self, write: Write, exact: str | None) -> Rows:
        """What RETURNING gave when its answer was lost: the row of a plain INSERT is found by its rowid."""
        parsed = write.parsed
        if write.count == 0:
            return []
        if exact and write.count == 1 and parsed.verb == "INSERT" and "conflict" not in parsed.names:
            table = quote_name(parsed.table or "")
            sql = f"SELECT {exact} FROM {table} WHERE rowid = {write.last_id}"
            with suppress(OperationalError, RateLimited):
                if rows := self._straight(sql, [])[1]:
                    return [encoding.row(json.loads(text)) for (text,) in rows]
        raise OutcomeUnknown(
            f"The write to {parsed.table} was applied, but what it returned was lost on the way."
        )

    def write_many(self, writes: list[Write]) -> int:
        """Run statements as one batch outside a transaction, and return the rows they changed in all."""
        statements = rehearsed([])
        for write in writes:
            statements += [write.statement, ("SELECT changes()", [])]
        answers = self.session.apply(statements)
        if isinstance(answers, AlreadyAppliedError):
            return -1
        return sum(answer["rows"][0][0] for answer in answers[2 : len(statements) : 2])

    def told_count(self, write: Write) -> int:
        """A write's row count, which the commit will hold the database to; 0 when it is not wanted."""
        if not self.counting and write.count is None:
            return 0
        self._find_outcome(write, known=write.count is not None)
        write.told = True
        return write.count if write.count is not None else -1

    def told_last_id(self, write: Write) -> int | None:
        """The rowid of the row that an INSERT made last; None when it made none."""
        self._find_outcome(write, known=write.last_id is not None)
        if write.parsed.verb not in ("INSERT", "REPLACE") or write.count == 0:
            return None
        write.told_id = True
        return write.last_id

    def _find_outcome(self, write: Write, *, known: bool) -> None:
        if not known and self.script is not None and write.parsed.kind == "write":
            length = self.script.length_with(write)
            if length:
                with self._proving(self.script, length):
                    self.rehearsal.outcome(self.script, write, length)

    # Keys

    def new_keys(self, table: str, column: str, count: int) -> list[int] | None:
        """Keys for `count` new rows, or None when the database itself shall choose them."""
        script = self.script
        if script is None:
            # Several rows may take several statements, which could not be run again as one.
            return self._keys.held(table, count) if count == 1 else None
        if self._never_commits() or script.changes_schema_of(table):
            return self._keys.reckoned(script, table, column, count)
        return self._keys.reserved(script, table, column, count)

    # Transactions

    def set_autocommit(self, on: bool) -> None:
        """Whether statements stand alone, as Django's autocommit says; turning it on commits what the script holds.

        While it is off, a transaction begins where one ends.
        """
        if on:
            self._commit()
            self._autocommit, self.script = True, None
        else:
            self._autocommit, self.script = False, self.script or Script()
        self._commit_failed = False

    def begin(self) -> None:
        if self.script is not None:
            raise OperationalError("cannot start a transaction within a transaction")
        self.script, self._commit_failed = Script(), False

    def commit(self) -> None:
        """Send the script as one batch. However that ends the transaction is over: nothing of it is sent again.

        Raises ProgrammingError when the commit before failed, nothing was written since, and rollback() was not
        called: there is nothing to commit, and success would be a lie.
        """
        if self._commit_failed and not (self.script and self.script.writes):
            raise ProgrammingError(
                "The transaction is over: its commit failed, and nothing of it is sent again. Call rollback() "
                "and run all of it anew; after OutcomeUnknown look first at what the database holds."
            )
        self._commit()

    def _commit(self) -> None:
        script = self._end()
        if script is None or not script.writes:
            return
        self._commit_failed = True
        refills = self._keys.refills(script)
        statements = script.batch()
        at = len(statements)
        for refill in refills:
            statements += keys.reserve(*refill)
        try:
            answers = self.session.apply(statements, schema=script.has_schema)
        except IntegrityError as error:
            raise script.collision(error, self.identity, script.writes) from error
        self._commit_failed = False
        for i, (table, _, count) in enumerate(refills):
            rows = [] if isinstance(answers, AlreadyAppliedError) else answers[at + 2 * i + 1]["rows"]
            if rows:
                keys.keep(self.identity, table, int(rows[0][0]), count)

    def _end(self) -> Script | None:
        """End the transaction, and return its script."""
        script, self.script = self.script, None if self._autocommit else Script()
        return script

    def rollback(self) -> None:
        self._end()
        self._commit_failed = False

    def control(self, parsed: Parsed) -> None:
        """BEGIN, COMMIT, ROLLBACK, SAVEPOINT and RELEASE."""
        verb, words = parsed.verb, [w for w in parsed.words[1:] if w not in ("TRANSACTION", "SAVEPOINT")]
        if verb == "BEGIN":
            _refuse_lock(words)
            self.begin()
            return
        script = self.script
        if script is None:
            raise OperationalError(f"cannot {verb.lower()} - no transaction is active")
        try:
            if verb == "SAVEPOINT":
                script.mark(parsed.words[1])
            elif verb == "RELEASE":
                self.rehearsal.prove(script, script.length_at(words[-1]))
                script.release(words[-1])
            elif verb == "ROLLBACK" and words[:1] == ["TO"]:
                script.back_to(words[-1])
            elif verb == "ROLLBACK":
                self.rollback()
            else:
                self.commit()
        except LookupError as error:
            raise OperationalError(f"no such savepoint: {error}") from error


def _refuse_lock(words: list[str]) -> None:
    """Refuse a BEGIN that promises what no transaction over HTTP can keep: D1 gives no lock to hold."""
    if words[:1] in (["IMMEDIATE"], ["EXCLUSIVE"]):
        raise NotSupportedError(
            f"BEGIN {words[0]} cannot keep others out: D1 has no lock that outlasts a request. Read what you "
            "change with select_for_update() in atomic(), and put d1backend.retry_on_conflict around it."
        )
    if words not in ([], ["DEFERRED"]):
        raise OperationalError(
            f"A transaction begins with BEGIN or BEGIN DEFERRED, not BEGIN {' '.join(words)}"
        )
