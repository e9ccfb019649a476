"""What a host uses while bench-cold runs: memory, calls to D1 by class, its copy's age, and whether it is ready."""

import asyncio
import contextlib
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import requests

from benchmarks import systems
from benchmarks.cold_release import has_column
from benchmarks.cold_traffic import Target
from benchmarks.systems import System
from d1backend.protocol.budget import Spender
from d1backend.protocol.ledger import Page, Slot

TICK = 0.5  # seconds


@dataclass
class Host:
    """A server, its folder, and the target that it is for the traffic."""

    system: System
    folder: Path
    target: Target
    peak: int = 0  # bytes of all its processes: gunicorn's first one, its workers, the filler and its command
    slots: dict[int, Slot] = field(default_factory=dict)  # the ledger's, each with its last counts
    oldest: float = 0.0  # seconds: the greatest age of the copy while the host was ready
    awaited: bool | None = None  # once a migration has begun: whether it gives copies the release's column
    awaited_since: float = 0.0
    followed_seconds: float | None = None  # after which it was so
    is_stopped: bool = False

    @property
    def replica(self) -> Path:
        return self.folder / "replica"

    @property
    def has_followed(self) -> bool:
        return self.followed_seconds is not None

    async def watch(self, is_over: asyncio.Event) -> None:
        """Ask for readiness as a load balancer does, and note memory and calls."""
        while not is_over.is_set() and not self.is_stopped:
            try:
                is_ready = await asyncio.to_thread(systems.is_ready, self.target.url)
            except requests.RequestException:
                is_ready = False
            if self.is_stopped:
                return
            self.target.see(is_ready)
            self.note_copy()
            self.peak = max(self.peak, self.memory())
            self.note_calls()
            await asyncio.sleep(TICK)

    def note_copy(self) -> None:
        """Note the age of the copy that is read, and whether it follows the migration."""
        with contextlib.suppress(FileNotFoundError):
            synced = (self.replica / "current").stat().st_mtime
            # An idle host's copy is old until the first read; one that has just replaced another has no age (0).
            if self.target.is_ready and self.target.reads and synced:
                self.oldest = max(self.oldest, time.time() - synced)
        is_awaited = self.awaited is not None and not self.has_followed
        if is_awaited and has_column(self.replica) is self.awaited:
            self.followed_seconds = time.monotonic() - self.awaited_since

    def expect(self, awaited: bool, began: float) -> None:
        """Note from now on when the copy has the column of the next release, or no longer; `began`: monotonic()."""
        self.awaited, self.awaited_since = awaited, began

    def stop(self) -> None:
        """End the server as a platform does, by SIGTERM to its first process."""
        self.is_stopped = True
        os.kill(self.system.pid, signal.SIGTERM)

    def memory(self) -> int:
        """Return the resident bytes of all processes; pages that they share count in each."""
        pids = [self.system.pid, *systems.descendants_of(self.system.pid)]
        return sum(map(systems.resident_of, pids))

    def note_calls(self) -> None:
        ledgers = sorted(self.folder.glob("d1-calls-*"), key=lambda file: file.stat().st_mtime)
        if ledgers and ledgers[-1].stat().st_mtime >= self.target.started_at:
            page = Page(ledgers[-1].read_bytes())
            self.slots |= {slot[0]: slot for slot in page.slots(ledgers[-1].stat().st_mtime)}

    def calls(self) -> dict[str, int]:
        """Return the calls of the whole run by class, as the host's own ledger counts them."""
        counts = list(map(sum, zip(*self.slots.values(), strict=True)))[1:]
        return {spender.name: count for spender, count in zip(Spender, counts, strict=False)}

    def copy_size(self) -> int:
        """Return the bytes of the copy on disk."""
        return sum(file.stat().st_size for file in self.replica.glob("replica-*"))
