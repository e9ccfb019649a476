"""What is in a backup: its first member, its facts, the inventory of pictures; and how a file is opened."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyrage

from d1backend.archive import ArchiveError, ArchiveReader, ContainerReader, Table
from operations.backups import keys, schema
from operations.backups.errors import BackupError
from operations.backups.schema import Migration, listed

ABOUT = "design-gallery-backup.txt"
KIND = "backup of a design gallery"
# The objects of the image store, a table of its own in the archive.
PICTURES = Table("pictures of the image store", ("key", "size", "etag"), "key")


@dataclass(frozen=True)
class Backup:
    """An open backup: its archive, and the secret that it is encrypted with."""

    archive: ArchiveReader
    secret: str

    @property
    def facts(self) -> dict[str, Any]:
        return dict(self.archive.manifest.facts)

    @property
    def tables(self) -> dict[str, Table]:
        """The tables of the database, in the order in which they can be filled."""
        return {t.name: t for t in self.archive.manifest.tables if t.name != PICTURES.name}

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables.values())


def about(version: str, taken: str, to: Sequence[str]) -> str:
    """The text for people at the beginning of a file."""
    key = (
        f"It is encrypted to {', '.join(to)}.\nThe file with the private key opens it: add --identity FILE.\n"
        if to
        else "It is not encrypted to a key: who has this file can read all of it.\n"
    )
    return (
        f"A backup of a Design Gallery, taken at {taken} by version {version}.\n{key}"
        "To restore it: set the database's variables to a new, empty one, and run `manage.py restore` with this file.\n"
    )


@contextmanager
def opened(
    path: Path, identities: Sequence[pyrage.x25519.Identity] = (), secret: str | None = None
) -> Iterator[Backup]:
    """Open a backup, with the secret if it is known. Raises BackupError, which says why it cannot be used."""
    name = path.name
    try:
        with ContainerReader(path, ABOUT) as file:
            found = secret or keys.secret_in(file, identities)
            if found is None:
                raise BackupError(_locked(name, file.read(ABOUT).decode(errors="replace"), bool(identities)))
            archive = ArchiveReader.open(_Members(file), keys.ring_of(found))
            if archive.manifest.facts.get("kind") != KIND:
                raise ArchiveError("it is something else")
            yield Backup(archive, found)
    except ArchiveError as error:
        raise BackupError(f"{name} is no backup that can be used: {error}.") from error
    except BrokenPipeError:  # of who reads the command's lines
        raise
    except OSError as error:
        raise BackupError(f"{name} cannot be read ({error.strerror or type(error).__name__}).") from error


class _Members:
    """The members of a file as the objects of an archive."""

    def __init__(self, file: ContainerReader) -> None:
        self._file = file

    def read(self, name: str) -> bytes:
        return self._file.read(name)


def _locked(name: str, text: str, has_identity: bool) -> str:
    line = next((line for line in text.splitlines() if line.startswith("It is encrypted to ")), "")
    to = line.removeprefix("It is encrypted to ").rstrip(".") or "a key of age"
    if has_identity:
        return f"{name} is encrypted to {to}, and the identity has another key."
    return f"{name} is encrypted to {to}: name the file with its private key by --identity."


def require_schema(backup: Backup, name: str) -> None:
    """Raise BackupError unless this version of the code has the tables that the backup has."""
    facts, known = backup.facts, schema.known_migrations()
    had: set[Migration] = {(app, migration) for app, migration in facts["migrations"]}
    by = f"version {facts['version']} wrote it"
    if newer := had - known:
        raise BackupError(
            f"{name} has a newer schema than this code ({listed(newer)}; {by}). Restore it with that version."
        )
    if older := known - had:
        raise BackupError(
            f"{name} has an older schema than this code (it lacks {listed(older)}; {by}). Restore it with that "
            "version, then migrate with this one."
        )
    has = schema.expected_columns()
    for table in sorted(backup.tables.keys() | has.keys()):
        columns = set(backup.tables[table].columns) if table in backup.tables else None
        if columns != has.get(table):
            raise BackupError(
                f"{name} has other columns in {table} than this code, although the migrations have the same names "
                f"({by}). Restore it with the code of that time."
            )
