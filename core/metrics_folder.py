"""The folder in which the workers of a gunicorn keep their metrics, and those that killed ones have left.

A server holds a lock in its folder, which the system releases when the last of its processes is gone. So nobody has to
guess by age whether a folder is still in use. gunicorn.conf.py imports this before Django is set up.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "gallery-metrics-"
LOCK = "server.lock"


def make() -> str:
    """Make a folder for this process and those that it forks; return its path."""
    folder = tempfile.mkdtemp(prefix=PREFIX)
    # Never closed: workers inherit the open file, and with it the lock. It gets its name once it is locked.
    file, name = tempfile.mkstemp(dir=folder)
    fcntl.flock(file, fcntl.LOCK_EX)
    os.rename(name, Path(folder, LOCK))
    return folder


def remove_left(*, dry_run: bool = False) -> int:
    """Remove this user's folders whose server is gone; return how many those are."""
    count = 0
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/"):
        with free(folder) as is_free:
            if is_free:
                count += 1
                if not dry_run:
                    shutil.rmtree(folder, ignore_errors=True)
    return count


@contextmanager
def free(folder: Path) -> Iterator[bool]:
    """Hold the lock of a folder, if it is this user's and no server has it; yield whether."""
    try:
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            yield False
            return
        file = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:  # gone meanwhile, or just being made
        yield False
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(file)
