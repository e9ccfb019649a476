"""The connection that Django's wrapper holds: a statement is a call outside transactions, and joins a script inside."""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

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
from d1backend.protocol.api import Statement
from d1backend.protocol.budget import after_write
from d1backend.sql.catalog import Catalog
from d1backend.sql.converters import convert_rows
from d1backend.sql.result_columns import ResultColumn
from d1backend.sql.tokenizer import Parsed, parse
from d1backend.sql.values import Row, Value
from d1backend.transaction import keys, row_guards
from d1backend.transaction.cursor import Cursor
from d1backend.transaction.direct_writes import DirectWrites
from d1backend.transaction.hints import NO_HINT, Hint
from d1backend.transaction.key_source import KeySource
from d1backend.transaction.pending_reads import PendingReads
from d1backend.transaction.rehearsal import OF_ALL_WRITES, Rehearsal
from d1backend.transaction.row_counts import RowCounts
from d1backend.transaction.script import Known, Script, Write, check
from d1backend.transaction.session import NamedRows, Session
from d1backend.transaction.tail import Tail, no_tail


class Connection:
    """One thread's connection to one D1 database.

    `eager` returns whether a statement must raise its error at once, because no end of a block will;
    `never_commits` returns whether the transaction belongs to a test case, which rolls it back; `translate_errors`
    turns this backend's errors into Django's where Django's cursor does not.
    """

    def __init__(
        self,
        settings: Settings,
        database: str,
        eager: Callable[[], bool] = lambda: True,
        never_commits: Callable[[], bool] = lambda: False,
        translate_errors: AbstractContextManager[None] | None = None,
        new_tail: Callable[[bool], Tail] = no_tail,
        conditions: Callable[[], list[Statement]] = list,
    ) -> None:
        self.session = Session(settings, database, new_tail, conditions)
        self.api = self.session.api
        self.rehearsal = Rehearsal(self.session)
        self.script: Script | None = None
        # The reads of a gather(), or of a question for the commit, while it is asked.
        self.pending_reads: PendingReads | None = None
        self.closed = False
        self.translate_errors = translate_errors or nullcontext()
        self._keys = KeySource(self.session, self.rehearsal)
        self._direct_writes = DirectWrites(self.session)
        self._row_counts = RowCounts(self.session, self.rehearsal)
        self._eager, self._never_commits = eager, never_commits
        self._autocommit, self._commit_failed = True, False

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

    def read_rows(self, parsed: Parsed, sql: str, bound: list[str]) -> NamedRows:
        """Names and rows of a statement that only reads, with what the transaction has written so far."""
        script = self.script

        def ask() -> NamedRows:
            if self.pending_reads is not None and self.pending_reads.for_commit:
                return self._read_committed(sql, bound)
            if script is None or not script.writes or parsed.verb == "EXPLAIN":
                return self._read_committed(sql, bound)
            if self._reads_own_writes(script, parsed):
                return self.rehearsal.read_rows(script, parsed, sql, bound)
            return self._read_committed(sql, bound, checked=True)

        names, rows = self.session.on_current_catalog(ask)
        if script is not None and parsed.kind == "read" and (catalog := self.session.known_catalog):
            script.add_known_rows(parsed, rows, catalog)
        return names, rows

    def convert_rows(self, parsed: Parsed, sql: str, names: list[str], rows: list[Row]) -> list[Row]:
        """Rows with dates, times, booleans and floats in the columns that are declared so."""
        catalog = self._catalog_after(parsed) if rows else None
        columns = catalog.result_columns(sql) if catalog and parsed.kind != "pragma" else None
        if columns is None or len(columns) != len(names):
            columns = tuple(map(ResultColumn, names))
        return convert_rows(columns, rows)

    def returned_names(self, parsed: Parsed, sql: str) -> list[str]:
        """The names of the columns that a statement returns; after a change of the schema, as its text has them."""
        if self.script is not None and self.script.has_schema:
            catalog = None
        else:
            catalog = self._catalog_after(parsed) if parsed.starred else self.session.known_catalog
        known = catalog.result_columns(sql) if catalog else None
        return [c.name for c in known] if known else [c.name or "" for c in parsed.columns or ()]

    def _catalog_after(self, parsed: Parsed) -> Catalog | None:
        """The catalog, after a change of the schema the new one; None before such a change is committed.

        Raises OutcomeUnknown when it cannot be asked for after a write, which is done.
        """
        if self.script is not None and self.script.has_schema:
            return self.session.known_catalog
        try:
            with after_write() if parsed.kind == "write" else nullcontext():
                return self.session.catalog()
        except (OperationalError, RateLimited) as error:
            if parsed.kind != "write" or self.script is not None:
                raise
            raise OutcomeUnknown.of_lost_result(
                f"The write to {parsed.table} was applied, but what it returned is unreadable."
            ) from error

    def _read_committed(self, sql: str, bound: list[str], *, checked: bool = False) -> NamedRows:
        """Names and rows from the database; with `checked`, raise SchemaChangedError if the catalog is out of date."""
        if self.pending_reads is not None:
            return self.pending_reads.answer(self.session, sql, bound, checked=checked)
        result = self.session.read_batch([(sql, bound)], checked=checked)[0]
        return self.session.decode_result(sql, bound, result)

    def _reads_own_writes(self, script: Script, parsed: Parsed) -> bool:
        """Whether a statement may read what the script has written."""
        if not script.writes:
            return False
        if parsed.kind == "pragma" or script.has_schema or not parsed.names.isdisjoint(OF_ALL_WRITES):
            return True
        return not self.session.catalog().reach(script.tables).isdisjoint(parsed.names)

    def read_for_update(self, parsed: Parsed, sql: str, bound: list[str]) -> NamedRows:
        """Read rows as exact JSON texts; the commit fails unless it finds the same texts again."""
        script = self.script
        if script is None:
            raise ProgrammingError("select_for_update() needs a transaction.")
        if parsed.verb == "EXPLAIN":
            return self._read_committed(sql, bound)
        names = self.rehearsal.column_names(script, parsed, sql, bound)
        ask = encoding.exact_rows(sql, len(names))
        if self._reads_own_writes(script, parsed):
            found = self.rehearsal.rows(script, parsed.names, ask, bound, 1)
        else:
            found = list(map(tuple, self.session.read_batch([(ask, bound)])[0]["rows"]))
        texts = [text for (text,) in found]
        for condition, values in row_guards.conditions(sql, bound, len(names), texts):
            self.require(condition, values, "that were read for update")
        rows = [encoding.row(json.loads(text)) for text in texts]
        script.add_known_rows(parsed, rows, self.session.catalog())
        return names, rows

    def require(self, condition: str, bound: list[str], what: str, why: str = STALE) -> None:
        """Fail the commit unless the condition holds at this point; outside a transaction, fail now."""
        guard = (check(condition, what, why), bound)
        if self.script is None:
            self.session.read_batch([guard])
        else:
            self.script.add(Write("", [], parse("SELECT 1"), guard=guard))

    # Writing

    def write(
        self, parsed: Parsed, sql: str, bound: list[str], hint: Hint = NO_HINT
    ) -> tuple[Write, list[Row]]:
        """Run a statement that writes, or add it to the script; return it and the rows of its RETURNING.

        A RETURNING whose values the hint knows is left out, and has no rows.
        """
        self._check_may_write()
        if (parsed.table or "").lower() == "sqlite_sequence":
            keys.forget(self.identity)
        elif parsed.dropped_table:
            keys.forget(self.identity, parsed.dropped_table)
        script = self.script
        if hint.returning and sql.endswith(hint.returning):
            sql = sql.removesuffix(hint.returning)
            parsed = parsed.without_returning
        if script is None:
            return self._direct_writes.write(parsed, sql, bound, hint)
        if parsed.columns is not None:
            write, rows = self.rehearsal.write_returning(script, sql, bound)
            script.track(write, hint, self.session.known_catalog)
            script.add(write)
            return write, rows
        succeeds = self._will_succeed(script, parsed, hint)
        known = Known.CERTAIN if succeeds else Known.NOTHING
        write = Write(
            sql,
            bound,
            parsed,
            known=known,
            requires=hint.requires,
            reserved=hint.reserved,
            counted=hint.counted,
        )
        at_once = not succeeds and (
            succeeds is False
            or (hint.chosen and not self._row_counts.are_free(script, hint))
            or parsed.nondeterministic
            or self._eager()
        )
        if not at_once:
            write.count = hint.count
        script.track(write, hint, self.session.known_catalog)
        script.add(write)
        if at_once:
            self._rehearse_last(script, write)
        return write, []

    def _check_may_write(self) -> None:
        """Reject a write by a question of gather(), which may run more than once, and for what is only assumed."""
        if self.pending_reads is not None:
            raise ProgrammingError("A question of gather(), or for a commit, may only read.")

    def _will_succeed(self, script: Script, parsed: Parsed, hint: Hint) -> bool | None:
        """Whether a statement will succeed, as far as the schema says; the schema is fetched to check a NULL."""
        catalog = self.session.catalog() if hint.nulls else self.session.known_catalog
        table = catalog.tables.get((parsed.table or "").lower()) if catalog else None
        if table is None or hint.columns is None or script.has_schema:
            return None
        return table.will_succeed(
            hint.columns,
            hint.nulls,
            hint.reserved and hint.reserved.lower(),
            inserts=parsed.verb == "INSERT",
            ignoring=hint.ignoring,
        )

    def _rehearse_last(self, script: Script, write: Write) -> None:
        """Raise the error of the statement that was added last now."""
        with self._dropped_on_error(script, len(script.writes)):
            if write.parsed.kind == "write":
                self.rehearsal.find_outcome(script, write, len(script.writes))
            else:
                self.rehearsal.raise_errors(script, len(script.writes) - 1)

    @contextmanager
    def _dropped_on_error(self, script: Script, length: int) -> Iterator[None]:
        """Drop the script's `length`th statement, if it is the last, when its rehearsal fails.

        For the caller that statement has failed, and they may try it again.
        """
        try:
            yield
        except BaseException:
            if length == len(script.writes):
                script.truncate(length - 1)
            raise

    def write_many(self, writes: list[Write]) -> int:
        """Run statements as one batch outside a transaction; return how many rows they changed, -1 if unknown."""
        self._check_may_write()
        return self._direct_writes.write_many(writes)

    def observe_count(self, write: Write) -> int:
        """A write's row count, which the commit must find again; 0 when it is not wanted."""
        if not write.counted and write.count is None:
            return 0
        self._find_outcome(write, known=write.count is not None)
        write.known |= Known.COUNT_OBSERVED
        return write.count if write.count is not None else -1

    def observe_last_id(self, write: Write) -> int | None:
        """The rowid of the last row of an INSERT, which the commit must find again; None when it made no row."""
        self._find_outcome(write, known=write.last_id is not None)
        if write.parsed.verb not in ("INSERT", "REPLACE") or write.count == 0:
            return None
        write.known |= Known.ID_OBSERVED
        return write.last_id

    def _find_outcome(self, write: Write, *, known: bool) -> None:
        if not known and self.script is not None and write.parsed.kind == "write":
            length = self.script.length_with(write)
            if length:
                with self._dropped_on_error(self.script, length):
                    self.rehearsal.find_outcome(self.script, write, length)

    def count_rows(self, table: str, column: str, values: list[Value], *, ask: bool) -> int | None:
        """How many rows of the transaction have one of these keys; None when that is not known.

        With `ask`, D1 is asked for one key, and for more of them each time, so that a loop over rows asks seldom.
        """
        if self.script is None:
            return None
        ask = ask and len(values) == 1 and not self._eager()
        return self._row_counts.count(self.script, table, column, values, ask=ask)

    def broken_references(self, tables: Iterable[str]) -> list[str]:
        """Those of the tables that refer to rows that are not there."""
        return self._row_counts.broken_references(self.script, tables)

    # Keys

    def new_keys(self, table: str, column: str, count: int) -> list[int] | None:
        """Keys for `count` new rows, or None when the database chooses them."""
        script = self.script
        if script is None:
            # Several rows may take several statements, and those could not be run again as one.
            return self._keys.held_keys(table, count) if count == 1 else None
        if self._never_commits() or script.changes_schema_of(table):
            return self._keys.predicted_keys(script, table, column, count)
        return self._keys.reserved_keys(script, table, column, count)

    # Transactions

    def set_autocommit(self, on: bool) -> None:
        """Django's autocommit. Turning it on commits the script.

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
        """Send the script as one batch. The transaction is over then, also when the batch fails.

        Raises ProgrammingError when the last commit failed, nothing was written since and rollback() was not called:
        there is nothing to commit, and to return would report a success.
        """
        if self._commit_failed and not (self.script and self.script.writes):
            raise ProgrammingError(
                "The transaction is over: its commit failed and is not sent again. Call rollback() and run the "
                "transaction again; after OutcomeUnknown, look at the database first."
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
        asked = script.questions.taken()
        try:
            answers = self.session.write_batch([*statements, *asked], schema=script.has_schema)
        except IntegrityError as error:
            raise script.explain_collision(error, self.identity, script.writes) from error
        self._commit_failed = False
        for i, (table, _, count) in enumerate(refills):
            rows = [] if isinstance(answers, AlreadyAppliedError) else answers[at + 2 * i + 1]["rows"]
            if rows:
                keys.keep(self.identity, table, int(rows[0][0]), count)
        script.questions.keep_after(self.session, asked, answers, len(statements))

    def _end(self) -> Script | None:
        """End the transaction and return its script."""
        script, self.script = self.script, None if self._autocommit else Script()
        return script

    def rollback(self) -> None:
        self._end()
        self._commit_failed = False

    def control(self, parsed: Parsed) -> None:
        """BEGIN, COMMIT, ROLLBACK, SAVEPOINT and RELEASE."""
        verb, words = parsed.verb, [w for w in parsed.words[1:] if w not in ("TRANSACTION", "SAVEPOINT")]
        if verb == "BEGIN":
            _check_begin(words)
            self.begin()
            return
        script = self.script
        if script is None:
            raise OperationalError(f"cannot {verb.lower()} - no transaction is active")
        try:
            if verb == "SAVEPOINT":
                script.add_savepoint(parsed.words[1])
            elif verb == "RELEASE":
                self.rehearsal.raise_errors(script, script.length_at(words[-1]))
                script.release(words[-1])
            elif verb == "ROLLBACK" and words[:1] == ["TO"]:
                script.rollback_to(words[-1])
            elif verb == "ROLLBACK":
                self.rollback()
            else:
                self.commit()
        except LookupError as error:
            raise OperationalError(f"no such savepoint: {error}") from error


def _check_begin(words: list[str]) -> None:
    """Reject a BEGIN that asks for a lock: D1 has none to hold."""
    if words[:1] in (["IMMEDIATE"], ["EXCLUSIVE"]):
        raise NotSupportedError(
            f"BEGIN {words[0]} cannot keep others out: D1 has no lock that outlasts a request. Read what you "
            "change with select_for_update() in atomic(), and decorate it with d1backend.retry_on_conflict."
        )
    if words not in ([], ["DEFERRED"]):
        raise OperationalError(
            f"A transaction begins with BEGIN or BEGIN DEFERRED, not BEGIN {' '.join(words)}"
        )
