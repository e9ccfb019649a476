"""`make bench-search` measures what searches and facets cost, on SQLite and from the copy of D1.

The figures are CPU in milliseconds of one request, called in process. Both systems take turns, so that their ratio
holds on a machine that other programs use. SIZE= is the number of designs (10,000), ROUNDS= how often each is
measured (3), OUT= writes JSON.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks import cloud, systems
from d1backend.local import D1Local

READERS = 5
MOST_RATIO = 1.3  # of the copy to SQLite, of requests with words that nobody sent before
RATIOS = ("new words", "facets of new words")
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
    table = {
        name: {key: round(median(times[key] for times in all_times), 3) for key in all_times[0]}
        for name, all_times in found.items()
    }
    faults = report(size, table)
    if os.environ.get("OUT"):
        Path(os.environ["OUT"]).write_text(json.dumps({"designs": size, "ms": table}, indent=1))
    if faults:
        sys.exit("\n".join(faults))


def prepared(data: Path, size: int, variables: dict[str, str]) -> tuple[dict[str, str], str]:
    """Fill a catalogue, on D1 with a copy; return the environment to read it in, and a reader's token."""
    data.mkdir(parents=True)
    token = systems.fill(size, READERS, systems.environment(data, REPLICA="off", **variables))[0]
    quiet = {"VIEW_FLUSH_SECONDS": "0", "LOG_LEVEL": "WARNING"}
    env = systems.environment(data, REPLICA="on" if variables else "off", **quiet, **variables)
    if variables:
        manage = [sys.executable, "manage.py", "d1_replica", "fill"]
        subprocess.run(manage, cwd=systems.ROOT, env=env, stdout=subprocess.DEVNULL, check=True)
    return env, token


def measured(size: int, env: dict[str, str], token: str, seed: int) -> Times:
    command = [sys.executable, "-m", "benchmarks.search_calls", str(size), token, str(seed)]
    done = subprocess.run(command, cwd=systems.ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True)
    times: Times = json.loads(done.stdout)
    return times


def report(size: int, table: dict[str, Times]) -> list[str]:
    """Print the table; return a sentence for each aim that is missed."""
    faults = []
    sys.stdout.write(
        f"{'CPU ms, ' + format(size, ',') + ' designs':28}{'SQLite':>10}{'copy':>10}{'ratio':>8}\n"
    )
    for name in table["SQLite"]:
        sqlite, copy = table["SQLite"][name], table["copy"][name]
        sys.stdout.write(f"{name:28}{sqlite:10.2f}{copy:10.2f}{copy / sqlite:8.2f}\n")
        if name in RATIOS and copy / sqlite > MOST_RATIO:
            faults.append(f"{name}: {copy / sqlite:.2f} times as slow from the copy; at most {MOST_RATIO}.")
        most = next((most for designs, most in LIMITS.get(name, {}).items() if size <= designs), None)
        if most is not None and max(sqlite, copy) > most:
            faults.append(f"{name}: {max(sqlite, copy):.1f} ms; at most {most:g}.")
    return faults


if __name__ == "__main__":
    main()
