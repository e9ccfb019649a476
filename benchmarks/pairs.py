"""`make bench-pairs BASE=commit` compares the speed of two commits, in pairs of runs.

Both serve at the same time, each from its own data, and are loaded in turn: this tree, the base, the base, this tree,
and so on. A pair's ratio therefore holds on a machine whose speed drifts. SIZE= is the number of designs (10,000),
PAIRS= how many (7), CONNECTIONS= (32), DURATION= the seconds of each run (4), WORKLOADS= a selection ("list,detail"),
SYSTEMS= where reads come from ("sqlite,replica").
"""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import cloud, systems
from benchmarks.bench import READERS, host_of, machine
from benchmarks.load import run
from benchmarks.systems import ROOT, System
from benchmarks.workloads import Readers
from d1backend.local import D1Local
from devtools.ports import free_port


@dataclass
class Served:
    """A running tree, and what its readers ask."""

    system: System
    readers: Readers

    def measure(self, workload: str, connections: int, seconds: float) -> tuple[float, float]:
        """Return the requests per second of one run, and per second of the workers' CPU. Exits if one fails."""
        cpu = self.system.cpu()
        result = run(self.system.url, self.readers.workloads()[workload], connections, seconds)
        if result.failures:
            sys.exit(f"{workload}: {result.statuses}\n{result.first_failure.decode('utf-8', 'replace')}")
        return result.rate, result.count / max(self.system.cpu() - cpu, 0.01)


def main() -> None:
    size = int(os.environ.get("SIZE") or 10_000)
    base = os.environ.get("BASE") or sys.exit("Name a commit to compare with: make bench-pairs BASE=main~1")
    sys.stdout.write(f"{size:,} designs, base {base}, {machine()}\n")
    with tempfile.TemporaryDirectory(prefix="gallery-pairs-") as folder, checkout(base, folder) as tree:
        for name in (os.environ.get("SYSTEMS") or "sqlite,replica").split(","):
            with contextlib.ExitStack() as stack:
                d1 = stack.enter_context(D1Local()) if name == "replica" else None
                data = Path(folder) / name
                now = stack.enter_context(served(ROOT, data / "now", size, d1))
                before = stack.enter_context(served(tree, data / "base", size, d1))
                for workload in (os.environ.get("WORKLOADS") or "list,detail").split(","):
                    compare(name, workload, now, before)


@contextlib.contextmanager
def checkout(commit: str, folder: str) -> Iterator[Path]:
    """Yield a work tree of that commit."""
    tree = Path(folder) / "tree"
    subprocess.run(["git", "worktree", "add", "--quiet", "--detach", str(tree), commit], cwd=ROOT, check=True)
    try:
        yield tree
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", str(tree)], cwd=ROOT, check=True)


@contextlib.contextmanager
def served(tree: Path, data: Path, size: int, d1: D1Local | None) -> Iterator[Served]:
    """Fill a database by the code of a tree, and serve it by the same code."""
    data.mkdir(parents=True)
    variables = cloud.variables(cloud.new_database(d1, data.name), d1.url, d1.token) if d1 else {}
    tokens = systems.fill(size, READERS, systems.environment(data, REPLICA="off", **variables), tree)
    replica = "on" if d1 else "off"
    env, port = systems.environment(data, REPLICA=replica, **variables), free_port()
    with systems.gallery(data, port, env, tree) as system:
        yield Served(system, Readers(host_of(system), tokens, size))


def compare(name: str, workload: str, now: Served, before: Served) -> None:
    """Print the rates of each pair of runs, and the medians of their ratios with their spread.

    The second ratio is that of requests per second of CPU: it holds while other programs use the machine, too.
    """
    connections, seconds = int(os.environ.get("CONNECTIONS") or 32), float(os.environ.get("DURATION") or 4)
    for one in (now, before):
        one.measure(workload, connections, seconds)
    ratios, cpu_ratios = [], []
    for pair in range(int(os.environ.get("PAIRS") or 7)):
        found = {}
        for one in (now, before) if pair % 2 == 0 else (before, now):
            found[one.system.url] = one.measure(workload, connections, seconds)
        (rate, per_cpu), (base_rate, base_per_cpu) = found[now.system.url], found[before.system.url]
        ratios.append(rate / base_rate)
        cpu_ratios.append(per_cpu / base_per_cpu)
        sys.stdout.write(
            f"{name:8} {workload:14} now {rate:8,.1f}/s  base {base_rate:8,.1f}/s  "
            f"{ratios[-1]:.3f}  by CPU {cpu_ratios[-1]:.3f}\n"
        )
    sys.stdout.write(f"{name:8} {workload:14} median ratio {spread(ratios)}; by CPU {spread(cpu_ratios)}\n")


def spread(ratios: list[float]) -> str:
    return f"{median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})"


if __name__ == "__main__":
    main()
