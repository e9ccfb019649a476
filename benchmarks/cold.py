"""`make bench-cold` starts hosts without a copy of D1, and takes D1 away, while people read and write.

100,000 designs and 1,000,000 favourites (SIZE= designs, ten times as many favourites) on D1's engine, 50 ms away; one
account's allowance, which the proxy enforces as Cloudflare does; 10 list reads and 0.2 writes a second; gunicorn in
production. SCENARIOS= selects by name, OUT= writes JSON. Scenarios of new hosts take five minutes, or DURATION=
seconds. It ends with status 1 and the numbers if an aim is missed.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import uvloop

from benchmarks import systems
from benchmarks.bench import LATENCY, machine
from benchmarks.cold_cloud import ColdCloud, Outage, cold_cloud
from benchmarks.cold_report import MOST_TO_FILL, HostReport, Report, missed_aims, print_report
from benchmarks.cold_traffic import WRITES, Target, Window, send
from benchmarks.cold_watch import Host
from benchmarks.workloads import Readers
from d1backend.local import D1Local
from devtools.local_cloud import PRIVATE_BUCKET, ensure_buckets, variables
from devtools.ports import free_port
from devtools.s3_server import S3Server

FAVOURITES_EACH = 100
ALLOWED, WINDOW = 1200, 300.0  # requests per seconds
STEADY = 60.0  # seconds of traffic before and after an outage, and at least after the last host is ready
FIVE_MINUTES = 300.0
READY_SECONDS = 900.0


@dataclass(frozen=True)
class Scenario:
    """Hosts with a copy (`warm`) and without (`new`), and an outage of so many seconds if there is one."""

    name: str
    title: str
    warm: int = 0
    new: int = 0
    has_snapshot: bool = False
    ready_aim: float | None = None  # seconds
    outage: Outage | None = None
    outage_seconds: float = 0.0

    @property
    def hosts(self) -> int:
        return self.warm + self.new


SCENARIOS = (
    Scenario("snapshot", "a new host with a snapshot", new=1, has_snapshot=True, ready_aim=30.0),
    Scenario("fill", "a new host without a snapshot", new=1, ready_aim=600.0),
    Scenario("second", "two hosts, of which one is new and without a snapshot", warm=1, new=1),
    Scenario("away", "D1 away for two minutes", warm=1, outage="away", outage_seconds=120.0),
    Scenario("hung", "D1 hung for one minute", warm=1, outage="hung", outage_seconds=60.0),
)


@dataclass
class World:
    """What all scenarios share: D1's engine with its data, the buckets, and a host's folder with a filled copy."""

    folder: Path
    near: dict[str, str]
    tokens: list[str]
    size: int

    @property
    def warm(self) -> Path:
        return self.folder / "warm"

    def environment(self, scenario: Scenario, data: Path, url: str) -> dict[str, str]:
        # At an address of its own D1 has no allowance unless it is stated.
        shared = {"HOSTS": str(scenario.hosts), "D1_ALLOWANCE": str(ALLOWED)}
        given = {**self.near, **shared, "CLOUDFLARE_D1_BASE_URL": url}
        if scenario.has_snapshot:
            given["CLOUDFLARE_R2_PRIVATE_BUCKET_NAME"] = PRIVATE_BUCKET
        return systems.environment(data, **given)


def main() -> None:
    size = int(os.environ.get("SIZE") or 100_000)
    seconds = float(os.environ.get("DURATION") or FIVE_MINUTES)
    chosen = os.environ.get("SCENARIOS", "").replace(",", " ").split()
    scenarios = [one for one in SCENARIOS if not chosen or one.name in chosen]
    sys.stdout.write(f"{size:,} designs, D1 {LATENCY * 1000:.0f} ms away, {machine()}\n")
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix="gallery-cold-") as name, D1Local() as d1:
        folder = Path(name)
        with S3Server(folder / "s3") as store:
            world = prepared(folder, d1, store, size)
            if any(one.has_snapshot for one in scenarios):
                write_snapshot(world)
            reports: list[Report] = []
            for scenario in scenarios:
                reports.append(run(world, d1.url, scenario, seconds))
                write_json(size, reports)
    failed = [line for report in reports for line in missed_aims(report)]
    if failed:
        sys.exit("Aims missed:\n" + "\n".join(failed))


def write_json(size: int, reports: list[Report]) -> None:
    if os.environ.get("OUT"):
        rows = [asdict(report) for report in reports]
        Path(os.environ["OUT"]).write_text(json.dumps({"size": size, "scenarios": rows}, indent=1))


def prepared(folder: Path, d1: D1Local, store: S3Server, size: int) -> World:
    """Create the data on D1, and a host's folder with its copy, without latency and allowance."""
    start = time.monotonic()
    (folder / "warm").mkdir()
    ensure_buckets(store)
    near = variables(d1, store)
    env = systems.environment(folder / "data", REPLICA="off", D1_TIMEOUT="35", **near)
    tokens = systems.fill(size, max(size // 10, 10), env, favourites=FAVOURITES_EACH)
    world = World(folder, near, tokens, size)
    manage(systems.environment(world.warm, **near), "d1_replica", "fill")
    sys.stdout.write(f"Data and a copy of it in {time.monotonic() - start:.0f} s\n")
    sys.stdout.flush()
    return world


def write_snapshot(world: World) -> None:
    start, bucket = time.monotonic(), {"CLOUDFLARE_R2_PRIVATE_BUCKET_NAME": PRIVATE_BUCKET}
    manage(systems.environment(world.warm, **world.near, **bucket), "d1_replica", "snapshot")
    sys.stdout.write(f"A snapshot in {time.monotonic() - start:.0f} s\n")
    sys.stdout.flush()


def manage(env: dict[str, str], *arguments: str) -> None:
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=systems.ROOT, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"manage.py {' '.join(arguments)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")


def run(world: World, upstream: str, scenario: Scenario, seconds: float) -> Report:
    """Run one scenario and print its report."""
    new = [world.folder / f"{scenario.name}-{number}" for number in range(scenario.new)]
    folders = [world.warm] * scenario.warm + new
    with contextlib.ExitStack() as stack:
        cloud = stack.enter_context(cold_cloud(upstream, scenario.hosts, LATENCY, ALLOWED, WINDOW))
        hosts = [
            stack.enter_context(serving(world, scenario, folder, url))
            for folder, url in zip(folders, cloud.urls, strict=True)
        ]
        outages = uvloop.run(drive(scenario, cloud, hosts, seconds))
        ended = time.monotonic()
        found = [
            HostReport.of(host, outages, requested, ended)
            for host, requested in zip(hosts, cloud.request_times(), strict=True)
        ]
    for one, folder in zip(found, folders, strict=True):
        if folder in new and not scenario.has_snapshot:
            one.d1_aim = MOST_TO_FILL // scenario.hosts
    report = Report(scenario.name, scenario.title, scenario.ready_aim, found)
    print_report(report)
    return report


@contextlib.contextmanager
def serving(world: World, scenario: Scenario, folder: Path, url: str) -> Iterator[Host]:
    """Run a host whose D1 is at `url`; the block begins as soon as it answers at all."""
    folder.mkdir(exist_ok=True)
    started, started_at, env = time.monotonic(), time.time(), world.environment(scenario, folder, url)
    with systems.gallery(folder, free_port(), env, ready=systems.is_live) as system:
        readers = Readers(system.url.removeprefix("http://"), world.tokens, world.size)
        yield Host(system, folder, Target(system.url, readers, started, started_at))


async def drive(scenario: Scenario, cloud: ColdCloud, hosts: list[Host], seconds: float) -> list[Window]:
    """Send the traffic until the scenario is over, and return when D1 was away."""
    outages: list[Window] = []
    targets, is_over = [host.target for host in hosts], asyncio.Event()
    start = time.monotonic()
    async with asyncio.TaskGroup() as group:
        group.create_task(send(targets, is_over.is_set))
        for host in hosts:
            group.create_task(host.watch(is_over))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READY_SECONDS):
                while not all(target.is_ready for target in targets):
                    await asyncio.sleep(0.2)
        await asyncio.sleep(STEADY)
        if scenario.outage is not None:
            # Halfway between two writes, so that none is under way.
            await asyncio.sleep((start - time.monotonic()) % (1 / WRITES) + 0.5 / WRITES)
            began = time.monotonic()
            cloud.begin(scenario.outage)
            await asyncio.sleep(scenario.outage_seconds)
            cloud.end()
            outages.append((began, time.monotonic()))
            await asyncio.sleep(STEADY)
        elif scenario.new:
            left = max(target.started for target in targets) + seconds - time.monotonic()
            await asyncio.sleep(max(0.0, left))
        is_over.set()
    return outages


if __name__ == "__main__":
    main()
