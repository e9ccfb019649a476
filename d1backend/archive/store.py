"""Where the objects of archives are stored: one of Django's storages, such as a bucket or a folder."""

import posixpath
from typing import Protocol

from django.core.files.base import ContentFile
from django.core.files.storage import Storage

from d1backend.archive.format import ArchiveError


class Sink(Protocol):
    """Takes the objects of one archive."""

    def write(self, name: str, data: bytes) -> None: ...


class Origin(Protocol):
    """Has the objects of one archive."""

    def read(self, name: str) -> bytes: ...


class Store(Sink, Origin, Protocol):
    """The objects of one archive."""


class StorageFolder:
    """A folder of a storage. Whatever the storage raises becomes an ArchiveError."""

    def __init__(self, storage: Storage, path: str) -> None:
        self._storage, self.path = storage, path

    def folder(self, name: str) -> "StorageFolder":
        return StorageFolder(self._storage, posixpath.join(self.path, name))

    def write(self, name: str, data: bytes) -> None:
        """Store a new object. Raises ArchiveError when there is one of that name."""
        path = posixpath.join(self.path, name)
        try:
            stored = self._storage.save(path, ContentFile(data))
        except Exception as error:
            raise ArchiveError(f"{name} was not stored ({_described(error)})") from error
        if stored != path:
            raise ArchiveError(f"{name} was stored before")

    def read(self, name: str) -> bytes:
        """An object. Raises ArchiveError when it is missing or the storage fails."""
        try:
            with self._storage.open(posixpath.join(self.path, name)) as file:
                data: bytes = file.read()
                return data
        except FileNotFoundError as error:
            raise ArchiveError(f"its {name} is missing") from error
        except Exception as error:
            raise ArchiveError(f"its {name} cannot be read ({_described(error)})") from error

    def folders(self) -> list[str]:
        """The names of the folders in this one."""
        try:
            return sorted(self._storage.listdir(self.path)[0])
        except FileNotFoundError:
            return []
        except Exception as error:
            raise ArchiveError(f"{self.path} cannot be listed ({_described(error)})") from error

    def delete(self) -> None:
        """Delete the objects of this folder, the last written first, so that what is left is never a whole archive."""
        try:
            for name in sorted(self._storage.listdir(self.path)[1]):
                self._storage.delete(posixpath.join(self.path, name))
            self._storage.delete(self.path)  # an empty folder, where the storage has such
        except FileNotFoundError:
            return
        except Exception as error:
            raise ArchiveError(f"{self.path} was not deleted ({_described(error)})") from error


def _described(error: Exception) -> str:
    """The class of an error alone: its text may name a host or a key."""
    return type(error).__name__
