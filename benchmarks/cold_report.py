"""What bench-cold found, and whether it meets the aims."""

import bisect
import math
import sys
from collections import Counter
from dataclasses import dataclass
from typing import Self

from benchmarks.cold_traffic import Answer, Window
from benchmarks.cold_watch import Host

FIVE_MINUTES = 300.0
MOST_D1_REQUESTS = 299  # in five minutes
MOST_TO_FILL = 900  # three quarters of the account's allowance
MOST_WRITES_REFUSED = 0.01
MOST_COPY_MB = 200.0
MOST_REFUSALS = 20  # that are printed one by one


@dataclass
class HostReport:
    """One host: answers before and after it was ready; `away` counts the writes while D1 was away.

    `statuses` counts what was refused once ready, by kind and status; 0 is no answer in 30 s. `refusals` says when
    those came that D1 was there for, since the host's start. `d1_requests` are those
    that came to D1 in the worst five minutes, or in all `seconds` of a shorter run; `d1_calls` those of the whole run
    by class, as the host's ledger has them. `oldest_seconds` is the greatest age of its copy, looked at twice a second
    while it was ready; `followed_seconds` when its copy had the schema of a migration, since that began.
    """

    ready_seconds: float | None
    went_back: int
    reads_before: int
    reads_refused_before: int
    reads: int
    reads_refused: int
    writes_before: int
    writes_refused_before: int
    writes: int
    writes_refused: int
    writes_away: int
    writes_refused_away: int
    statuses: dict[str, int]
    refusals: list[str]
    read_p50_ms: float
    read_p99_ms: float
    read_worst_ms: float
    oldest_seconds: float
    followed_seconds: float | None
    seconds: float
    d1_requests: int
    d1_aim: int
    d1_calls: dict[str, int]
    memory_mb: float
    peak_mb: float
    copy_mb: float

    @classmethod
    def of(
        cls,
        host: Host,
        outages: list[Window],
        requested: list[float],
        ended: float,
    ) -> Self:
        """Make the report of a host that asked D1 at the moments `requested`."""
        target = host.target
        ready = math.inf if target.ready_at is None else target.ready_at
        reads = [one for one in target.reads if one.asked >= ready]
        writes = [one for one in target.writes if one.asked >= ready]
        away = [one for one in writes if any(start <= one.asked < end for start, end in outages)]
        reads_before = [one for one in target.reads if one.asked < ready]
        writes_before = [one for one in target.writes if one.asked < ready]
        return cls(
            ready_seconds=None if target.ready_at is None else round(ready - target.started, 1),
            went_back=target.went_back,
            reads_before=len(reads_before),
            reads_refused_before=refused(reads_before),
            reads=len(reads),
            reads_refused=refused(reads),
            writes_before=len(writes_before),
            writes_refused_before=refused(writes_before),
            writes=len(writes) - len(away),
            writes_refused=refused(writes) - refused(away),
            writes_away=len(away),
            writes_refused_away=refused(away),
            statuses=statuses(
                {"read": reads, "write": [one for one in writes if one not in away], "write while away": away}
            ),
            refusals=[
                f"{one.status} at {one.asked - target.started:.1f} s, after {one.milliseconds:.0f} ms"
                for one in reads + writes
                if one.is_refused and one not in away
            ][:MOST_REFUSALS],
            read_p50_ms=percentile(reads, 50),
            read_p99_ms=percentile(reads, 99),
            read_worst_ms=percentile(reads, 100),
            oldest_seconds=round(host.oldest, 1),
            followed_seconds=None if host.followed_seconds is None else round(host.followed_seconds, 1),
            seconds=round(ended - target.started, 1),
            d1_requests=worst_five_minutes(requested),
            d1_aim=MOST_D1_REQUESTS,
            d1_calls=host.calls(),
            memory_mb=megabytes(host.memory()),
            peak_mb=megabytes(host.peak),
            copy_mb=megabytes(host.copy_size()),
        )

    def missed(self, ready_aim: float | None) -> list[str]:
        """Return a line for each aim that this host misses, with its number."""
        found = []
        if self.ready_seconds is None:
            found.append("never ready")
        elif ready_aim is not None and self.ready_seconds > ready_aim:
            found.append(f"ready after {self.ready_seconds:.0f} s, aim {ready_aim:.0f}")
        if self.went_back:
            found.append(f"ready no more {self.went_back} times, aim 0")
        if self.reads_refused:
            found.append(f"{self.reads_refused} of {self.reads:,} reads refused once ready, aim 0")
        if self.writes_refused > self.writes * MOST_WRITES_REFUSED:
            found.append(f"{self.writes_refused} of {self.writes} writes refused once ready, aim 1 %")
        if self.d1_requests > self.d1_aim:
            found.append(f"{self.d1_requests:,} requests to D1 in {period(self.seconds)}, aim {self.d1_aim}")
        if self.copy_mb > MOST_COPY_MB:
            found.append(f"a copy of {self.copy_mb:.0f} MB, aim {MOST_COPY_MB:.0f}")
        return found


