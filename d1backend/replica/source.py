"""What a replica reads from D1, over a connection of its own."""

import dataclasses
import time
from collections.abc import Callable, Collection

from django.db import connections

from d1backend.base import DatabaseWrapper
from d1backend.creation import id_of
from d1backend.errors import MissingError, OperationalError
from d1backend.options import Settings, settings_of
from d1backend.protocol import encoding
from d1backend.protocol.api import Api, Statement
from d1backend.replica import change_log
from d1backend.replica.changes import (
    ChangeSet,
    NeedsRefill,
    changes_query,
    count_query,
    page_query,
    parse_changes,
)
from d1backend.replica.options import ReplicaOptions
from d1backend.replica.tables import (
    Row,
    Rows,
    Shape,
    SourceSchema,
    TableSchema,
    columns_query,
    parse_columns,
    search_settings_query,
)

# Numbers of the log that one batch deletes.
_TRIMMED = 20_000


def settings_of_source(alias: str) -> tuple[Settings, str]:
    """The API's settings and the id of the database with that alias.

    Raises OperationalError when it is not on D1.
    """
    wrapper = connections[alias]
    if not isinstance(wrapper, DatabaseWrapper):
        raise OperationalError(f"DATABASES[{alias!r}] is not on D1, so it has no replica.")
    settings = settings_of(alias, wrapper.settings_dict)
    return settings, id_of(settings, str(wrapper.settings_dict["NAME"]))


class Source:
    """A connection to the source; used by one thread at a time.

    With `patient`, a call is retried as the settings of the database say, for people who wait. Otherwise it is tried
    once with short timeouts, because the caller has an older copy to read. With a `patience` in seconds, it is retried
    that long. With `on_rate_limit`, a call waits for as long as a 429 asks, and calls it with the seconds of each wait.
    """

    def __init__(
        self,
        options: ReplicaOptions,
        *,
        patient: bool,
        on_rate_limit: Callable[[float], None] | None = None,
        patience: float | None = None,
    ) -> None:
        settings, self.database = settings_of_source(options.source)
        if patience is not None:
            settings = settings.patient(patience)
        elif patient:
            settings = dataclasses.replace(settings, most_calls=None)
        else:
            settings = dataclasses.replace(
                settings,
                retries=0,
                timeout=min(settings.timeout, 10.0),
                connect_timeout=min(settings.connect_timeout, 3.0),
            )
        self.options, self._api = options, Api(settings, waiting=on_rate_limit)

    def seconds_to_sync(self) -> float:
        """See Budget.seconds_to_sync()."""
        return self._api.budget.seconds_to_sync()

    def close(self) -> None:
        self._api.close()

    def query(self, statements: list[Statement]) -> list[Rows]:
        """The rows of each statement, read in one batch."""
        return [result["rows"] for result in self._api.batch(self.database, statements)]

    def execute(self, statements: list[Statement]) -> list[Rows]:
        """Run a batch that writes. It may be sent more than once, so it must be idempotent."""
        return [result["rows"] for result in self._api.batch(self.database, statements, writes=True)]

    def fetch_changes(
        self, shape: Shape, since: int, *, check_schema: bool = True, versions: bool = False
    ) -> ChangeSet:
        """The next changes after the number `since`, for a copy of that shape.

        Raises NeedsRefill when the log, or a table or column to read, no longer exists.
        """
        started = time.time()
        statements = changes_query(shape, since, check_schema=check_schema, versions=versions)
        try:
            results = self._api.batch(self.database, statements)
        except MissingError as error:
            raise NeedsRefill(f"the schema on D1 has changed ({error})") from error
        return parse_changes(results, shape, since, started)

    def fetch_changes_and(
        self, shape: Shape, since: int, statements: list[Statement]
    ) -> tuple[ChangeSet, list[Rows]]:
        """What fetch_changes() returns, and the rows of other statements as of the same state of D1."""
        started = time.time()
        changes = changes_query(shape, since, check_schema=True)
        try:
            results = self._api.batch(self.database, [*changes, *statements])
        except MissingError as error:
            raise NeedsRefill(f"the schema on D1 has changed ({error})") from error
        change_set = parse_changes(results[: len(changes)], shape, since, started)
        return change_set, [result["rows"] for result in results[len(changes) :]]

    def trim_log(self) -> None:
        """Cut the log of changes."""
        self.execute([(sql, []) for sql in change_log.trim_statements()])

    def count_old_entries(self) -> int:
        """How many entries of the log nobody needs, if it has grown so long that cutting it is worth it.

        0 too where the log was never installed.
        """
        try:
            (rows,) = self.query([(change_log.old_entries_query(), [])])
        except MissingError:
            return 0
        return int(rows[0][0]) if rows else 0

    def trim_log_in_parts(self) -> None:
        """Cut the log of changes in batches that D1 runs in no time."""
        while self.execute([(sql, []) for sql in change_log.trim_part(_TRIMMED)])[-1] == [[1]]:
            pass

    def fetch_page(self, table: TableSchema, after: int | None, limit: int) -> tuple[list[Row], int]:
        """The rows of a table after the key `after`, and how many characters of JSON they took."""
        (rows,) = self.query([page_query(table, after, limit)])
        texts = [text for (text,) in rows]
        return encoding.rows(texts), sum(map(len, texts))

    def count_rows(self, tables: Collection[TableSchema]) -> dict[str, int]:
        """The number of rows to copy of each table."""
        results = self.query(list(map(count_query, tables)))
        return {table.name: rows[0][0] for table, rows in zip(tables, results, strict=True)}

    def fetch_schema(self) -> SourceSchema:
        """The schema and the position of the log.

        Raises OperationalError when the log is not installed or does not fit the schema.
        """
        tables, search = self.options.tables, self.options.search
        state_rows, ((anchor,),), columns, *search_settings = self.query(
            [
                (change_log.state_query(), []),
                (f"SELECT {change_log.nonce_of(change_log.SEQ)}", []),
                columns_query(tables),
                *map(search_settings_query, search),
            ]
        )
        state = change_log.parse_state(state_rows)
        if state is None or state.schema is None or not state.is_same or not set(tables) <= state.tables:
            raise OperationalError("The log of changes on D1 does not fit its schema: install it again.")
        return SourceSchema(
            epoch=state.epoch,
            seq=state.seq,
            number=state.number,
            version=state.version,
            text=state.schema,
            tables=parse_columns(tables, columns, self.options.source),
            search={
                name: [(k, v) for k, v in rows] for name, rows in zip(search, search_settings, strict=True)
            },
            anchor=anchor,
        )
