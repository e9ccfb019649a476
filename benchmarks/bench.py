"""`make bench` compares this project with the replica, without it, on SQLite, and a peer, in one table.

Two floors come first: an empty WSGI application, and an empty view of this project, under the same server. D1 is its
own engine on this machine, behind a proxy that adds LATENCY. SIZE= is the number of designs (10,000), OUT= a file for
the rows as JSON, DURATION= the seconds of each of a row's two runs (4), WORKLOADS= a selection, separated by commas,
with "list" among them. Times are those with few connections. Server and client share the machine.
"""

import contextlib
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypedDict

import requests

from benchmarks import cloud, floors, systems
from benchmarks.cloud import Proxy
from benchmarks.load import Result, run
from benchmarks.systems import System
from benchmarks.workloads import Readers
from d1backend.local import D1Local
from devtools.ports import free_port

LATENCY = 0.05  # seconds
READERS = 50
FEW, MANY = 8, 32  # connections, as few as a proxy keeps open and as many
CORES = os.cpu_count() or 1
QUOTA = 1200 / 300  # requests per second that Cloudflare's API accepts from one account


class Row(TypedDict):
    """One line of the table; `round_trips` and `cpu_ms` are per request, `rps_few` is the rate with few connections."""

    system: str
    workload: str
    round_trips: float
    rps_few: float
    rps: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    failures: int


def main() -> None:
    size, seconds = int(os.environ.get("SIZE") or 10_000), float(os.environ.get("DURATION") or 4)
    sys.stdout.write(f"{size:,} designs, D1 {LATENCY * 1000:.0f} ms away, {machine()}\n")
    rows: list[Row] = [*floor_rows(seconds)]
    with tempfile.TemporaryDirectory(prefix="gallery-bench-") as folder, D1Local() as d1:
        data, database = Path(folder), cloud.new_database(d1)
        near = cloud.variables(database, d1.url, d1.token)
        tokens = systems.fill(size, READERS, systems.environment(data / "d1", REPLICA="off", **near))
        with cloud.proxied(d1.url, LATENCY) as proxy:
            far = cloud.variables(database, proxy.url, d1.token)
            for name in ("replica", "no-replica", "peer"):
                with served(name, data / name, far) as system:
                    rows += measured(name, system, readers_of(system, tokens, size), proxy, seconds)
        env = systems.environment(data / "sqlite")
        tokens = systems.fill(size, READERS, env)
        with served("sqlite", data / "sqlite", {}) as system:
            rows += measured("sqlite", system, readers_of(system, tokens, size), None, seconds)
    print_table(rows)
    if os.environ.get("OUT"):
        Path(os.environ["OUT"]).write_text(json.dumps({"rows": [as_json(row) for row in rows]}, indent=1))
    if any(row["failures"] for row in rows):
        sys.exit("Some requests failed.")


def floor_rows(seconds: float) -> Iterator[Row]:
    """Yield the rows of what the same server answers without the gallery, and without its views."""
    for name, application in (
        ("empty WSGI", "benchmarks.floors:nothing"),
        ("empty view", "benchmarks.floors:empty_view()"),
    ):
        with tempfile.TemporaryDirectory(prefix="gallery-floor-") as folder:
            data, port = Path(folder), free_port()
            env = systems.environment(data)
            # Of a database without tables a server asks at each request whether a restore fills it.
            systems.manage(env, "migrate")
            with systems.gallery(data, port, env, application=application, ready=answers) as system:
                yield from measured(name, system, floors.workloads(host_of(system)), None, seconds)


def answers(url: str) -> bool:
    return requests.get(f"{url}{floors.PATH}", timeout=5).ok


def machine() -> str:
    return f"{CORES} cores, Python {platform.python_version()}, {platform.system()}"


@contextlib.contextmanager
def served(name: str, data: Path, variables: dict[str, str]) -> Iterator[System]:
    """Run the system of that name."""
    data.mkdir(exist_ok=True)
    replica = "on" if name == "replica" else "off"
    env, port = systems.environment(data, REPLICA=replica, **variables), free_port()
    start = systems.peer if name == "peer" else systems.gallery
    try:
        with start(data, port, env) as system:
            yield system
    except BaseException:
        sys.stderr.write((data / "server.log").read_text()[-4000:])
        raise


