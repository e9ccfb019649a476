"""What a worker keeps of bodies and answers: in memory while short, then in unlinked files, within a limit."""

import tempfile
import threading
from pathlib import Path
from typing import Any

IN_MEMORY = 64 * 1024  # bytes of a body or of the rest of an answer; more of it goes to disk
MOST_SPOOLED = 512 * 1024**2  # bytes of all that a worker keeps


class SpoolFullError(OSError):
    """The worker keeps as much as it may."""


class Spool:
    """The limit, and the folder of the files. The loop and all threads share it."""

    def __init__(self, folder: Path, most: int = MOST_SPOOLED) -> None:
        self.folder, self.most, self.kept = folder, most, 0
        self.lock = threading.Lock()

    def add(self, count: int) -> None:
        """Count bytes that are kept from now on. Raises SpoolFullError."""
        with self.lock:
            if self.kept + count > self.most:
                raise SpoolFullError(f"This worker keeps {self.kept:,} bytes of bodies and answers already.")
            self.kept += count

    def remove(self, count: int) -> None:
        with self.lock:
            self.kept -= count


class Kept(tempfile.SpooledTemporaryFile[bytes]):
    """A file of the spool, written at its end. Raises OSError where the disk, or the limit, takes no more."""

    def __init__(self, spool: Spool) -> None:
        super().__init__(IN_MEMORY, dir=str(spool.folder))
        self.spool, self.size = spool, 0

    def write(self, data: Any) -> int:
        self.spool.add(len(data))
        self.size += len(data)
        return super().write(data)

    def close(self) -> None:
        self.spool.remove(self.size)
        self.size = 0
        super().close()
