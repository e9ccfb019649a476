"""Statements that write outside transactions: each is a batch of its own."""

import json
from contextlib import suppress

from d1backend.errors import (
    AlreadyAppliedError,
    IntegrityError,
    OperationalError,
    OutcomeUnknown,
    RateLimited,
)
from d1backend.protocol import encoding
from d1backend.protocol.budget import after_write
from d1backend.sql.tokenizer import Parsed, parse
from d1backend.sql.values import Row, quote_name
from d1backend.transaction.hints import Hint
from d1backend.transaction.script import Script, Write, without_guards
from d1backend.transaction.session import Session


class DirectWrites:
    """Writes for one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def write(self, parsed: Parsed, sql: str, bound: list[str], hint: Hint) -> tuple[Write, list[Row]]:
        """Run a statement; return it and the rows of its RETURNING."""
        exact = None
        if parsed.returning_at is not None and not parsed.starred:
            final = parse.uncached(sql)
            assert final.columns is not None
            exact = encoding.row_of([c.sql for c in final.columns])
            sql = f"{sql[: final.returning_at]} RETURNING {exact}"
        write = Write(sql, bound, parsed, requires=hint.requires, reserved=hint.reserved)
        statements = [*write.precondition, write.statement]
        try:
            answers = self._session.write_batch(statements, schema=parsed.kind == "schema")
        except IntegrityError as error:
            raise Script().explain_collision(error, self._session.identity, [write]) from error
        if isinstance(answers, AlreadyAppliedError):
            write.count, write.last_id = answers.count, answers.last_id
            return write, [] if parsed.columns is None else self._reread_returned(write, exact)
        answers = answers[len(write.precondition) :]
        if parsed.kind == "write":
            count, last_id = answers[1]["rows"][0]
            write.count, write.last_id = count, int(last_id)
        rows, _ = encoding.direct(answers[0]["rows"])
        return write, [encoding.row(json.loads(text)) for (text,) in rows] if exact else rows

    def _reread_returned(self, write: Write, exact: str | None) -> list[Row]:
        """The rows of a RETURNING whose answer was lost: the row of a plain INSERT is found by its rowid."""
        parsed = write.parsed
        if write.count == 0:
            return []
        if exact and write.count == 1 and parsed.verb == "INSERT" and "conflict" not in parsed.names:
            table = quote_name(parsed.table or "")
            sql = f"SELECT {exact} FROM {table} WHERE rowid = {write.last_id}"
            with suppress(OperationalError, RateLimited), after_write():
                if rows := self._session.read_batch([(sql, [])])[0]["rows"]:
                    return [encoding.row(json.loads(text)) for (text,) in rows]
        raise OutcomeUnknown.of_lost_result(
            f"The write to {parsed.table} was applied, but what it returned was lost on the way."
        )

    def write_many(self, writes: list[Write]) -> int:
        """Run statements as one batch outside a transaction; return how many rows they changed, -1 if unknown."""
        statements = without_guards([])
        for write in writes:
            statements += [write.statement, ("SELECT changes()", [])]
        changes_schema = any(write.parsed.kind == "schema" for write in writes)
        answers = self._session.write_batch(statements, schema=changes_schema)
        if isinstance(answers, AlreadyAppliedError):
            return -1
        return sum(answer["rows"][0][0] for answer in answers[2 : len(statements) : 2])
