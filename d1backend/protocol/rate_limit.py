"""Cloudflare's block of an account, shared by all processes of a host.

A 429 blocks all calls of the account for as long as its Retry-After says, usually five minutes:
https://developers.cloudflare.com/fundamentals/api/reference/limits/
The end of the block is the modification time of an empty file in the host's folder, so a check costs one os.stat().
Without a folder, each process knows only its own blocks.
"""

import hashlib
import logging
import os
import time
from contextlib import suppress
from pathlib import Path

from d1backend.options import Settings

log = logging.getLogger(__name__)

# A block that ends later was noted before the clock went back.
_LONGEST = 3600.0  # seconds
# By account: when its block ends (time.time()), as far as this process knows.
_ends: dict[str, float] = {}


class Limit:
    """The block of one account; `folder` is the host's."""

    def __init__(self, account: str, folder: Path | None) -> None:
        self._account = account
        name = f"d1-blocked-{hashlib.sha256(account.encode()).hexdigest()[:16]}"
        self._file = None if folder is None else folder / name

    @classmethod
    def of(cls, settings: Settings) -> "Limit":
        """The block of the account in the settings of a database."""
        return cls(f"{settings.base_url} {settings.account_id}", settings.folder)

    def seconds_left(self) -> float:
        """How many seconds of the block are left; 0 when requests are allowed."""
        ends = [_ends.get(self._account, 0.0)]
        if self._file is not None:
            with suppress(OSError):
                ends.append(self._file.stat().st_mtime)
        now = time.time()
        return max((end - now for end in ends if 0.0 < end - now <= _LONGEST), default=0.0)

    def note_block(self, seconds: float) -> None:
        """Note a block of so many seconds; only for this process when the folder cannot be written."""
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
            log.warning("Other processes cannot be told of the block of D1's API: %s", error)


def forget() -> None:
    """Forget the blocks of this process, for tests."""
    _ends.clear()
