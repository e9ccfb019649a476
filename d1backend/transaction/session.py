"""One database over one HTTP connection: batches that read, batches that write with their mark, and the catalog."""

from collections.abc import Callable, Sequence

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
from d1backend.protocol.batch_marks import BatchMarks, preparation
from d1backend.sql.catalog import QUERY, Catalog
from d1backend.sql.values import Row
from d1backend.transaction.tail import Tail, may_be_at_fault, no_tail

# The names of a result's columns, and its rows.
NamedRows = tuple[list[str], list[Row]]


class Session:
    """Sends batches; used by one thread at a time.

    `new_tail` makes the tail of a writing batch, from whether the batch changes the schema.
    """

    def __init__(self, settings: Settings, database: str, new_tail: Callable[[bool], Tail] = no_tail) -> None:
        self.api = Api(settings)
        self.database = database
        self.identity = f"{settings.base_url} {settings.account_id} {database}"
        self._marks = BatchMarks()
        self._new_tail = new_tail
        self._catalog: Catalog | None = None

    def read_batch(self, statements: list[Statement]) -> list[Result]:
        """The results of statements that only read. The first batch of a connection fetches the catalog too."""
        batch = self._with_catalog(statements)
        return self._without_catalog(self.api.batch(self.database, batch), len(statements))

    def _with_catalog(self, statements: list[Statement]) -> list[Statement]:
        return statements if self._catalog is not None else [*statements, (QUERY, [])]

    def _without_catalog(self, results: Sequence[Result], count: int) -> list[Result]:
        """The first `count` results; the one after them is the catalog."""
        if len(results) > count:
            self._catalog = Catalog(results[count]["rows"])
        return list(results[:count])

    def decode_result(self, sql: str, bound: list[str], result: Result) -> NamedRows:
        """Names and rows of a result; when integers in it have lost digits, they are read again as JSON text."""
        rows, lossy = encoding.direct(result["rows"])
        columns = result["columns"]
        if lossy and not sql.lstrip().upper().startswith(("PRAGMA", "EXPLAIN")):
            text = self.read_batch([(encoding.exact(sql, len(columns)), bound)])[0]["rows"][0][0]
            rows = encoding.unpack(text)
        return columns, rows

    def write_batch(
        self, statements: list[Statement], *, schema: bool = False
    ) -> list[Result] | AlreadyAppliedError:
        """Send a writing batch with its mark; `schema` says that it changes the schema.

        Returns its results, or what the mark holds when the batch had been applied and its answer was lost.
        """
        try:
            return self._write_batch(statements, schema)
        except OvertakenError:
            self._marks.renew()
            return self._write_batch(statements, schema)
        finally:
            if schema:
                self.forget_catalog()

    def _write_batch(self, statements: list[Statement], schema: bool) -> list[Result] | AlreadyAppliedError:
        batch = self._marks.with_mark(statements)
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
        """The results of a writing batch; those of its tail go to the tail."""
        batch = self._with_catalog(statements)
        tail = self._new_tail(schema)
        try:
            results = self.api.batch(self.database, batch, writes=True, tail=tail.statements)
        except (AlreadyAppliedError, OutcomeUnknown):
            tail.answers_lost()
            raise
        except (OperationalError, DataError) as error:
            if not may_be_at_fault(tail, error):
                raise
            try:
                results = self.api.batch(self.database, batch, writes=True)
            finally:
                tail.answers_lost()
        else:
            tail.receive_answers(results[len(batch) :])
        return self._without_catalog(results[: len(batch)], len(statements))

    def catalog(self) -> Catalog:
        if self._catalog is None:
            self.read_batch([("SELECT 1", [])])
        assert self._catalog is not None
        return self._catalog

    @property
    def known_catalog(self) -> Catalog | None:
        """The catalog, if it was fetched before."""
        return self._catalog

    def reach(self, tables: frozenset[str]) -> frozenset[str]:
        """The tables and what else a write to them may change, as far as the catalog is known."""
        return tables if self._catalog is None else self._catalog.reach(tables)

    def forget_catalog(self) -> None:
        self._catalog = None
