"""What a host uses while bench-cold runs: memory, calls to D1 by class, and whether it is ready."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import requests

from benchmarks import systems
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

    async def watch(self, is_over: asyncio.Event) -> None:
        """Ask for readiness as a load balancer does, and note memory and calls."""
        while not is_over.is_set():
            try:
                is_ready = await asyncio.to_thread(systems.is_ready, self.target.url)
            except requests.RequestException:
                is_ready = False
            self.target.see(is_ready)
            self.peak = max(self.peak, self.memory())
            self.note_calls()
            await asyncio.sleep(TICK)

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
        return sum(file.stat().st_size for file in (self.folder / "replica").glob("replica-*"))
