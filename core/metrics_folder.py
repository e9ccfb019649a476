"""The folders in which gunicorn's workers keep their metrics, and those that killed servers have left.

gunicorn.conf.py makes one for each server, with the server's process id in its name, and removes it at the end.
"""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # the variable that names it, for prometheus_client
PREFIX = "gallery-metrics-"
NAME = re.compile(rf"{PREFIX}([0-9]+)-\w+")
MEMORY = "/dev/shm"  # noqa: S108  where Linux has it, the folders lie there


def remove_left(*, dry_run: bool = False) -> int:
    """Remove this user's folders whose server is gone; return how many those are."""
    left = list(left_behind())
    for folder in () if dry_run else left:
        shutil.rmtree(folder, ignore_errors=True)
    return len(left)


def parents() -> set[Path]:
    """Return the folders in which servers of this host make theirs."""
    return {Path(tempfile.gettempdir()), Path(MEMORY)}


def left_behind() -> Iterator[Path]:
    for parent in parents():
        for folder in parent.glob(f"{PREFIX}*"):
            match = NAME.fullmatch(folder.name)
            if match and is_own(folder) and not is_running(int(match[1])):
                yield folder


def is_own(folder: Path) -> bool:
    try:
        return folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.getuid()
    except FileNotFoundError:
        return False


def is_running(pid: int) -> bool:
    """Return whether any process has this id. One that got it since keeps the folder until it ends, too."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return pid > 0
