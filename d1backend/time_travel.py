"""Time Travel: takes a database on D1 back to an earlier moment, and lets no host go on with what came after it.

D1's change log and the sequences of keys go back with the rows. So a restore begins a new epoch of the log, for which
every host fills its copy again (replica/change_log.py), and sets the sequences where they were, so no key of a row that
is lost is given to another one: docs/time-travel.md, docs/decisions/0036-after-a-restore-nothing-comes-again.md.
"""

import dataclasses
import json
import logging
import re
import uuid
from collections.abc import Collection
from contextlib import closing
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import IO, Any, Self

from django.db import DatabaseError, connections
from django.db.migrations import Migration
from django.dispatch import Signal

from d1backend.creation import is_made_by_tests
from d1backend.errors import Error, MissingError, OutcomeUnknown
from d1backend.options import settings_of
from d1backend.protocol.api import Api, Statement
from d1backend.replica.change_log import LOG, STATE, begin_epoch
from d1backend.replica.source import settings_of_source
from d1backend.sql.values import literal

log = logging.getLogger(__name__)

# https://developers.cloudflare.com/d1/reference/time-travel/: 7 days on the free plan.
REACH = timedelta(days=30)
# Keys that may be given between the look at the sequences and the restore.
_KEYS_AHEAD = 1000
_BOOKMARK = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{8}){2}-[0-9a-f]{32}")
_SEQUENCES = "sqlite_sequence"

# Sent by the command before it asks, with `using` and `since` (a datetime; None if only the bookmark is known), and
# after it, with `using`. Receivers return lines: what a restore loses, and what is to do next.
asks_what_is_lost = Signal()
asks_what_is_next = Signal()


class NotToldError(Exception):
    """The database was taken back, but the copies do not know; `undo` is the bookmark of the moment before."""

    def __init__(self, undo: str, cause: Exception) -> None:
        super().__init__(str(cause))
        self.undo = undo


def is_bookmark(text: str) -> bool:
    return _BOOKMARK.fullmatch(text) is not None


