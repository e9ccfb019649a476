"""Where backups lie: a folder, or the prefix `backups/` of the private bucket."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.core.files import File
from django.core.files.storage import Storage, storages

from core import private_files
from core.scratch import scratch_folder
from d1backend.archive.container import UNFINISHED
from operations.backups import retention
from operations.backups.errors import BackupError
from operations.backups.names import moment_of

BUCKET = "r2:"
PREFIX = "backups"
NAMED = 5  # backups that a sentence names
PRIVATE = "private"  # of settings.STORAGES
_CHUNK = 1024 * 1024  # bytes
_NO_BUCKET = (
    "There is no private bucket: set CLOUDFLARE_R2_PRIVATE_BUCKET_NAME and R2's other variables, "
    "or name a folder."
)


class Place(Protocol):
    """A place of backups. Each method raises BackupError when the place fails."""

    def names(self) -> list[str]:
        """The names of the finished backups, the oldest first."""

    def writing(self, name: str) -> AbstractContextManager[Path]:
        """A path on this host to write a new backup to, which is in the place when the block ends."""

    def reading(self, name: str) -> AbstractContextManager[Path]:
        """A path on this host to read a backup from."""

    def delete(self, name: str) -> None: ...


class Folder:
    """Backups in a folder of this host, which only its owner can read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> list[str]:
        with self._errors():
            return _backups(entry.name for entry in self.path.iterdir()) if self.path.exists() else []

    @contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        with self._errors():
            private_files.make_folder(self.path)
            alone = os.open(self.path, os.O_RDONLY)
        try:
            with self._errors():
                self._require_alone(alone)
                # What a backup that was killed left behind.
                for draft in self.path.glob(f"*.backup{UNFINISHED}"):
                    draft.unlink(missing_ok=True)
            yield self.path / name
        finally:
            os.close(alone)

    def _require_alone(self, folder: int) -> None:
        """Lock the folder while it is open. Raises BackupError: two at once would take each other's draft."""
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupError(f"Another backup is being written to {self.path}. Wait for it.") from None

    @contextmanager
    def reading(self, name: str) -> Iterator[Path]:
        yield self.path / name

    def delete(self, name: str) -> None:
        with self._errors():
            (self.path / name).unlink(missing_ok=True)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = os.strerror(error.errno or 0)
            raise BackupError(f"The folder {self.path} cannot be used: {reason}.") from error


class Bucket:
    """Backups in a storage, under `backups/`; written and read by way of a file on this host."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def names(self) -> list[str]:
        with self._errors("listed"):
            try:
                return _backups(self._storage.listdir(PREFIX)[1])
            except FileNotFoundError:
                return []

    @contextmanager
    def writing(self, name: str) -> Iterator[Path]:
        with scratch_folder() as folder:
            path = folder / name
            yield path
            with self._errors("written"), path.open("rb") as file:
                stored = self._storage.save(f"{PREFIX}/{name}", File(file))
                whole = stored == f"{PREFIX}/{name}" and self._storage.size(stored) == path.stat().st_size
            if not whole:
                raise BackupError(f"The bucket has not all of {name}. Take another backup.")

    @contextmanager
    def reading(self, name: str) -> Iterator[Path]:
        with scratch_folder() as folder:
            path = folder / name
            with self._errors("read"):
                try:
                    with self._storage.open(f"{PREFIX}/{name}") as stored, path.open("wb") as file:
                        shutil.copyfileobj(stored, file, _CHUNK)
                except FileNotFoundError:
                    raise BackupError(f"The private bucket has no {PREFIX}/{name}.") from None
            yield path

    def delete(self, name: str) -> None:
        with self._errors("changed"):
            self._storage.delete(f"{PREFIX}/{name}")

    @contextmanager
    def _errors(self, done: str) -> Iterator[None]:
        """Let each failure be a sentence with its class alone: its text may name a host or a key."""
        try:
            yield
        except BackupError:
            raise
        except Exception as error:
            kind = type(error).__name__
            raise BackupError(
                f"The private bucket could not be {done} ({kind}). Please try again."
            ) from error


def place_of(text: str) -> Place:
    """The place that somebody names: `r2:`, or a folder. Raises BackupError when there is no private bucket."""
    if not text.lower().startswith(BUCKET):
        return Folder(Path(text))
    if text != BUCKET:
        raise BackupError(f"The place {text} is none: {BUCKET} is the whole name of the private bucket.")
    if PRIVATE not in settings.STORAGES:
        raise BackupError(_NO_BUCKET)
    return Bucket(storages[PRIVATE])


@contextmanager
def file_of(text: str) -> Iterator[Path]:
    """The file that somebody names, on this host: a path, or `r2:` and a name. Raises BackupError."""
    if text.startswith(BUCKET):
        bucket, name = place_of(BUCKET), text.removeprefix(BUCKET)
        if not name:
            newest_first = bucket.names()[-NAMED:][::-1] or ["there is none"]
            raise BackupError(
                f"Name a backup of the private bucket, {BUCKET}NAME: {', '.join(newest_first)}."
            )
        with bucket.reading(name) as path:
            yield path
    else:
        yield Path(text)


def newest(storage: Storage) -> datetime | None:
    """When the newest backup in a storage was taken, by its name; None without any. One listing.

    Raises BackupError when the storage fails.
    """
    names = Bucket(storage).names()
    return moment_of(names[-1]) if names else None


def thin(place: Place) -> list[str]:
    """Delete the backups that retention.kept() leaves out; return their names."""
    by_moment = {moment: name for name in place.names() if (moment := moment_of(name)) is not None}
    kept = retention.kept(by_moment)
    gone = [name for moment, name in by_moment.items() if moment not in kept]
    for name in gone:
        place.delete(name)
    return gone


def _backups(names: Iterator[str] | list[str]) -> list[str]:
    return sorted(name for name in names if moment_of(name) is not None)
