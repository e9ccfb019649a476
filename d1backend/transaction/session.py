"""One database over one HTTP connection: batches that read, batches that write with their mark, and the catalog."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from d1backend.errors import (
    AlreadyAppliedError,
    ConditionFailed,
    DataError,
    MissingError,
    OperationalError,
    OutcomeUnknown,
    OvertakenError,
    SchemaChangedError,
    SerializationFailure,
)
from d1backend.options import Settings
from d1backend.protocol import encoding, schema_version
from d1backend.protocol.api import Api, Result, Statement
from d1backend.protocol.batch_marks import BatchMarks, with_preparation
from d1backend.sql import catalog as catalogs
from d1backend.sql.catalog import Catalog
from d1backend.sql.values import Row
from d1backend.transaction.settlement import Settlement
from d1backend.transaction.shared_catalog import SharedCatalog
from d1backend.transaction.tail import Tail, may_be_at_fault, no_tail

T = TypeVar("T")
QUERY: Statement = (catalogs.QUERY, [])
# How often one question may meet another version of the schema.
_MOST_CHANGES = 5

# The names of a result's columns, and its rows.
NamedRows = tuple[list[str], list[Row]]


class Session:
    """Sends batches; used by one thread at a time.

    `new_tail` makes the tail of a writing batch, from whether the batch changes the schema; `conditions` returns the
    statements that each of them begins with, and that fail it where it must not be written.
    """

    def __init__(
        self,
        settings: Settings,
        database: str,
        new_tail: Callable[[bool], Tail] = no_tail,
        conditions: Callable[[], list[Statement]] = list,
    ) -> None:
        self.api = Api(settings)
        self.database = database
        self.identity = f"{settings.base_url} {settings.account_id} {database}"
        self._marks = BatchMarks()
        self._new_tail, self._conditions = new_tail, conditions
        self._shared = SharedCatalog(self.identity, settings.folder)
        # The catalog in use, and whether this connection has compared it with the database.
        self._catalog: Catalog | None = None
        self._compared = False

    def read_batch(self, statements: list[Statement], *, checked: bool = False) -> list[Result]:
        """The results of statements that only read. The first batch of a connection fetches or compares the catalog.

        With `checked`, the caller has relied on the catalog: raises SchemaChangedError if it is out of date.
        """
        catalog = self.known_catalog
        if catalog is None:
            more = [QUERY, schema_version.QUERY]
        else:
            more = [schema_version.QUERY] if checked or not self._compared else []
        try:
            results = self.api.batch(self.database, [*statements, *more])
        except MissingError as error:
            self._doubt_catalog(error)
            raise
        answers = results[len(statements) :]
        if catalog is None:
            self._take_catalog(answers)
        elif answers and not self._compare(_version(answers[0])) and checked:
            raise SchemaChangedError
        return results[: len(statements)]

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
        except MissingError as error:
            self._doubt_catalog(error)
            raise
        except SerializationFailure as error:
            # What changed may be the schema, a trigger for example.
            self._compare(error.schema_version)
            raise
        finally:
            # The shared one is old as well, when this connection has not used it yet.
            if schema and self.known_catalog is not None:
                self.forget_catalog()

    def _write_batch(self, statements: list[Statement], schema: bool) -> list[Result] | AlreadyAppliedError:
        conditions = self._conditions()
        batch = self._marks.with_mark([*conditions, *statements])
        fetches = schema or self._lacks_version
        try:
            check, *results = with_preparation(lambda before: self._send([*before, *batch], schema))
        except AlreadyAppliedError as applied:
            self._marks.applied()
            return applied
        except OutcomeUnknown as unknown:
            unknown.ask = Settlement(self.api.settings, self.database, self._marks.give_up())
            raise
        self._marks.applied()
        # A catalog that came with the batch is newer than the version that its check saw.
        if not fetches:
            self._compare(_version(check))
        return results[len(conditions) :]

    def _send(self, statements: list[Statement], schema: bool) -> list[Result]:
        """The results of a writing batch; those of its tail go to the tail."""
        more = self._about_schema(schema)
        batch = [*statements, *more]
        tail = self._new_tail(schema)
        try:
            results = self.api.batch(self.database, batch, writes=True, tail=tail.statements)
        except (AlreadyAppliedError, OutcomeUnknown, SerializationFailure, ConditionFailed):
            # After the last two nothing was written, but to run it again needs newer rows.
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
        if more and not schema:
            self._take_catalog(results[len(statements) + 1 : len(batch)])
        return results[: len(statements)]

    def _about_schema(self, changes: bool) -> list[Statement]:
        """What a writing batch does about the schema at its end: give it a version, and fetch what is not known."""
        if changes:
            return schema_version.replace_version()
        if not self._lacks_version:
            return []
        return [schema_version.ensure_version(), QUERY, schema_version.QUERY]

    # The catalog

    @property
    def _lacks_version(self) -> bool:
        return self.known_catalog is None or self.known_catalog.version is None

    def catalog(self) -> Catalog:
        """The catalog. It may be out of date: a question that relies on it is sent with a check of its version."""
        if self.known_catalog is None:
            self.read_batch([("SELECT 1", [])])
        assert self._catalog is not None
        return self._catalog

    @property
    def known_catalog(self) -> Catalog | None:
        """The catalog, if this process or another one of the host has fetched it before."""
        if self._catalog is None:
            self._catalog = self._shared.find()
        return self._catalog

    def on_current_catalog(self, ask: Callable[[], T]) -> T:
        """The answer to a question that relies on the catalog; asked again when the schema has changed."""
        for _ in range(_MOST_CHANGES):
            try:
                return ask()
            except SchemaChangedError:
                continue
        raise OperationalError(
            "The schema of the database keeps changing; try again when it has been migrated."
        )

    def forget_catalog(self) -> None:
        if self._catalog is not None:
            self._shared.forget(self._catalog)
        self._catalog, self._compared = None, False

    def _take_catalog(self, answers: Sequence[Result]) -> None:
        """Keep the catalog from the answers to its two questions."""
        rows, version = answers
        self._catalog, self._compared = self._shared.keep(rows["rows"], _version(version)), True

    def _compare(self, version: str | None) -> bool:
        """Whether the catalog in use has the database's version; drop it otherwise."""
        if self._catalog is None or self._catalog.version != version:
            self.forget_catalog()
            if version is not None:
                self._catalog = self._shared.find(version)
                self._compared = self._catalog is not None
            return False
        self._compared = True
        return True

    def _doubt_catalog(self, error: MissingError) -> None:
        """Drop the catalog when it knows what is missing: the schema was changed by other hands."""
        if self._catalog is not None and self._catalog.has(error):
            self.forget_catalog()


def _version(result: Result) -> str | None:
    return result["rows"][0][-1] if result["rows"] else None