def parse_moment(text: str) -> datetime:
    """A time in ISO 8601 with its zone, to which D1 can go back. Raises ValueError, which says what is wrong."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"{text!r} is neither a bookmark nor a time such as 2026-11-29T09:30:00+05:30."
        ) from None
    if moment.tzinfo is None:
        raise ValueError(
            f"{text!r} has no time zone: write 2026-11-29T09:30:00+05:30, or Z at its end for UTC."
        )
    now = datetime.now(UTC)
    if moment > now:
        raise ValueError(f"{text} is in the future.")
    if now - moment > REACH:
        raise ValueError(
            f"{text} is too long ago: Time Travel reaches back {REACH.days} days, 7 on the free plan."
        )
    return moment.astimezone(UTC)


class TimeTravel:
    """The states of one database on D1; used as a context manager."""

    def __init__(self, alias: str) -> None:
        """Raises OperationalError when the database with that alias is not on D1."""
        settings, self.database = settings_of_source(alias)
        self._api = Api(dataclasses.replace(settings, most_calls=None))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._api.close()

    def bookmark(self, moment: datetime | None = None) -> str:
        """The bookmark of that moment, or of now."""
        # JavaScript's format, which the API asks for, has milliseconds.
        at = None if moment is None else moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return self._api.bookmark(self.database, at)

    def restore(self, bookmark: str) -> str:
        """Take the database back to that bookmark; return the one that undoes it.

        Raises NotToldError if it went back, and what follows failed; other errors, but OutcomeUnknown, mean that
        nothing was done.
        """
        sequences, before = self._sequences(), self.bookmark()
        try:
            undo = self._api.restore(self.database, bookmark)
        except OutcomeUnknown as unknown:
            # To go back twice does no harm, but the second answer would name the state after the first.
            try:
                self._api.restore(self.database, bookmark)
            except (Error, DatabaseError):
                raise unknown from None
            undo = before
        try:
            self._tell(sequences)
        except (Error, DatabaseError) as error:
            raise NotToldError(undo, error) from error
        return undo

    def _sequences(self) -> dict[str, int]:
        """The last key that was given in each table with AUTOINCREMENT."""
        try:
            rows = self._rows(f"SELECT name, CAST(seq AS TEXT) FROM {_SEQUENCES}")
        except MissingError:
            return {}
        return {str(name): int(seq) for name, seq in rows}

    def _tell(self, sequences: dict[str, int]) -> None:
        """Begin an epoch of the log, and set the sequences at least where they were; first as if all were there."""
        epoch = uuid.uuid4().hex
        try:
            self._write([*_as_statements(epoch), *_set_sequences(sequences)])
        except MissingError:
            names = f"SELECT name FROM sqlite_master WHERE name IN ('{LOG}', '{STATE}', '{_SEQUENCES}')"
            found = {name for (name,) in self._rows(names)}
            has_log, has_sequences = {LOG, STATE} <= found, _SEQUENCES in found
            self._write(
                [
                    *(_as_statements(epoch) if has_log else ()),
                    *(_set_sequences(sequences) if has_sequences else ()),
                ]
            )

    def _rows(self, sql: str) -> list[list[Any]]:
        return self._api.batch(self.database, [(sql, [])])[0]["rows"]

    def _write(self, statements: list[Statement]) -> None:
        """Run statements that may be run more than once."""
        if statements:
            self._api.batch(self.database, statements, writes=True)


def _as_statements(epoch: str) -> list[Statement]:
    return [(sql, []) for sql in begin_epoch(epoch)]


def _set_sequences(sequences: dict[str, int]) -> list[Statement]:
    """Statements that give no key again up to these, of tables that are there."""
    wanted = literal(json.dumps({name: seq + _KEYS_AHEAD for name, seq in sequences.items()}))
    return [
        (
            f"INSERT INTO {_SEQUENCES} (name, seq) SELECT m.name, 0 FROM json_each({wanted}) w JOIN sqlite_master m "
            f"ON m.name = w.key WHERE m.type = 'table' AND m.sql LIKE '%AUTOINCREMENT%' "
            f"AND m.name NOT IN (SELECT name FROM {_SEQUENCES})",
            [],
        ),
        (
            f"UPDATE {_SEQUENCES} SET seq = max(seq, (SELECT value FROM json_each({wanted}) WHERE key = name)) "
            f"WHERE name IN (SELECT key FROM json_each({wanted}))",
            [],
        ),
    ]


def command_to_restore(bookmark: str, alias: str) -> str:
    """The command line that takes a database to a bookmark."""
    other = "" if alias == "default" else f" --database {alias}"
    return f"python manage.py d1_time_travel{other} --at {bookmark} --restore"


def note_bookmark(
    using: str,
    plan: Collection[tuple[Migration, bool]] = (),
    verbosity: int = 1,
    stdout: IO[str] | None = None,
    **kwargs: Any,
) -> None:
    """Print and log the bookmark of a database on D1 before its migration, and the command that undoes it.

    It handles Django's pre_migrate. A server without Time Travel is one line too, and no reason to stop.
    """
    wrapper = connections[using]
    if not plan or wrapper.settings_dict["ENGINE"] != "d1backend":
        return
    settings = settings_of(using, wrapper.settings_dict)
    if is_made_by_tests(settings, str(wrapper.settings_dict["NAME"])):
        return
    brief = dataclasses.replace(settings, retries=1, timeout=min(settings.timeout, 10.0), most_calls=None)
    try:
        with closing(Api(brief)) as api:
            bookmark = api.bookmark(str(wrapper.settings_dict["NAME"]))
    except (Error, DatabaseError) as error:
        line = f"No bookmark was noted before this migration: {error}"
    else:
        line = f"D1 before this migration: {bookmark}. To undo it: {command_to_restore(bookmark, using)}"
    log.info(line)
    if stdout is not None and verbosity:
        stdout.write(f"{line}\n")
