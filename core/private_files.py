"""The files of this process in DATA. Only their owner may read them."""

import contextlib
import logging
import os
import stat
from pathlib import Path

logger = logging.getLogger(__name__)

FOLDER, FILE = 0o700, 0o600
NAMES = (
    *("gallery.sqlite3*", "jwt-secret", "demo-admin.*", "d1-calls*", "limits", "deleted-users"),
    *("cache", "replica", "replica/*"),
)


def make_folder(path: Path) -> None:
    path.mkdir(mode=FOLDER, parents=True, exist_ok=True)


def make_file(path: Path) -> None:
    """Create an empty file and its folder, unless they exist.

    A file that exists is not opened: to close it again would drop every lock that this process has on it, also those
    of SQLite's open connections (https://www.sqlite.org/howtocorrupt.html, section 2.2), and another process would
    then delete the -wal that they write.
    """
    make_folder(path.parent)
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, FILE))


def tighten(data: Path) -> None:
    """Remove the permissions of others on DATA and our files in it, which earlier versions left.

    Does not change a shared folder (one with the sticky bit, such as /tmp).
    """
    for path in (data, *(found for name in NAMES for found in data.glob(name))):
        try:
            tighten_one(path)
        except FileNotFoundError:
            continue  # not there: SQLite deletes its -wal with the last reader
        except OSError as error:
            logger.warning("others may read %r, and its mode cannot be changed: %s", str(path), error)


def tighten_one(path: Path) -> None:
    mode = path.stat().st_mode
    if mode & 0o077 and not mode & stat.S_ISVTX:
        path.chmod(FOLDER if stat.S_ISDIR(mode) else FILE)
