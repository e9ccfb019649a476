"""The questions a replica asks D1, over a connection of its own."""

import dataclasses
import json
import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import connections

from d1backend.base import DatabaseWrapper
from d1backend.creation import id_of
from d1backend.errors import MissingError, OperationalError
from d1backend.options import settings_of
from d1backend.protocol import encoding
from d1backend.protocol.api import Api, Result, Statement
from d1backend.replica import changes, triggers
from d1backend.replica.changes import Shape
from d1backend.replica.options import Options
from d1backend.retry import retry_on_conflict

Row = tuple[Any, ...]


class UnfitError(Exception):
    """A copy cannot be continued from here and must be filled anew; `back` when D1 itself is older than the copy."""

    def __init__(self, why: str, *, back: bool = False) -> None:
        super().__init__(why)
        self.back = back


@dataclass(frozen=True)
class Change:
    """A row that changed: as it is now, or None when it is gone."""

    seq: int
    table: str
    key: int
    quiet: bool
    row: Row | None

    @property
    def name(self) -> str:
        """Tells it from another that would have its number if D1 went back in time."""
        return f"{self.table} {self.key} {self.quiet:d}"


@dataclass(frozen=True)
class News:
    """The changes after `since` as of one moment, not before `started` (seconds, time.time()).

    `anchor`: the change `since` itself, when it is still the last of its row; `whole`: whether these are all changes
    until then; `versions`: of each table the last change that was more than
    quiet, when that was asked for.
    """

    since: int
    started: float
    epoch: str
    floor: int
    same_schema: bool
    seq: int
    changes: list[Change]
    whole: bool
    anchor: str | None = None
    versions: dict[str, int] = field(default_factory=dict)

    @property
    def reached(self) -> int:
        return self.seq if self.whole else self.changes[-1].seq

    @property
    def last(self) -> str | None:
        """What the anchor will be for who asks for the changes after these."""
        return self.changes[-1].name if self.changes else self.anchor


@dataclass(frozen=True)
class Description:
    """The source's schema, and where its log stands."""

    epoch: str
    seq: int
    objects: list[tuple[str, str, str, str]]
    shapes: dict[str, Shape]
    search: dict[str, list[tuple[str, Any]]]


@dataclass(frozen=True)
class _Installed:
    """The state of the log (empty when there is none), the schema of tables, and the triggers there are."""

    state: list[Any]
    schema: str | None
    columns: list[list[Any]]
    uniques: list[list[Any]]
    triggers: dict[str, str]


def read_news(answers: list[Result], since: int, started: float) -> News:
    """What changes.news() is answered.

    Raises UnfitError when the log was never installed.
    """
    state, rows = answers[0]["rows"], answers[1]["rows"]
    if not state:
        raise UnfitError("the log of changes on D1 has no state")
    epoch, floor, same, seq, _ = state[0]
    found = [
        Change(at, table, int(key), bool(quiet), None if text is None else encoding.row(json.loads(text)))
        for at, table, key, quiet, text in rows
    ]
    anchor = found.pop(0).name if found and found[0].seq == since else None
    versions = {str(table): at for table, at in answers[2]["rows"]} if len(answers) > 2 else {}
    whole = not found or found[-1].seq >= seq
    return News(since, started, epoch, floor, bool(same), seq, found, whole, anchor, versions)


