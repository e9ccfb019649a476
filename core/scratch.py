"""Folders for what a command needs while it runs: a copy of the database, a backup before it is in the bucket.

A command that is killed cannot remove its own. Each is locked while its command runs. So one without a lock was left
behind, and the next command that needs one removes it, as `manage.py tidy` does.
"""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "gallery-scratch-"
NEW = 60.0  # seconds in which a folder may not be locked yet


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder that only this user can read; it goes with what is in it when the block ends."""
    remove_left()
    with tempfile.TemporaryDirectory(prefix=PREFIX) as name:
        lock = os.open(name, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield Path(name)
        finally:
            os.close(lock)


def remove_left(*, dry_run: bool = False) -> int:
    """Remove this user's folders whose command is gone; return how many those are."""
    left = [folder for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*") if is_left(folder)]
    for folder in () if dry_run else left:
        shutil.rmtree(folder, ignore_errors=True)
    return len(left)


def is_left(folder: Path) -> bool:
    with suppress(OSError):  # another user's, or gone by now
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            found = os.fstat(lock)
            if found.st_uid == os.getuid() and time.time() - found.st_mtime > NEW:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
        finally:
            os.close(lock)
    return False
