"""`make bench-cold` starts hosts without a copy of D1, takes D1 away, and migrates, while people read and write.

100,000 designs and 1,000,000 favourites (SIZE= designs, ten times as many favourites) on D1's engine, 50 ms away; one
account's allowance, which the proxy enforces as Cloudflare does; 10 list reads and 0.2 writes a second; gunicorn in
production. SCENARIOS= selects by name, OUT= writes JSON. Scenarios of new hosts and of migrations take five minutes,
or DURATION= seconds. It ends with status 1 and the numbers if an aim is missed.
"""

import asyncio
import contextlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import uvloop

from benchmarks import systems
from benchmarks.bench import LATENCY, machine
from benchmarks.cold_cloud import ColdCloud, cold_cloud
from benchmarks.cold_release import require_column
from benchmarks.cold_report import (
    MOST_TO_FILL,
    HostReport,
    MigrationReport,
    Report,
    missed_aims,
    print_report,
    worst_five_minutes,
)
from benchmarks.cold_scenarios import SCENARIOS, Migration, Scenario
from benchmarks.cold_traffic import WRITES, Target, Window, send
from benchmarks.cold_watch import Host
from benchmarks.cold_world import ALLOWED, WINDOW, World, prepared, say
from d1backend.local import D1Local
from devtools.s3_server import S3Server

STEADY = 60.0  # seconds of traffic before and after what happens, and at least after the last host is ready
FIVE_MINUTES = 300.0
READY_SECONDS = 900.0
DRAIN = 1.0  # seconds between the last request to a host and its SIGTERM


def main() -> None:
    size = int(os.environ.get("SIZE") or 100_000)
    seconds = float(os.environ.get("DURATION") or FIVE_MINUTES)
    chosen = os.environ.get("SCENARIOS", "").replace(",", " ").split()
    scenarios = [one for one in SCENARIOS if not chosen or one.name in chosen]
    say(f"{size:,} designs, D1 {LATENCY * 1000:.0f} ms away, {machine()}")
    with tempfile.TemporaryDirectory(prefix="gallery-cold-") as name, D1Local() as d1:
        folder = Path(name)
        with S3Server(folder / "s3") as store:
            world = prepared(folder, d1, store, size)
            reports: list[Report] = []
            for scenario in scenarios:
                world.prepare(scenario)
                reports.append(run(world, d1.url, scenario, seconds))
                write_json(size, reports)
    failed = [line for report in reports for line in missed_aims(report)]
    if failed:
        sys.exit("Aims missed:\n" + "\n".join(failed))


def write_json(size: int, reports: list[Report]) -> None:
    if os.environ.get("OUT"):
        rows = [asdict(report) for report in reports]
        Path(os.environ["OUT"]).write_text(json.dumps({"size": size, "scenarios": rows}, indent=1))


def run(world: World, upstream: str, scenario: Scenario, seconds: float) -> Report:
    """Run one scenario and print its report."""
    with contextlib.ExitStack() as stack:
        # One address more, for the host that migrates.
        cloud = stack.enter_context(cold_cloud(upstream, scenario.hosts + 1, LATENCY, ALLOWED, WINDOW))
        stage = Stage(world, scenario, cloud, stack)
        for _ in range(scenario.warm + scenario.new):
            stage.start()
        uvloop.run(stage.play(seconds))
        ended = time.monotonic()
        *requested, by_migration = cloud.request_times()
        found = [
            HostReport.of(host, stage.outages, times, ended)
            for host, times in zip(stage.hosts, requested, strict=True)
        ]
    for one in found[scenario.warm :]:
        if not scenario.has_snapshot:
            one.d1_aim = MOST_TO_FILL // scenario.hosts
    report = Report(scenario.name, scenario.title, scenario.ready_aim, found)
    if scenario.migration is not None:
        report.migration = MigrationReport(stage.migrate_seconds, worst_five_minutes(by_migration))
    print_report(report)
    return report


@dataclass
class Stage:
    """A scenario while it runs: its hosts, the load balancer's `targets` among them, and what has happened."""

    world: World
    scenario: Scenario
    cloud: ColdCloud
    stack: contextlib.ExitStack
    hosts: list[Host] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    outages: list[Window] = field(default_factory=list)
    migrate_seconds: float = 0.0

    def start(self, tree: Path = systems.ROOT) -> Host:
        """Run one more host, of the release in `tree`; return once it answers at all."""
        number = len(self.hosts)
        folder, url = self.world.folder_of(self.scenario, number), self.cloud.urls[number]
        host = self.stack.enter_context(self.world.serving(self.scenario, folder, url, tree))
        self.hosts.append(host)
        self.targets.append(host.target)
        return host

    async def play(self, seconds: float) -> None:
        """Send the traffic until the scenario is over."""
        is_over, began = asyncio.Event(), time.monotonic()
        async with asyncio.TaskGroup() as group:
            group.create_task(send(self.targets, is_over.is_set))
            for host in self.hosts:
                group.create_task(host.watch(is_over))
            await until(lambda: all(target.is_ready for target in self.targets))
            await asyncio.sleep(STEADY)
            if self.scenario.outage is not None:
                await self.take_d1_away(began)
                await asyncio.sleep(STEADY)
            if self.scenario.migration is not None:
                await self.migrate(self.scenario.migration)
                if self.scenario.is_replaced:
                    tree = self.world.releases[self.scenario.migration.after]
                    await self.replace_first(tree, group, is_over)
                await until(lambda: all(host.has_followed for host in self.hosts if not host.is_stopped))
                await asyncio.sleep(STEADY)
            if self.scenario.new or self.scenario.migration is not None:
                left = max(target.started for target in self.targets) + seconds - time.monotonic()
                await asyncio.sleep(max(0.0, left))
            is_over.set()

    async def take_d1_away(self, began: float) -> None:
        assert self.scenario.outage is not None
        # Halfway between two writes, so that none is under way.
        await asyncio.sleep((began - time.monotonic()) % (1 / WRITES) + 0.5 / WRITES)
        start = time.monotonic()
        self.cloud.begin(self.scenario.outage)
        await asyncio.sleep(self.scenario.outage_seconds)
        self.cloud.end()
        self.outages.append((start, time.monotonic()))

    async def migrate(self, migration: Migration) -> None:
        """Run the migration on a host of its own, and let the others be watched for its schema."""
        began = time.monotonic()
        for host in self.hosts:
            host.expect(migration.leaves_column, began)
        await asyncio.to_thread(self.world.migrate, self.scenario, migration, self.cloud.urls[-1])
        self.migrate_seconds = round(time.monotonic() - began, 1)

    async def replace_first(self, tree: Path, group: asyncio.TaskGroup, is_over: asyncio.Event) -> None:
        """Start a host of the release in `tree`; both serve for a while, then the first one is stopped."""
        old = self.hosts[0]
        new = await asyncio.to_thread(self.start, tree)
        new.expect(True, old.awaited_since)
        group.create_task(new.watch(is_over))
        await until(lambda: new.target.is_ready)
        await asyncio.to_thread(require_column, new.target.url, self.world.tokens[0])
        await asyncio.sleep(STEADY)
        self.targets.remove(old.target)
        await asyncio.sleep(DRAIN)
        old.stop()


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until it is so, for at most a quarter of an hour: the report says what is missing then."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(READY_SECONDS):
            while not is_so():
                await asyncio.sleep(0.2)


if __name__ == "__main__":
    main()
