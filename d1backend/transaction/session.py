"""One database over one HTTP connection: reading batches, writing batches with their mark, and the
catalog."""

from collections.abc import Callable
from typing import Any

from d1backend.errors import (
    AlreadyAppliedError,
    DataError,
    OperationalError,
    OutcomeUnknown,
    OvertakenError,
)
from d1backend.options import Settings
from d1backend.protocol import encoding
from d1backend.protocol.api import Api, Result, Statement
from d1backend.protocol.batch_marks import Marks, preparation
from d1backend.sql.catalog import QUERY, Catalog
from d1backend.transaction.tail import Tail, may_be_at_fault, no_tail

Rows = list[tuple[Any, ...]]


class Session:
    """Sends batches; used by one thread at a time.

    `new_tail` gives what the next writing batch brings along, told whether that changes the schema.
    """

    def __init__(self, settings: Settings, database: str, new_tail: Callable[[bool], Tail] = no_tail) -> None:
        self.api = Api(settings)
        self.database = database
        self.identity = f"{settings.base_url} {settings.account_id} {database}"
        self._marks = Marks()
        self._new_tail = new_tail
        self._catalog: Catalog | None = None

    def ask(self, statements: list[Statement]) -> list[Result]:
        """A batch that only reads; the first batch of a connection brings the catalog along."""
        batch = self._with_catalog(statements)
        return self._without_catalog(self.api.batch(self.database, batch), len(statements))

    def _with_catalog(self, statements: list[Statement]) -> list[Statement]:
        return statements if self._catalog is not None else [*statements, (QUERY, [])]

    def _without_catalog(self, answers: list[Result], count: int) -> list[Result]:
        """The first `count` answers; the one after them is the catalog."""
        if len(answers) > count:
            self._catalog = Catalog(answers[count]["rows"])
        return answers[:count]

    def received(self, sql: str, bound: list[str], answer: Result) -> tuple[list[str], Rows]:
        """Names and rows of D1's answer; when integers in it have lost digits it is asked again as JSON
        text."""
        rows, lossy = encoding.direct(answer["rows"])
        columns = answer["columns"]
        if lossy and not sql.lstrip().upper().startswith(("PRAGMA", "EXPLAIN")):
            text = self.ask([(encoding.exact(sql, len(columns)), bound)])[0]["rows"][0][0]
            rows = encoding.unpack(text)
        return columns, rows

    def apply(
        self, statements: list[Statement], *, schema: bool = False
    ) -> list[Result] | AlreadyAppliedError:
        """Send a writing batch with its mark; `schema` says that it changes the schema.

        Returns its answers, or what the mark tells when it turns out that an answer to it was lost.
        """
        try:
            return self._apply(statements, schema)
        except OvertakenError:
            self._marks.renew()
            return self._apply(statements, schema)
        finally:
            if schema:
                self.forget_catalog()

    def _apply(self, statements: list[Statement], schema: bool) -> list[Result] | AlreadyAppliedError:
        batch = self._marks.around(statements)
        before: list[Statement] = []
        while True:
            try:
                return self._send([*before, *batch], schema)[len(before) + 1 :]
            except AlreadyAppliedError as applied:
                return applied
            except OperationalError as error:
                needed = preparation(error, before)
                if needed is None:
                    raise
                before = needed

    def _send(self, statements: list[Statement], schema: bool) -> list[Result]:
        """The answers to a writing batch; those to its tail go to the tail."""
        batch = self._with_catalog(statements)
        tail = self._new_tail(schema)
        try:
            answers = self.api.batch(self.database, batch, writes=True, tail=tail.statements)
        except (AlreadyAppliedError, OutcomeUnknown):
            tail.answers_lost()
            raise
        except (OperationalError, DataError) as error:
            if not may_be_at_fault(tail, error):
                raise
            try:
                answers = self.api.batch(self.database, batch, writes=True)
            finally:
                tail.answers_lost()
        else:
            tail.receive_answers(answers[len(batch) :])
        return self._without_catalog(answers[: len(batch)], len(statements))

    def catalog(self) -> Catalog:
        if self._catalog is None:
            self.ask([("SELECT 1", [])])
        assert self._catalog is not None
        return self._catalog

    @property
    def known_catalog(self) -> Catalog | None:
        """The catalog, when it is known without asking."""
        return self._catalog

    def reach(self, tables: frozenset[str]) -> frozenset[str]:
        """The tables and what else a write to them may change, as far as it is known without asking."""
        return tables if self._catalog is None else self._catalog.reach(tables)

    def forget_catalog(self) -> None:
        self._catalog = None
