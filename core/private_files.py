"""The files that this process keeps in DATA: only their owner may read them."""

import logging
import os
import stat
from pathlib import Path

logger = logging.getLogger(__name__)

FOLDER, FILE = 0o700, 0o600
NAMES = (
    *("gallery.sqlite3*", "jwt-secret", "demo-admin.*", "d1-calls"),
    *("cache", "replica", "replica/*"),
)


def make_folder(path: Path) -> None:
    path.mkdir(mode=FOLDER, parents=True, exist_ok=True)


def make_file(path: Path) -> None:
    """Make an empty file where there is none, and the folder that it lies in."""
    make_folder(path.parent)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, FILE))


def tighten(data: Path) -> None:
    """Take from others what they may do with DATA and the files in it that are ours, as earlier versions left them.

    A folder that many share (one with the sticky bit, as /tmp) stays as it is.
    """
    for path in (data, *(found for name in NAMES for found in data.glob(name))):
        try:
            tighten_one(path)
        except FileNotFoundError:
            continue  # not there yet, or no longer: SQLite's -wal goes with its last reader
        except OSError as error:
            logger.warning("others may read %r, and its mode can not be changed: %s", str(path), error)


def tighten_one(path: Path) -> None:
    mode = path.stat().st_mode
    if mode & 0o077 and not mode & stat.S_ISVTX:
        path.chmod(FOLDER if stat.S_ISDIR(mode) else FILE)