def readers_of(system: System, tokens: list[str], size: int) -> dict[str, Callable[[], bytes]]:
    return Readers(host_of(system), tokens, size).workloads()


def host_of(system: System) -> str:
    return system.url.removeprefix("http://")


def measured(
    name: str, system: System, workloads: dict[str, Callable[[], bytes]], proxy: Proxy | None, seconds: float
) -> Iterator[Row]:
    """Yield a row for each workload, and print it at once."""
    chosen = os.environ.get("WORKLOADS")
    for workload, make in workloads.items():
        if chosen and workload not in [*chosen.split(","), "empty"]:
            continue
        connections = CORES if workload == "login" else MANY  # more would only wait for bcrypt
        run(system.url, make, connections, seconds / 4)
        few = run(system.url, make, min(FEW, connections), seconds)
        trips, cpu = proxy.counts()[0] if proxy else 0, system.cpu()
        many = run(system.url, make, connections, seconds)
        trips, cpu = (proxy.counts()[0] if proxy else 0) - trips, system.cpu() - cpu
        row: Row = {
            "system": name,
            "workload": workload,
            "round_trips": round(trips / many.count, 3),
            "rps_few": round(few.rate, 1),
            "rps": round(many.rate, 1),
            "p50_ms": round(few.percentile(50), 2),
            "p99_ms": round(few.percentile(99), 2),
            "cpu_ms": round(cpu / many.count * 1000, 2),
            "failures": few.failures + many.failures,
        }
        report_failure(row, few, many)
        sys.stderr.write(f"{line(row)}\n")
        yield row


def report_failure(row: Row, *results: Result) -> None:
    for result in results:
        if result.failures:
            answer = result.first_failure.decode("utf-8", "replace")
            sys.stderr.write(f"{row['system']}, {row['workload']}: {result.statuses}\n{answer}\n")


def as_json(row: Row) -> dict[str, str | float]:
    """Return the row in the format of OUT=, whose readers know a workload as "work"."""
    return {
        "system": row["system"],
        "work": row["workload"],
        "round_trips": row["round_trips"],
        "rps_few": row["rps_few"],
        "rps": row["rps"],
        "p50_ms": row["p50_ms"],
        "p99_ms": row["p99_ms"],
    }


def line(row: Row) -> str:
    return (
        f"{row['system']:11} {row['workload']:14} {row['round_trips']:8.3f} {row['rps_few']:8,.0f} {row['rps']:8,.0f} "
        f"{row['p50_ms']:9.2f} "
        f"{row['p99_ms']:9.2f} {row['cpu_ms']:9.2f}"
    )


def print_table(rows: list[Row]) -> None:
    """Print the table, and the rates that Cloudflare's quota permits."""
    header = (
        f"{'system':11} {'workload':14} {'trips':>8} {f'/s by {FEW}':>8} {f'by {MANY}':>8} "
        f"{'p50 ms':>9} {'p99 ms':>9} {'CPU ms':>9}"
    )
    lines = [header, *(line(row) for row in rows), "", "Requests per second within Cloudflare's quota:"]
    by_system = {(row["system"], row["workload"]): row for row in rows}
    peer = within_quota(by_system["peer", "list"])
    for name in ("replica", "no-replica", "peer", "sqlite"):
        row = by_system[name, "list"]
        rate = within_quota(row)
        lines.append(f"{name:11} list {rate:10,.1f}  {rate / peer:8.1f} times the peer's")
    sys.stdout.write("\n".join(lines) + "\n")


def within_quota(row: Row) -> float:
    """Return the row's rate, limited by the account's quota of calls to D1."""
    calls = row["rps"] * row["round_trips"]
    return row["rps"] if calls <= QUOTA else QUOTA / row["round_trips"]


if __name__ == "__main__":
    main()
