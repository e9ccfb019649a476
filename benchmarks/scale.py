"""`make bench-scale` sends the same requests with 1,000, 10,000 and 100,000 designs, on SQLite. OUT= writes JSON.

The figure is the server's CPU in milliseconds per request, called in process without a socket: the fastest quarter
of many calls, which other work on the machine disturbs least. "First" is the first call after the catalogue changed,
with empty caches; "then" is every later one. The aim: "then" grows to less than twice its time.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TypedDict

from benchmarks import systems

SIZES = (1_000, 10_000, 100_000)
READERS = 20
AIM = 2.0
# Views change that order all the time, so it is not cached, and skipping half of it costs its length.
EXCUSED = ("most viewed, middle page",)
Times = dict[str, tuple[float, float]]  # by workload: milliseconds first, and then


class Row(TypedDict):
    """One line of the table: milliseconds by number of designs."""

    workload: str
    first_ms: dict[int, float]
    then_ms: dict[int, float]
    growth: float


def main() -> None:
    sizes = tuple(int(size) for size in os.environ["SIZE"].split(",")) if os.environ.get("SIZE") else SIZES
    found: dict[int, Times] = {}
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="gallery-scale-") as folder:
            found[size] = measure(Path(folder), size)
    rows = [row(workload, found) for workload in found[sizes[0]]]
    print_table(rows, sizes)
    if os.environ.get("OUT"):
        Path(os.environ["OUT"]).write_text(json.dumps({"rows": rows}, indent=1))
    slow = [
        entry["workload"] for entry in rows if entry["growth"] >= AIM and entry["workload"] not in EXCUSED
    ]
    if slow:
        sys.exit(f"These grew {AIM:g} times or more: {', '.join(slow)}.")


def measure(data: Path, size: int) -> Times:
    """Fill a catalogue, and time the workloads in another process, which loads its own settings."""
    env = systems.environment(data, VIEW_FLUSH_SECONDS="0", LOG_LEVEL="WARNING")
    sys.stderr.write(f"Filling {size:,} designs …\n")
    token = systems.fill(size, READERS, env)[0]
    command = [sys.executable, "-m", "benchmarks.scale_calls", str(size), token]
    done = subprocess.run(command, cwd=systems.ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True)
    times: Times = json.loads(done.stdout)
    return times


def row(workload: str, found: dict[int, Times]) -> Row:
    first, *_, last = (times[workload][1] for times in found.values())
    return {
        "workload": workload,
        "first_ms": {size: times[workload][0] for size, times in found.items()},
        "then_ms": {size: times[workload][1] for size, times in found.items()},
        "growth": round(last / first, 2),
    }


def print_table(rows: list[Row], sizes: tuple[int, ...]) -> None:
    heads = "".join(f"{size:>10,}" for size in sizes)
    lines = [f"{'CPU ms per request':24}{heads}  growth |{heads}", f"{'':24}{'then':>10}{'':37}{'first':>10}"]
    for entry in rows:
        then = "".join(f"{value:10.2f}" for value in entry["then_ms"].values())
        first = "".join(f"{value:10.2f}" for value in entry["first_ms"].values())
        lines.append(f"{entry['workload']:24}{then}  {entry['growth']:6.2f} |{first}")
    growth = statistics.geometric_mean(entry["growth"] for entry in rows)
    lines.append(f'On average, "then" grows {growth:.2f} times.')
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
