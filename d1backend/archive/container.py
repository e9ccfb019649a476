"""An archive in one file: its objects as members of an uncompressed ZIP file, which any tool can list.

The first member is a text for people. The file gets its name when it is finished, so a writer that was killed leaves
nothing that is taken for an archive.
"""

import contextlib
import os
import zipfile
from pathlib import Path
from types import TracebackType

from d1backend.archive.format import ArchiveError

UNFINISHED = ".part"
_LOCAL_HEADER, _NAME_LENGTH, _NAME = b"PK\x03\x04", slice(26, 28), 30  # APPNOTE.TXT of PKWARE, section 4.3.7


class ContainerWriter:
    """A new file, as a context manager: it is there when the block ends, and not if the block raises."""

    def __init__(self, path: Path, about: tuple[str, str]) -> None:
        """Begin the file with the member `about`, a name and a text. Only this user can read it."""
        self.path, self._draft = path, path.with_name(path.name + UNFINISHED)
        fd = os.open(self._draft, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600)
        self._file = os.fdopen(fd, "w+b")
        self._zip = zipfile.ZipFile(self._file, "w")
        name, text = about
        try:
            self.write(name, text.encode())
        except BaseException:
            self._abandon()
            raise

    def write(self, name: str, data: bytes) -> None:
        self._zip.writestr(zipfile.ZipInfo(name), data)

    def __enter__(self) -> "ContainerWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._abandon()
            return
        try:
            self._zip.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            os.replace(self._draft, self.path)
        except BaseException:
            self._abandon()
            raise

    def _abandon(self) -> None:
        for close in (self._zip.close, self._file.close):
            with contextlib.suppress(OSError):  # on a full disk, of which the draft is a part
                close()
        self._draft.unlink(missing_ok=True)


class ContainerReader:
    """A finished file, as a context manager."""

    def __init__(self, path: Path, about: str) -> None:
        """Open a file whose first member is `about`.

        Raises ArchiveError when it is cut short or something else, and OSError when it cannot be opened.
        """
        self._file = path.open("rb")
        try:
            begun = _begins_with(self._file.read(_NAME + len(about.encode())), about.encode())
            if not begun:
                raise ArchiveError("it is something else")
            try:
                self._zip = zipfile.ZipFile(self._file)
            except (zipfile.BadZipFile, ValueError, OSError) as error:
                raise ArchiveError("it is cut short or damaged at its end") from error
        except BaseException:
            self._file.close()
            raise

    def has(self, name: str) -> bool:
        return name in self._zip.NameToInfo

    def read(self, name: str) -> bytes:
        """A member. Raises ArchiveError when it is missing or damaged."""
        try:
            return self._zip.read(name)
        except KeyError as error:
            raise ArchiveError(f"its {name} is missing") from error
        except Exception as error:  # a damaged head of a member ends in errors of many classes
            raise ArchiveError(f"its {name} is damaged") from error

    def __enter__(self) -> "ContainerReader":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._file.close()


def _begins_with(head: bytes, name: bytes) -> bool:
    is_member = head[: len(_LOCAL_HEADER)] == _LOCAL_HEADER
    return is_member and int.from_bytes(head[_NAME_LENGTH], "little") == len(name) and head[_NAME:] == name
