"""The pictures beside a table, in a folder or in a zip, by the names that people write into its cells."""

import os
import unicodedata
import zipfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path

from django.conf import settings

from core.errors import Invalid, invalid_field
from designs.sheets import archives

MOST_EXPANDED = 20_000_000_000  # bytes of all files of a zip; one is read at a time, up to MAX_FILE_SIZE
UTF_8_NAMES = 0x800  # the flag of a name in UTF-8 (APPNOTE.TXT, section 4.4.4)
HIDDEN = ("__MACOSX", ".")

Read = Callable[[], bytes]


def plain(name: str) -> str:
    """A name as every system compares it: macOS takes accents apart, Windows knows no case."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def parts_of(name: str) -> list[str]:
    return [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]


class Beside:
    """Pictures by name. A cell has the name of a file, or the path to it; case and the form of accents do not count."""

    def __init__(self, where: str, files: Iterable[tuple[str, Read]]) -> None:
        self.where = where
        self.by_path: dict[str, list[tuple[str, Read]]] = {}
        for path, read in files:
            parts = parts_of(path)
            # The path from each folder on: a zip of a folder has its name before each file.
            for start in range(len(parts)):
                key = plain("/".join(parts[start:]))
                self.by_path.setdefault(key, []).append(("/".join(parts), read))

    def read(self, name: str) -> bytes:
        """The bytes of a picture, one more than MAX_FILE_SIZE at most. Raises Invalid on the field `image`."""
        wanted = "/".join(parts_of(name))
        fitting = closest(unicodedata.normalize("NFC", wanted), self.by_path.get(plain(wanted), []))
        if not fitting:
            raise invalid_field("image", f"No file {self.where} has the name “{name[:200]}”.")
        if len(fitting) > 1:
            names = ", ".join(path for path, _ in fitting[:3])
            raise invalid_field(
                "image", f"Several files {self.where} fit this name: {names}. Write the folder too."
            )
        try:
            return fitting[0][1]()
        except archives.BROKEN as error:
            raise invalid_field(
                "image", "This file cannot be read. It is damaged, or has a password."
            ) from error


def closest(wanted: str, found: list[tuple[str, Read]]) -> list[tuple[str, Read]]:
    """Of the files that fit a name those that have this very path, else those with its very letters, else all."""
    paths = [unicodedata.normalize("NFC", path) for path, _ in found]
    same = [file for file, path in zip(found, paths, strict=True) if path == wanted]
    ending = [file for file, path in zip(found, paths, strict=True) if path.endswith(f"/{wanted}")]
    return same or ending or found


NOTHING = Beside("beside this table", [])


def folder(path: Path) -> Beside:
    """The files of a folder and those below it, without what links lead to elsewhere. Raises Invalid if it is none."""
    if not path.is_dir():
        raise Invalid(f"There is no folder {path}.")
    root = path.resolve()

    def files() -> Iterable[tuple[str, Read]]:
        for where, _, names in os.walk(root):
            for name in names:
                file = Path(where, name)
                if file.resolve().is_relative_to(root):
                    yield str(file.relative_to(root)), partial(read_file, file)

    return Beside(f"in {path}", files())


def read_file(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(settings.MAX_FILE_SIZE + 1)


def zipped(path: Path) -> Beside:
    """The files of a zip, which stays open. Raises Invalid if it is damaged, or holds too much."""
    archive = archives.opened(path, MOST_EXPANDED)

    def read(member: zipfile.ZipInfo) -> bytes:
        with archive.open(member) as file:
            return file.read(settings.MAX_FILE_SIZE + 1)

    return Beside(
        "in the zip of pictures",
        (
            (name, partial(read, member))
            for member in archive.infolist()
            if not member.is_dir() and (name := shown_name(member))
        ),
    )


def shown_name(member: zipfile.ZipInfo) -> str:
    """The name of a member; empty for what macOS adds. macOS writes UTF-8 without saying so."""
    name = member.filename
    if not member.flag_bits & UTF_8_NAMES:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return "" if any(part.startswith(HIDDEN) for part in parts_of(name)) else name
