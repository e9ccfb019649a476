"""What a zip may hold before anything of it is read: workbooks are zips too, and a small one may expand without end."""

import struct
import zipfile
import zlib
from pathlib import Path
from typing import Final

from core.errors import Invalid

END: Final = struct.Struct("<4s4H2LH")  # the end of the central directory (APPNOTE.TXT, section 4.3.16)
MOST_DIRECTORY = 16 * 1024 * 1024  # bytes; zipfile holds all of it in memory
DAMAGED = "This file is damaged, or it was not sent whole. Open it, save it again, and try once more."
# What zipfile raises while it reads a broken or an encrypted member.
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError)


def opened(path: Path, most_expanded: int) -> zipfile.ZipFile:
    """Open a zip. Raises Invalid if it is none, or would expand to more than `most_expanded` bytes.

    zipfile reads no more of a member than the directory says, so the sum of that is the most that comes out.
    """
    check_directory(path)
    try:
        archive = zipfile.ZipFile(path)
    except BROKEN as error:
        raise Invalid(DAMAGED) from error
    size = sum(member.file_size for member in archive.infolist())
    if size > most_expanded:
        archive.close()
        raise Invalid(
            f"Unpacked, this file has {size:,} bytes; at most {most_expanded:,} are taken. Split it."
        )
    return archive


def check_directory(path: Path) -> None:
    """Raise Invalid if the list of members is missing or longer than MOST_DIRECTORY."""
    with path.open("rb") as file:
        length = file.seek(0, 2)
        file.seek(max(0, length - END.size - 0xFFFF))
        tail = file.read()
    place = tail.rfind(b"PK\x05\x06")
    if place < 0 or len(tail) - place < END.size:
        raise Invalid(DAMAGED)
    _, _, _, _, _, directory, _, _ = END.unpack_from(tail, place)
    if directory > MOST_DIRECTORY:
        raise Invalid("This file holds too many files. Split it.")
