"""`make soak`: a service as in production under mixed load, while D1, the store, workers and the server fail.

MINUTES= (5) is how long, SIZE= (2,000) how many designs are there before, OUT= writes JSON. It reads at 80% of what the
service answers in a short calibration. It ends with status 1 if an answer was wrong, if a call failed other than by the
envelope's 503 or 429, if an acknowledged write is missing or doubled at the end, or if it takes too much memory.
docs/testing.md says more.
"""

import os
import shutil
import sys
from pathlib import Path

import uvloop

from benchmarks.soak.run import Run
from benchmarks.soak.world import soaked_world

SIZE, MINUTES = 2000, 5.0
READERS = 40
LARGE = 20_000  # designs from which on readers are as many as a tenth, with 100 favourites each


def main() -> int:
    size, minutes = int(os.environ.get("SIZE") or SIZE), float(os.environ.get("MINUTES") or MINUTES)
    is_large = size >= LARGE
    users, favourites = (size // 10, 100) if is_large else (READERS + 2, None)
    print(f"Filling {size:,} designs, for {minutes:g} minutes", flush=True)
    with soaked_world(size, users, favourites) as world:
        run = Run(world, size, minutes, world.tokens[: READERS + 2])
        report = uvloop.run(run.play())
        if os.environ.get("OUT"):
            report.write(Path(os.environ["OUT"]))
        for line in report.lines():
            print(line, flush=True)
        if os.environ.get("OUT") and report.log.violations:
            shutil.copy(world.data / "server.log", f"{os.environ['OUT']}.log")
    return 1 if report.log.violations or report.missed() else 0


if __name__ == "__main__":
    sys.exit(main())
