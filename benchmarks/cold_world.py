"""What the scenarios of bench-cold share: D1's engine with its data, and hosts that run on it."""

import contextlib
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import systems
from benchmarks.cold_release import NEWEST, make_releases
from benchmarks.cold_scenarios import Migration, Scenario
from benchmarks.cold_traffic import Target
from benchmarks.cold_watch import Host
from benchmarks.workloads import Readers
from d1backend.local import D1Local
from devtools.local_cloud import PRIVATE_BUCKET, ensure_buckets, variables
from devtools.ports import free_port
from devtools.s3_server import S3Server

FAVOURITES_EACH = 100
ALLOWED, WINDOW = 1200, 300.0  # requests per seconds
SNAPSHOTS = {"CLOUDFLARE_R2_PRIVATE_BUCKET_NAME": PRIVATE_BUCKET}


@dataclass
class World:
    """What all scenarios share: D1's engine with its data, the buckets, and a host's folder with a filled copy.

    `releases` are the trees of the releases, by the migration of designs that each needs.
    """

    folder: Path
    near: dict[str, str]
    tokens: list[str]
    size: int
    releases: dict[str, Path]

    @property
    def warm(self) -> Path:
        return self.folder / "warm"

    def environment(self, scenario: Scenario, data: Path, url: str) -> dict[str, str]:
        # At an address of its own D1 has no allowance unless it is stated.
        shared = {"HOSTS": str(scenario.hosts), "D1_ALLOWANCE": str(ALLOWED)}
        given = {**self.near, **shared, "CLOUDFLARE_D1_BASE_URL": url}
        return systems.environment(data, **given, **(SNAPSHOTS if scenario.has_snapshot else {}))

    def prepare(self, scenario: Scenario) -> None:
        """Bring D1 and the warm copy to where the scenario begins, without latency and allowance."""
        start, env = time.monotonic(), systems.environment(self.warm, **self.near)
        if scenario.migration is not None:
            # Only the newest release accepts the schema of each: `migrate` checks it where no migration is left.
            systems.manage(env, "migrate", "designs", scenario.migration.before, tree=self.releases[NEWEST])
        if scenario.warm or scenario.has_snapshot:
            systems.manage(env, "d1_replica", "fill")
        if scenario.has_snapshot:
            systems.manage({**env, **SNAPSHOTS}, "d1_replica", "snapshot")
        for ledger in self.warm.glob("d1-calls-*"):
            ledger.unlink()
        say(f"\nReady for {scenario.title} in {time.monotonic() - start:.0f} s")

    def migrate(self, scenario: Scenario, migration: Migration, url: str) -> None:
        """Run the migration as a platform does before a deploy: the new code, on an empty disk."""
        folder = self.folder / f"{scenario.name}-migrate"
        folder.mkdir()
        env = self.environment(scenario, folder, url)
        systems.manage(env, "migrate", "designs", migration.after, tree=self.releases[migration.after])

    def folder_of(self, scenario: Scenario, number: int) -> Path:
        """Return the folder of a host, with a copy if it is one of the warm ones."""
        if number == 0 and scenario.warm:
            return self.warm
        folder = self.folder / f"{scenario.name}-{number}"
        if number < scenario.warm:
            shutil.copytree(self.warm, folder)
        return folder

    @contextlib.contextmanager
    def serving(
        self, scenario: Scenario, folder: Path, url: str, tree: Path = systems.ROOT
    ) -> Iterator[Host]:
        """Run a host whose D1 is at `url`; the block begins as soon as it answers at all."""
        folder.mkdir(exist_ok=True)
        started, started_at, env = time.monotonic(), time.time(), self.environment(scenario, folder, url)
        with systems.gallery(folder, free_port(), env, tree, ready=systems.is_live) as system:
            readers = Readers(system.url.removeprefix("http://"), self.tokens, self.size)
            yield Host(system, folder, Target(system.url, readers, started, started_at))


def prepared(folder: Path, d1: D1Local, store: S3Server, size: int) -> World:
    """Create the data on D1, and a host's folder with its copy, without latency and allowance."""
    start = time.monotonic()
    (folder / "warm").mkdir()
    ensure_buckets(store)
    near = variables(d1, store)
    env = systems.environment(folder / "data", REPLICA="off", D1_TIMEOUT="35", **near)
    tokens = systems.fill(size, max(size // 10, 10), env, favourites=FAVOURITES_EACH)
    world = World(folder, near, tokens, size, make_releases(folder))
    systems.manage(systems.environment(world.warm, **near), "d1_replica", "fill")
    say(f"Data and a copy of it in {time.monotonic() - start:.0f} s")
    return world


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
