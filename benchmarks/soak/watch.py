"""What the processes of the server hold while they are soaked: memory, threads, open files, and files of the copy."""

import asyncio
import contextlib
import os
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks import systems
from benchmarks.soak.schedule import MINUTE

TICK = 5.0  # seconds
MEGABYTE = 1_000_000
TEN_MINUTES = 10 * MINUTE


@dataclass(frozen=True)
class Sample:
    """At `at` seconds: megabytes (PSS) of all processes, of their parts, and of each by its id; and what they hold."""

    at: float
    total: float
    parts: dict[str, float]
    by_process: dict[int, float]
    threads: int
    files: int
    wal: float  # MB of SQLite's -wal files
    spool: float  # MB of the counts that wait to be written to D1


@dataclass
class Watch:
    """Samples of the server whose first process `pid()` tells, with its data in `data`."""

    pid: Callable[[], int]
    data: Path
    now: Callable[[], float]
    samples: list[Sample] = field(default_factory=list)
    spans: list[tuple[float, float]] = field(
        default_factory=list
    )  # in which one server ran from start to end
    since: float = 0.0

    async def run(self, is_over: asyncio.Event) -> None:
        while not is_over.is_set():
            self.samples.append(await asyncio.to_thread(self.sample))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(is_over.wait(), TICK)

    def begin(self) -> None:
        """Note that a server is ready."""
        self.since = self.now()

    def end(self) -> None:
        """Note that it is about to be stopped, or that the soak is over."""
        self.spans.append((self.since, self.now()))

    def sample(self) -> Sample:
        first = self.pid()
        shares: dict[int, float] = {}
        parts: dict[str, float] = defaultdict(float)
        threads, files = 0, 0
        for pid in (first, *systems.descendants_of(first)):
            with contextlib.suppress(OSError, KeyError):
                found = {name: size / MEGABYTE for name, size in systems.shares_of(pid).items()}
                shares[pid] = found.pop("Pss")
                for name, size in found.items():
                    parts[name] += size
                threads += len(os.listdir(f"/proc/{pid}/task"))
                files += len(os.listdir(f"/proc/{pid}/fd"))
        wal = sum(map(size_of, self.data.rglob("replica/**/*-wal"))) + sum(
            map(size_of, self.data.glob("*-wal"))
        )
        spool = sum(map(size_of, self.data.glob("views*")))
        return Sample(
            self.now(),
            sum(shares.values()),
            dict(parts),
            shares,
            threads,
            files,
            wal / MEGABYTE,
            spool / MEGABYTE,
        )

    def figures(self) -> dict[str, object]:
        """Return what the report says of memory."""
        if not self.samples:
            return {}
        lasting = [one for one in map(self.growth_in, self.spans) if one is not None]
        most = max(self.samples, key=lambda one: one.total)
        return {
            "most_mb": round(most.total, 1),
            "most_by_part_mb": {name: round(size, 1) for name, size in most.parts.items() if size},
            "most_by_process_mb": {str(pid): round(size, 1) for pid, size in most.by_process.items()},
            "growth_mb_per_10_minutes": lasting,
            "most_threads": max(one.threads for one in self.samples),
            "most_files": max(one.files for one in self.samples),
            "most_wal_mb": round(max(one.wal for one in self.samples), 2),
            "most_spool_mb": round(max(one.spool for one in self.samples), 3),
            "samples": [asdict(one) for one in self.samples],
        }

    def growth_in(self, span_of_server: tuple[float, float]) -> dict[str, float] | None:
        """Return how the memory of a server grew once it was warm; None for too short a time."""
        start, end = span_of_server
        warm = start + warm_up(end - start)
        # A sample takes a moment, in which the server may already stop.
        span = [one for one in self.samples if warm <= one.at < end - TICK]
        if len(span) < 3:
            return None
        lasting = set.intersection(*(set(one.by_process) for one in span))
        times = [one.at for one in span]
        return {
            "from_s": round(warm),
            "to_s": round(span[-1].at),
            "all": slope(times, [one.total for one in span]),
            "processes_that_lasted": slope(
                times, [sum(one.by_process[pid] for pid in lasting) for one in span]
            ),
        }


def warm_up(seconds: float) -> float:
    """Return how much of so many seconds is not counted: ten minutes, or a fifth of a shorter run."""
    return TEN_MINUTES if seconds >= 2 * TEN_MINUTES else seconds / 5


def slope(times: list[float], values: list[float]) -> float:
    """Return the growth of the values in ten minutes, by least squares."""
    middle, mean = sum(times) / len(times), sum(values) / len(values)
    spread = sum((time - middle) ** 2 for time in times)
    together = sum((time - middle) * (value - mean) for time, value in zip(times, values, strict=True))
    return round(together / spread * TEN_MINUTES, 2) if spread else 0.0


def size_of(path: Path) -> int:
    with contextlib.suppress(OSError):
        return path.stat().st_size
    return 0
