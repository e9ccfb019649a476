"""Cloudflare's block of an account, as all processes of a host know it: who was told of it tells the others.

A 429 blocks all calls of the account for as long as its Retry-After says, five minutes as a rule:
https://developers.cloudflare.com/fundamentals/api/reference/limits/
The end of the block is the modification time of an empty file in the host's folder, so that a look costs one
os.stat(). Without a folder each process knows what it was told itself.
"""

import hashlib
import logging
import os
import time
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

# A block that ends later than this was noted before the clock went back.
_LONGEST = 3600.0  # seconds
# By account: when its block ends (time.time()), as this process was told.
_ends: dict[str, float] = {}


class Limit:
    """The block of one account; `folder` is the host's."""

    def __init__(self, account: str, folder: Path | None) -> None:
        self._account = account
        name = f"d1-blocked-{hashlib.sha256(account.encode()).hexdigest()[:16]}"
        self._file = None if folder is None else folder / name

    def seconds_left(self) -> float:
        """For how many seconds D1 is to be left alone; 0 when it may be asked."""
        ends = [_ends.get(self._account, 0.0)]
        if self._file is not None:
            with suppress(OSError):
                ends.append(self._file.stat().st_mtime)
        now = time.time()
        return max((end - now for end in ends if 0.0 < end - now <= _LONGEST), default=0.0)

    def note_block(self, seconds: float) -> None:
        """D1 asked to be left alone for so long. Where the folder cannot be written, this process alone knows."""
        seconds = min(seconds, _LONGEST)
        if seconds <= self.seconds_left():
            return
        end = _ends[self._account] = time.time() + seconds
        if self._file is None:
            return
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self._file, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600))
            os.utime(self._file, (end, end))
        except OSError as error:
            log.warning("Other processes cannot be told to leave D1 alone: %s", error)


def forget() -> None:
    """Forget what this process was told, for tests."""
    _ends.clear()
