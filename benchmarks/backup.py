"""`make bench-backup` takes a backup of a large gallery on D1's engine, and restores it into another database there.

100,000 designs and 1,000,000 favourites (SIZE=, FAVOURITES=), D1 50 ms away with one account's allowance, which the
proxy enforces as Cloudflare does. The host that takes the backup has no copy of D1 and no snapshot, the dearest case.
Afterwards every count and 1,000 random rows of both databases are compared. It ends with status 1 if an aim is missed.
"""

import json
import os
import random
import sys
import tempfile
import time
import uuid
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyrage

from benchmarks import systems
from benchmarks.bench import LATENCY, machine
from benchmarks.cold_cloud import ColdCloud, cold_cloud
from benchmarks.cold_world import ALLOWED, WINDOW, say
from d1backend.local import D1Local
from d1backend.options import Settings
from d1backend.protocol.api import Api
from d1backend.sql.values import literal, quote_name
from devtools.local_cloud import ACCOUNT, ensure_buckets, variables
from devtools.s3_server import S3Server

ROWS = 1_000
MOST_REQUESTS = {"backup": 400, "restore": 600}
LONGEST = 900.0  # seconds
# The restore gives the catalogue a new version; d1backend and the engine have tables of their own.
TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND rootpage > 0 AND name NOT GLOB '_*' "
    "AND name NOT GLOB 'sqlite_*' AND name NOT GLOB 'designs_search_*' AND name <> 'catalogue_version' ORDER BY name"
)


@dataclass
class Run:
    """One command: its requests to D1, seconds, and the most memory it held, in MB."""

    command: str
    requests: int
    seconds: float
    peak_mb: float


def main() -> None:
    size = int(os.environ.get("SIZE") or 100_000)
    favourites = int(os.environ.get("FAVOURITES") or 1_000_000)
    users = max(size // 10, 10)
    say(f"{size:,} designs, {favourites:,} favourites, D1 {LATENCY * 1000:.0f} ms away, {machine()}")
    with tempfile.TemporaryDirectory(prefix="gallery-backup-") as name, D1Local() as d1:
        folder = Path(name)
        with S3Server(folder / "s3") as store:
            ensure_buckets(store)
            near = variables(d1, store)
            filled = systems.environment(folder / "filled", REPLICA="off", D1_TIMEOUT="35", **near)
            start = time.monotonic()
            systems.fill(size, users, filled, favourites=favourites // users)
            say(f"Filled in {time.monotonic() - start:.0f} s")
            measure(folder, d1, near)


def measure(folder: Path, d1: D1Local, near: dict[str, str]) -> None:
    """Take the backup, restore it, compare, and print."""
    api = Api(Settings(account_id=ACCOUNT, api_token=d1.token, base_url=d1.url))
    identity = pyrage.x25519.Identity.generate()
    (folder / "identity").write_text(str(identity))
    with cold_cloud(d1.url, 2, LATENCY, ALLOWED, WINDOW) as cloud:
        url = {"CLOUDFLARE_D1_BASE_URL": cloud.urls[0], "D1_ALLOWANCE": str(ALLOWED)}
        key = {"BACKUP_KEY": str(identity.to_public())}
        env = systems.environment(folder / "host", **{**near, **url, **key})
        backup = run(cloud, 0, env, "backup", "--to", str(folder / "backups"))
        (path,) = (folder / "backups").iterdir()
        size = path.stat().st_size
        new = api.create(f"restored-{uuid.uuid4().hex[:8]}")
        url = {"CLOUDFLARE_D1_BASE_URL": cloud.urls[1], "D1_ALLOWANCE": str(ALLOWED)}
        other = {**near, **url, "CLOUDFLARE_D1_DATABASE_ID": new}
        env = systems.environment(folder / "new", **other)
        restore = run(cloud, 1, env, "restore", str(path), "--identity", str(folder / "identity"))
    counts, rows, differing = compare(api, near["CLOUDFLARE_D1_DATABASE_ID"], new)
    for one in (backup, restore):
        say(f"{one.command}: {one.requests} requests, {one.seconds:.0f} s, {one.peak_mb:.0f} MB at most")
    say(
        f"The file has {size / 1e6:.1f} MB; {counts} counts and {rows:,} random rows compared, {differing} differ"
    )
    if os.environ.get("OUT"):
        found = {"runs": [asdict(backup), asdict(restore)], "bytes": size, "rows": rows, "differ": differing}
        Path(os.environ["OUT"]).write_text(json.dumps(found, indent=1))
    missed = [
        one.command
        for one in (backup, restore)
        if one.requests > MOST_REQUESTS[one.command] or one.seconds > LONGEST
    ]
    if missed or differing:
        sys.exit(f"Aims missed: {', '.join(missed) or 'rows differ'}.")


def run(cloud: ColdCloud, host: int, env: dict[str, str], *arguments: str) -> Run:
    """Run a command of the project; the benchmark ends if it fails."""
    Path(env["DATA"]).mkdir()
    before, start = len(cloud.request_times()[host]), time.monotonic()
    with tempfile.TemporaryFile() as output:
        pid = os.posix_spawn(
            sys.executable,
            [sys.executable, str(systems.ROOT / "manage.py"), *arguments],
            env,
            file_actions=[(os.POSIX_SPAWN_DUP2, output.fileno(), fd) for fd in (1, 2)],
        )
        _, status, usage = os.wait4(pid, 0)
        if status:
            output.seek(0)
            sys.exit(f"manage.py {' '.join(arguments)} failed:\n{output.read().decode()[-3000:]}")
    seconds = time.monotonic() - start
    requests = len(cloud.request_times()[host]) - before
    return Run(arguments[0], requests, round(seconds, 1), round(usage.ru_maxrss / 1024, 1))


def compare(api: Api, one: str, other: str) -> tuple[int, int, int]:
    """Compare every count, and random rows of all tables. Return how many of both, and how many differ."""
    tables = [name for (name,) in ask(api, one, TABLES)]
    counts = {name: ask(api, one, f"SELECT count(*) FROM {quote_name(name)}") for name in tables}
    differing = sum(
        ask(api, other, f"SELECT count(*) FROM {quote_name(name)}") != count for name, count in counts.items()
    )
    large = [name for name in tables if counts[name][0][0] > 0]
    weights = [counts[name][0][0] ** 0.5 for name in large]
    chosen = random.Random(1).choices(large, weights, k=ROWS)
    for name in sorted(set(chosen)):
        places = random.Random(name).choices(range(counts[name][0][0]), k=chosen.count(name))
        wanted = ", ".join(map(str, places))
        ((key,),) = ask(api, one, f"SELECT name FROM pragma_table_info({literal(name)}) WHERE pk = 1")
        picked = (
            f"SELECT * FROM (SELECT *, row_number() OVER (ORDER BY {quote_name(str(key))}) AS place "
            f"FROM {quote_name(name)}) "
            f"WHERE place IN ({wanted})"
        )
        mine, theirs = ask(api, one, picked), ask(api, other, picked)
        differing += sum(a != b for a, b in zip(mine, theirs, strict=True))
    return len(tables), len(chosen), differing


def ask(api: Api, database: str, sql: str) -> list[list[Any]]:
    return api.batch(database, [(sql, [])])[0]["rows"]


if __name__ == "__main__":
    main()
