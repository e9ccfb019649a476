"""The files of an import in DATA, one folder for each member of staff: sent in parts, removed after a day."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

from core.errors import Conflict, Invalid, TooLarge
from core.private_files import make_file, make_folder

FOLDER = "imports"
TABLE, PICTURES = "table", "pictures"
MOST_BYTES = {TABLE: 100_000_000, PICTURES: 2_000_000_000}
LIFETIME = 24 * 60 * 60  # seconds since the last step


@dataclass(frozen=True)
class Part:
    """Some bytes of a file: `file` is TABLE or PICTURES, `name` what its owner calls it, `size` that of the whole."""

    file: str
    name: str
    offset: int  # bytes
    size: int  # bytes
    data: bytes = field(repr=False)


def root() -> Path:
    return Path(settings.DATA) / FOLDER


@contextmanager
def locked(user_id: int) -> Iterator[Path]:
    """Hold the lock of a member's import, across processes; yield its folder."""
    lock = root() / f"{user_id}.lock"
    make_file(lock)
    with lock.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield root() / str(user_id)


def write_part(folder: Path, part: Part) -> int:
    """Write a part to its file; return how many bytes of that are here. A part may come again.

    Raises TooLarge, Invalid for a part that does not fit its file, and Conflict if one before it is missing.
    """
    if part.file not in MOST_BYTES or not 0 <= part.offset <= part.offset + len(part.data) <= part.size:
        raise Invalid("This part of the file does not fit. Choose the file again.")
    if part.size > MOST_BYTES[part.file]:
        raise TooLarge(f"The file may have at most {MOST_BYTES[part.file] // 1_000_000:,} MB. Split it.")
    path = folder / part.file
    make_file(path)
    with path.open("r+b") as file:
        if part.offset == 0:
            file.truncate()
        if part.offset > file.seek(0, os.SEEK_END):
            raise Conflict("A part of the file is missing. Choose the file again.")
        file.seek(part.offset)
        file.write(part.data)
        return file.seek(0, os.SEEK_END)


def check_whole(folder: Path, size: int, pictures_size: int) -> None:
    """Raise Invalid if a file is not here as a whole."""
    for name, expected in ((TABLE, size), (PICTURES, pictures_size)):
        path = folder / name
        if (path.stat().st_size if path.exists() else 0) != expected:
            raise Invalid("The file was not sent whole. Choose it again.")


def replace(path: Path, data: bytes) -> None:
    """Write a file so that nobody ever finds half of it."""
    draft = path.with_name(f"{path.name}.draft")
    make_file(draft)
    draft.write_bytes(data)
    draft.replace(path)


def clear(folder: Path) -> None:
    """Remove the files of an import, whose lock is held."""
    shutil.rmtree(folder, ignore_errors=True)
    make_folder(folder)


def remove_old(*, dry_run: bool = False) -> int:
    """Remove the files of imports that nobody has gone on with for LIFETIME; return how many imports that are."""
    count = 0
    for folder in root().glob("*/"):
        with locked(int(folder.name)), suppress(FileNotFoundError):
            newest = max((file.stat().st_mtime for file in folder.iterdir()), default=0.0)
            if newest < time.time() - LIFETIME:
                count += 1
                if not dry_run:
                    shutil.rmtree(folder)
    return count
