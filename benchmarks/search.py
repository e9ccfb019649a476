"""`make bench-search` measures what searches and facets cost, on SQLite and from the copy of D1.

First the CPU in milliseconds of one request, called in process; then how much slower servers answer from the copy, with
new words in each request. Both systems take turns, so that their ratio holds on a machine that other programs use.
SIZE= is the number of designs (10,000), ROUNDS= how often each is measured (3), OUT= writes JSON.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks import cloud, systems
from benchmarks.load import run
from benchmarks.workloads import Readers
from d1backend.local import D1Local
from devtools.ports import free_port

READERS = 5
MOST_RATIO = 1.3  # of the time that a request with new words takes from the copy, to that on SQLite
CONNECTIONS, SECONDS = 32, 4.0
# The milliseconds at most, up to that many designs.
LIMITS = {
    "corrected": {10_000: 5.0, 100_000: 15.0},
    "first facets": {100_000: 60.0},
    "first facets, filtered": {100_000: 60.0},
    "first facets of a search": {100_000: 60.0},
}

Times = dict[str, float]


def main() -> None:
    size, rounds = int(os.environ.get("SIZE") or 10_000), int(os.environ.get("ROUNDS") or 3)
    with tempfile.TemporaryDirectory(prefix="gallery-search-") as folder, D1Local() as d1:
        data = Path(folder)
        variables = cloud.variables(cloud.new_database(d1), d1.url, d1.token)
        environments = {
            "SQLite": prepared(data / "sqlite", size, {}),
            "copy": prepared(data / "copy", size, variables),
        }
        found: dict[str, list[Times]] = {name: [] for name in environments}
        for number in range(rounds):
            for name in sorted(environments, reverse=number % 2 == 1):
                found[name].append(measured(size, *environments[name], seed=number))
        ratios = compared(size, rounds, environments)
    table = {
        name: {key: round(median(times[key] for times in all_times), 3) for key in all_times[0]}
        for name, all_times in found.items()
    }
    faults = report(size, table)
    faults += [
        f"{name}: {ratio:.2f} times as slow from the copy; at most {MOST_RATIO}."
        for name, ratio in ratios.items()
        if ratio > MOST_RATIO
    ]
    if os.environ.get("OUT"):
        Path(os.environ["OUT"]).write_text(
            json.dumps({"designs": size, "ms": table, "ratios": ratios}, indent=1)
        )
    if faults:
        sys.exit("\n".join(faults))


def prepared(data: Path, size: int, variables: dict[str, str]) -> tuple[dict[str, str], str]:
    """Fill a catalogue, on D1 with a copy; return the environment to read it in, and a reader's token."""
    data.mkdir(parents=True)
    token = systems.fill(size, READERS, systems.environment(data, REPLICA="off", **variables))[0]
    quiet = {"VIEW_FLUSH_SECONDS": "0", "LOG_LEVEL": "WARNING"}
    env = systems.environment(data, REPLICA="on" if variables else "off", **quiet, **variables)
    if variables:
        systems.manage(env, "d1_replica", "fill")
    return env, token


def measured(size: int, env: dict[str, str], token: str, seed: int) -> Times:
    command = [sys.executable, "-m", "benchmarks.search_calls", str(size), token, str(seed)]
    done = subprocess.run(command, cwd=systems.ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True)
    times: Times = json.loads(done.stdout)
    return times


def compared(size: int, rounds: int, environments: dict[str, tuple[dict[str, str], str]]) -> Times:
    """How many times as much CPU a request with new words takes from the copy, by workload; the median of the rounds.

    It is that of the workers, which other programs on the machine do not change: D1's engine is one of them.
    """
    with contextlib.ExitStack() as stack:
        servers = {}
        for name, (env, token) in environments.items():
            port = free_port()
            system = stack.enter_context(systems.gallery(Path(env["DATA"]), port, env))
            servers[name] = (system, Readers(f"127.0.0.1:{port}", [token], size))
        ratios: dict[str, list[float]] = {"new search": [], "new facets": []}
        for number in range(rounds + 1):
            for workload in ratios:
                rates = {}
                for name in sorted(servers, reverse=number % 2 == 1):
                    system, readers = servers[name]
                    ask = readers.new_search if workload == "new search" else readers.new_facets
                    cpu = system.cpu()
                    rates[name] = run(system.url, ask, CONNECTIONS, SECONDS).count / (system.cpu() - cpu)
                if number > 0:  # the first round warms up
                    ratios[workload].append(rates["SQLite"] / rates["copy"])
    found = {workload: round(median(each), 3) for workload, each in ratios.items()}
    for workload, ratio in found.items():
        sys.stdout.write(f"{workload}: {ratio:.2f} times the CPU from the copy\n")
    return found


def report(size: int, table: dict[str, Times]) -> list[str]:
    """Print the table; return a sentence for each aim that is missed."""
    faults = []
    sys.stdout.write(
        f"{'CPU ms, ' + format(size, ',') + ' designs':28}{'SQLite':>10}{'copy':>10}{'ratio':>8}\n"
    )
    for name in table["SQLite"]:
        sqlite, copy = table["SQLite"][name], table["copy"][name]
        sys.stdout.write(f"{name:28}{sqlite:10.2f}{copy:10.2f}{copy / sqlite:8.2f}\n")
        most = next((most for designs, most in LIMITS.get(name, {}).items() if size <= designs), None)
        if most is not None and max(sqlite, copy) > most:
            faults.append(f"{name}: {max(sqlite, copy):.1f} ms; at most {most:g}.")
    return faults


if __name__ == "__main__":
    main()