class Source:
    """One database of D1; used by one thread at a time.

    `patient` is for people who wait: a call is retried as the settings say. Otherwise it is tried once, and soon
    given up, because whoever asks has an older copy to go on with. Who has `waiting` told of it (how many seconds)
    waits for as long as a 429 asks.
    """

    def __init__(
        self, options: Options, *, patient: bool, waiting: Callable[[float], None] | None = None
    ) -> None:
        wrapper = connections[options.source]
        if not isinstance(wrapper, DatabaseWrapper):
            raise OperationalError(f"DATABASES[{options.source!r}] is not on D1, so it has no replica.")
        settings = settings_of(options.source, wrapper.settings_dict)
        self.database = id_of(settings, str(wrapper.settings_dict["NAME"]))
        if not patient:
            settings = dataclasses.replace(
                settings,
                retries=0,
                timeout=min(settings.timeout, 10.0),
                connect_timeout=min(settings.connect_timeout, 3.0),
            )
        self._options, self._api = options, Api(settings, waiting=waiting)

    @property
    def round_trips(self) -> int:
        return self._api.round_trips

    def close(self) -> None:
        self._api.close()

    def _ask(self, statements: list[Statement]) -> list[list[list[Any]]]:
        return [answer["rows"] for answer in self._api.batch(self.database, statements)]

    def news(
        self, shapes: Iterable[Shape], since: int, *, schema: bool = True, versions: bool = False
    ) -> News:
        """The next changes; raises UnfitError when the log or what it would read is no longer there."""
        started = time.time()
        statements = [
            *changes.news(shapes, since, schema=schema),
            *([(changes.VERSIONS, [])] if versions else []),
        ]
        try:
            answers = self._api.batch(self.database, statements)
        except MissingError as error:
            raise UnfitError(f"the schema on D1 has changed ({error})") from error
        return read_news(answers, since, started)

    def page(self, shape: Shape, after: int | None, limit: int) -> tuple[list[Row], int]:
        """Rows of a table by key after `after`, and how many characters of JSON they took."""
        ((*rows,),) = self._ask([changes.page(shape, after, limit)])
        return [encoding.row(json.loads(text)) for (text,) in rows], sum(len(text) for (text,) in rows)

    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        names = self._options.tables
        rows = self._ask([(f"SELECT count(*) FROM {changes.quoted(name)}", []) for name in names])
        return {name: answer[0][0] for name, answer in zip(names, rows, strict=True)}

    def describe(self) -> Description:
        """Raises OperationalError when the log is not installed or does not fit the schema."""
        options = self._options
        state, objects, columns, *search = self._described(options.tables)
        if not state or not state[0][2] or not set(options.tables) <= set(json.loads(state[0][4])):
            raise OperationalError("The log of changes on D1 does not fit its schema: install it again.")
        return Description(
            epoch=state[0][0],
            seq=state[0][3],
            objects=[(kind, name, table, sql) for kind, name, table, sql in objects],
            shapes=changes.shapes_of(options.tables, columns, f"DATABASES[{options.source!r}]"),
            search={
                name: [(k, v) for k, v in rows] for name, rows in zip(options.search, search, strict=True)
            },
        )

    def _described(self, tables: Iterable[str]) -> list[list[list[Any]]]:
        return self._ask([(changes.STATE_OF_LOG, []), *changes.describe(tables, self._options.search)])

    def fits(self) -> bool:
        """Whether the log is installed for the replica's tables and its triggers saw every change."""
        try:
            (state,) = self._ask([(changes.STATE_OF_LOG, [])])
        except MissingError:
            return False
        return bool(state and state[0][2] and set(self._options.tables) <= set(json.loads(state[0][4])))

    @retry_on_conflict
    def install(
        self, *, exactly: bool = True, anew: bool = False, say: Callable[[str], None] = lambda _: None
    ) -> bool:
        """Make the log and its triggers where they are missing or differ; returns whether anything was done.

        `exactly`: tables that were logged for other settings are no longer; `anew`: every host fills anew.
        Raises LookupError for a table that is not there, ValueError for one without an INTEGER PRIMARY KEY.
        """
        options = self._options
        tables = set(options.tables)
        found = self._installed(tables)
        logged = json.loads(found.state[4]) if found.state else []
        if not exactly and not set(logged) <= tables:
            found = self._installed(tables | set(logged))
            tables |= set(logged) & {row[0] for row in found.columns}
        shapes = changes.shapes_of(sorted(tables), found.columns, f"DATABASES[{options.source!r}]")
        uniques = triggers.uniques_of(found.uniques)
        made: dict[str, str] = {}
        for table, shape in shapes.items():
            made |= triggers.triggers(shape, options.quiet.get(table, ()), uniques.get(table, ()))
        if not anew and found.state and sorted(tables) == logged and made == found.triggers:
            _, floor, same, seq, _ = found.state
            if same and not changes.trims(floor, seq):
                return False
        say(f"Logging changes of {', '.join(sorted(tables))}.")
        batch = changes.install(tables, made, found.triggers, found.schema, uuid.uuid4().hex, anew=anew)
        self._api.batch(self.database, batch, writes=True)
        return True

    def _installed(self, tables: Iterable[str]) -> "_Installed":
        names = sorted(tables)
        questions: list[Statement] = [
            (f"SELECT {changes.schema_of(names)}", []),
            changes.describe(names, ())[1],
            triggers.indexes(names),
            (triggers.PRESENT, []),
        ]
        try:
            (*state,), *answers = self._ask([(changes.STATE_OF_LOG, []), *questions])
        except MissingError:
            state, answers = [], self._ask(questions)
        ((schema,),), columns, uniques, present = answers
        return _Installed(
            state[0] if state else [], schema, columns, uniques, {str(n): sql for n, sql in present}
        )

    def drop(self) -> None:
        """Remove the log and its triggers."""
        (present,) = self._ask([(triggers.PRESENT, [])])
        drops = [*(f"DROP TRIGGER IF EXISTS {changes.quoted(name)}" for name, _ in present), *changes.DROP]
        self._api.batch(self.database, [(sql, []) for sql in drops], writes=True)
