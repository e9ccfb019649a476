"""Takes a backup: one file, which is there when it is complete."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError

from core.errors import GalleryError
from d1backend import errors
from d1backend.archive import ArchiveError, ArchiveWriter, ContainerWriter, Json, Table
from d1backend.replica.changes import NeedsRefill
from d1backend.sql.values import Row
from operations.backups import contents, keys, schema
from operations.backups.errors import BackupError
from operations.backups.reading import Reading, reading_of
from operations.backups.schema import listed
from uploads.storage.base import configured_store

_PAGE = 1_000  # objects
_FAILURES = (ArchiveError, NeedsRefill, errors.Error, DatabaseError, sqlite3.Error, GalleryError)


@dataclass(frozen=True)
class Taken:
    """A backup that was written: the rows of each table, the objects of the image store, and its secret."""

    rows: dict[str, int]
    pictures: int
    later: dict[str, float]
    secret: str


def take(
    path: Path,
    moment: datetime,
    to: Sequence[str],
    note: Callable[[str], None],
    alias: str = DEFAULT_DB_ALIAS,
) -> Taken:
    """Write a backup of the database with that alias to a new file, encrypted to these public keys of age.

    Raises BackupError; then there is no file.
    """
    secret = keys.new_secret()
    about = contents.about(settings.VERSION, moment.isoformat(timespec="seconds"), to)
    with failures(), ContainerWriter(path, (contents.ABOUT, about)) as file:
        file.write(*keys.member_of(secret, to))
        archive = ArchiveWriter(file, keys.ring_of(secret))
        with reading_of(alias, note) as reading:
            _require_migrated(reading)
            if reading.schema.others:
                note(
                    f"Not in the backup, because this version does not know them: {', '.join(reading.schema.others)}."
                )
            rows = {
                table.name: archive.write_table(
                    Table(table.name, table.columns, table.key), reading.pages(table)
                )
                for table in reading.schema.tables.values()
            }
        pictures = archive.write_table(contents.PICTURES, _inventory())
        archive.finish(_facts(reading, moment))
    return Taken(rows, pictures, reading.later, secret)


def _facts(reading: Reading, moment: datetime) -> dict[str, Json]:
    return {
        "kind": contents.KIND,
        "version": settings.VERSION,
        "taken": moment.isoformat(timespec="seconds"),
        "engine": reading.engine,
        "serial": None if reading.serial is None else dict(reading.serial),
        "later": dict(reading.later),
        "migrations": [list(one) for one in reading.migrations],
        "sequences": dict(reading.sequences),
    }


def _require_migrated(reading: Reading) -> None:
    applied, known = set(reading.migrations), schema.known_migrations()
    if missing := known - applied:
        raise BackupError(f"The database lacks {listed(missing)}: run `manage.py migrate` first.")
    if newer := applied - known:
        raise BackupError(
            f"The database has {listed(newer)}, which this code does not know. Take the backup with the version that "
            "migrated it."
        )


def _inventory() -> Iterator[list[Row]]:
    """The objects of the image store in pages."""
    objects = iter(configured_store().inventory())
    while page := list(islice(objects, _PAGE)):
        yield list(page)


@contextmanager
def failures() -> Iterator[None]:
    """Turn what a database, a store or the disk raises into a BackupError in one sentence."""
    try:
        yield
    except _FAILURES as error:
        sentence = str(getattr(error, "message", error)).strip().rstrip(".") or type(error).__name__
        raise BackupError(f"{sentence}.") from error
    except BrokenPipeError:  # of who reads the command's lines
        raise
    except OSError as error:
        raise BackupError(f"This host's disk failed: {error.strerror or type(error).__name__}.") from error
