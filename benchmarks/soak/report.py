"""What `make soak` prints and writes: answers by call and status, times, memory, and everything that was wrong."""

import json
import platform
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.soak.client import Log
from benchmarks.soak.reads import MOST_OUTSTANDING
from benchmarks.soak.schedule import MINUTE, Window

Row = tuple[str, int, float, float, float]  # call, status, due, begun, ended: seconds of the run


MOST = 430.0  # MB of two workers, which leave room for the system on a host of 512
MOST_GROWTH = 1.0  # MB in ten minutes, of processes that lasted; of runs that are long enough to tell
LONG = 40.0  # minutes


@dataclass
class Report:
    """The result of a run; `windows` are the seconds in which something failed or came back."""

    minutes: float
    size: int
    capacity: float
    rate: float
    log: Log
    windows: list[Window]
    memory: dict[str, Any]
    held_back: int = 0
    reads_sent: int = 0
    d1_requests: int = 0
    d1_refused: int = 0
    restart_seconds: float = 0.0
    kills: int = 0
    checked: Counter[str] = field(default_factory=Counter)

    def is_faulty(self, row: Row) -> bool:
        return any(window.meets(row[2], row[4]) for window in self.windows)

    def calls(self) -> list[dict[str, Any]]:
        """Return a row of the table for each call."""
        found = []
        for call in sorted({row[0] for row in self.log.answers}):
            rows = [row for row in self.log.answers if row[0] == call]
            faulty = [row for row in rows if self.is_faulty(row)]
            quiet = [row for row in rows if not self.is_faulty(row)]
            found.append(
                {
                    "call": call,
                    "answers": {
                        str(status): count
                        for status, count in sorted(Counter(row[1] for row in rows).items())
                    },
                    "refused_without_faults": sum(not 200 <= row[1] < 500 or row[1] == 429 for row in quiet),
                    "without_faults_ms": times(quiet),
                    "with_faults_ms": times(faulty),
                }
            )
        return found

    def missed(self) -> list[str]:
        """Return the aims of memory that were missed."""
        found = []
        if self.memory and self.memory["most_mb"] > MOST:
            found.append(f"{self.memory['most_mb']} MB of memory; the aim is {MOST:.0f}")
        for one in self.memory.get("growth_mb_per_10_minutes", ()) if self.minutes >= LONG else ():
            if (growth := one["processes_that_lasted"]) > MOST_GROWTH:
                found.append(f"memory grows by {growth} MB in ten minutes; the aim is {MOST_GROWTH:.0f}")
        return found

    def write(self, path: Path) -> None:
        rest = {
            "minutes": self.minutes,
            "size": self.size,
            "machine": platform.platform(),
            "capacity_reads_per_s": round(self.capacity, 1),
            "sent_reads_per_s": round(self.rate, 1),
            "reads_held_back": self.held_back,
            "reads_sent": self.reads_sent,
            "d1_requests": self.d1_requests,
            "d1_refused_by_allowance": self.d1_refused,
            "restart_seconds": round(self.restart_seconds, 1),
            "workers_killed": self.kills,
            "faults": [asdict(window) for window in self.windows],
            "calls": self.calls(),
            "codes": self.log.codes,
            "checked": dict(self.checked),
            "violations": self.log.violations,
            "missed": self.missed(),
            "writes": self.log.writes,
            "memory": self.memory,
        }
        path.write_text(json.dumps(rest, indent=1))

    def lines(self) -> Iterable[str]:
        yield f"{'call':16} {'answers by status':38} {'p50, p99 ms':>16} {'with faults':>16}  refused without"
        for row in self.calls():
            answers = ", ".join(f"{status or 'broken'} {count:,}" for status, count in row["answers"].items())
            answers = answers.replace("0 ", "broken ", 1) if answers.startswith("0 ") else answers
            quiet, faulty = pair(row["without_faults_ms"]), pair(row["with_faults_ms"])
            yield f"{row['call']:16} {answers:38} {quiet:>16} {faulty:>16}  {row['refused_without_faults'] or ''}"
        yield (
            f"Reads: {self.reads_sent:,}, {self.reads_sent / self.minutes / MINUTE:.0f} a second; {self.held_back:,} "
            f"more were held back while {MOST_OUTSTANDING} waited for their answers"
        )
        yield f"Codes of errors: {dict(sorted(self.log.codes.items()))}"
        yield (
            f"Requests to D1: {self.d1_requests:,}, {self.d1_refused} refused by its allowance. Workers killed: "
            f"{self.kills}. Restart: ready after {self.restart_seconds:.1f} s."
        )
        yield f"Read back at the end: {', '.join(f'{count:,} {name}' for name, count in self.checked.items())}"
        if self.memory:
            found = self.memory
            parts = ", ".join(f"{name} {size}" for name, size in found["most_by_part_mb"].items())
            yield f"Memory (PSS): at most {found['most_mb']} MB: {parts}"
            yield (
                f"  threads {found['most_threads']}, files {found['most_files']}, -wal {found['most_wal_mb']} MB, "
                f"spool {found['most_spool_mb']} MB"
            )
            for one in self.memory["growth_mb_per_10_minutes"]:
                yield (
                    f"  {one['from_s']} to {one['to_s']} s: {one['all']:+} MB in 10 minutes, "
                    f"{one['processes_that_lasted']:+} MB of the processes that lasted"
                )
        yield from self.missed()
        yield f"Violations: {len(self.log.violations)}"
        yield from self.log.violations


def times(rows: list[Row]) -> list[float]:
    """Return the median and the 99th percentile of the milliseconds of those that were answered."""
    ordered = sorted((row[4] - row[2]) * 1000 for row in rows if row[1])
    if not ordered:
        return []
    return [round(ordered[min(len(ordered) - 1, int(len(ordered) * part))], 1) for part in (0.5, 0.99)]


def pair(found: list[float]) -> str:
    return f"{found[0]:,.0f}, {found[1]:,.0f}" if found else "-"