@dataclass
class MigrationReport:
    """`manage.py migrate` on a host of its own: its seconds and its requests to D1, with those of a fill."""

    seconds: float
    d1_requests: int


@dataclass
class Report:
    """One scenario."""

    name: str
    title: str
    ready_aim: float | None
    hosts: list[HostReport]
    migration: MigrationReport | None = None


def refused(answers: list[Answer]) -> int:
    return sum(one.is_refused for one in answers)


def statuses(answers: dict[str, list[Answer]]) -> dict[str, int]:
    """Return how many answers of each kind and status were refused."""
    found = [f"{kind} {one.status}" for kind, several in answers.items() for one in several if one.is_refused]
    return dict(Counter(found))


def percentile(answers: list[Answer], percent: float) -> float:
    """Return that percentile in milliseconds; 0 without answers."""
    ordered = sorted(one.milliseconds for one in answers)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))], 1) if ordered else 0.0


def worst_five_minutes(times: list[float]) -> int:
    """Return the most requests in any five minutes; in a shorter run, all of them."""
    return max((bisect.bisect_left(times, at + FIVE_MINUTES) - i for i, at in enumerate(times)), default=0)


def megabytes(size: int) -> float:
    return round(size / 1024**2, 1)


def missed_aims(report: Report) -> list[str]:
    found = []
    for number, host in enumerate(report.hosts, 1):
        lines = host.missed(report.ready_aim)
        if report.migration is not None and host.followed_seconds is None:
            lines.append("its copy never has the new schema")
        found += [f"{report.title}, host {number}: {line}" for line in lines]
    return found


def period(seconds: float) -> str:
    return "the worst five minutes" if seconds >= FIVE_MINUTES else f"all {seconds:.0f} s of the run"


def print_report(report: Report) -> None:
    lines = [f"\n{report.title[0].upper()}{report.title[1:]}"]
    if report.migration is not None:
        lines.append(
            f"  migrate took {report.migration.seconds:.1f} s and {report.migration.d1_requests} requests to D1"
        )
    for number, host in enumerate(report.hosts, 1):
        ready = "never ready" if host.ready_seconds is None else f"ready after {host.ready_seconds:,.1f} s"
        lines += [
            f"  host {number}: {ready}; memory of all processes "
            f"{host.memory_mb:.0f} MB, at most {host.peak_mb:.0f} MB; copy {host.copy_mb:.1f} MB",
            f"    before: {host.reads_refused_before} of {host.reads_before} reads and "
            f"{host.writes_refused_before} of {host.writes_before} writes refused",
            f"    ready:  {host.reads_refused} of {host.reads} reads and {host.writes_refused} of {host.writes} "
            f"writes refused; reads p50 {host.read_p50_ms:.1f} ms, p99 {host.read_p99_ms:.1f} ms, "
            f"worst {host.read_worst_ms:.0f} ms; the oldest {host.oldest_seconds:.1f} s old",
            f"    D1: {host.d1_requests} requests in {period(host.seconds)} (aim: at most {host.d1_aim}); in all "
            + ", ".join(f"{name} {count}" for name, count in host.d1_calls.items()),
        ]
        if host.followed_seconds is not None:
            lines.append(f"    its copy had the new schema {host.followed_seconds:.1f} s after migrate began")
        if host.statuses:
            lines.append(
                f"    refused, by status: {', '.join(f'{name}: {count}' for name, count in host.statuses.items())}"
            )
        lines += [f"    refused: {line}" for line in host.refusals]
        if host.writes_away:
            lines.append(
                f"    while D1 was away: {host.writes_refused_away} of {host.writes_away} writes refused"
            )
    lines += [f"  MISSED: {line}" for line in missed_aims(report)]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
