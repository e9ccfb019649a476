"""The same requests with 1,000, 10,000 and 100,000 designs, on SQLite: `make bench-scale`. OUT= a file for JSON.

The figure is CPU of the server's own, in milliseconds a request, called in process without a socket: the fastest
quarter of many calls, which other work on the machine disturbs least. "First" is the first call after the catalogue
changed, when nothing of it is remembered; "then" is every later one. The aim is that "then" grows by less than twice.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import systems

SIZES = (1_000, 10_000, 100_000)
READERS = 20
AIM = 2.0
# Views change that order all the time, so it is never remembered, and passing over half of it costs its length.
EXCUSED = ("most viewed, middle page",)
Times = dict[str, tuple[float, float]]  # by work: milliseconds first, and then


def main() -> None:
    sizes = tuple(int(size) for size in os.environ["SIZE"].split(",")) if os.environ.get("SIZE") else SIZES
    found: dict[int, Times] = {}
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="gallery-scale-") as folder:
            found[size] = measure(Path(folder), size)
    rows = [row(work, found) for work in found[sizes[0]]]
    tell(rows, sizes)
    if os.environ.get("OUT"):
        Path(os.environ["OUT"]).write_text(json.dumps({"rows": rows}, indent=1))
    slow = [entry["work"] for entry in rows if entry["growth"] >= AIM and entry["work"] not in EXCUSED]
    if slow:
        sys.exit(f"These grew by more than {AIM:g} times: {', '.join(slow)}.")


def measure(data: Path, size: int) -> Times:
    """Fill a catalogue and time the works in another process, which reads its settings anew."""
    env = systems.environment(data, VIEW_FLUSH_SECONDS="0", LOG_LEVEL="WARNING")
    sys.stderr.write(f"Filling {size:,} designs …\n")
    token = systems.fill(size, READERS, env)[0]
    command = [sys.executable, "-m", "benchmarks.scale_calls", str(size), token]
    done = subprocess.run(command, cwd=systems.ROOT, env=env, stdout=subprocess.PIPE, text=True, check=True)
    times: Times = json.loads(done.stdout)
    return times


def row(work: str, found: dict[int, Times]) -> dict[str, Any]:
    first, *_, last = (times[work][1] for times in found.values())
    return {
        "work": work,
        "first_ms": {size: times[work][0] for size, times in found.items()},
        "then_ms": {size: times[work][1] for size, times in found.items()},
        "growth": round(last / first, 2),
    }


def tell(rows: list[dict[str, Any]], sizes: tuple[int, ...]) -> None:
    heads = "".join(f"{size:>10,}" for size in sizes)
    lines = [f"{'CPU ms a request':24}{heads}  growth |{heads}", f"{'':24}{'then':>10}{'':37}{'first':>10}"]
    for entry in rows:
        then = "".join(f"{value:10.2f}" for value in entry["then_ms"].values())
        first = "".join(f"{value:10.2f}" for value in entry["first_ms"].values())
        lines.append(f"{entry['work']:24}{then}  {entry['growth']:6.2f} |{first}")
    growth = statistics.geometric_mean(entry["growth"] for entry in rows)
    lines.append(f"All together then grow {growth:.2f} times.")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
