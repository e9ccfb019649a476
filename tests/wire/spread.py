"""Eight kept connections on the list: ten runs are equally fast, and each worker has four.

A machine of which others use a part is not equally fast itself. So each run stands between two samples of what its
cores do meanwhile, and the runs are compared by their rate for each unit of that.
"""

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Sequence

from tests.wire.host import Host
from tests.wire.reads import Reading
from tests.wire.table import Table

RUNS, SECONDS, CONNECTIONS = 10, 5.0, 8
MOST_SPREAD = 0.10
SAMPLE = 1.0  # seconds
COUNT = """
import sys, time
rounds, end = 0, time.perf_counter() + float(sys.argv[1])
while time.perf_counter() < end:
    sorted(str(number) for number in range(1000))
    rounds += 1
print(rounds)
"""


def check(host: Host, table: Table) -> None:
    table.title(f"{RUNS} runs of {CONNECTIONS} kept connections")
    host.admin.session.close()  # its kept connection would count
    Reading(host, SECONDS, CONNECTIONS).result()
    rates, splits, faults, speeds = [], [], [], [speed_of_machine()]
    for _ in range(RUNS):
        reading = Reading(host, SECONDS, CONNECTIONS)
        time.sleep(SECONDS / 2)
        splits.append(host.held())
        found = reading.result()
        rates.append(found.rate)
        faults += found.faults
        speeds.append(speed_of_machine())
    table.title(f"  {min(rates):,.0f} to {max(rates):,.0f} a second, {spread(rates):.1%}")
    table.title(f"  the machine itself: {min(speeds):,.0f} to {max(speeds):,.0f}, {spread(speeds):.1%}")
    around = [(before + after) / 2 for before, after in itertools.pairwise(speeds)]
    found_spread = spread([rate / speed for rate, speed in zip(rates, around, strict=True)])
    table.add(
        "slowest to fastest, by the speed of the machine",
        f"{found_spread:.1%}",
        f"at most {MOST_SPREAD:.0%}",
        holds=found_spread <= MOST_SPREAD,
    )
    uneven = [str(split) for split in splits if split != [CONNECTIONS // 2] * 2]
    table.count("connections fall 4:4", uneven, RUNS)
    table.count("lists are read", faults, sum(1 for _ in rates))


def spread(values: Sequence[float]) -> float:
    """Return by which part the least is below the greatest."""
    return 1 - min(values) / max(values)


def speed_of_machine() -> float:
    """Return how many rounds of plain Python all cores together run in a second."""
    command = [sys.executable, "-c", COUNT, str(SAMPLE)]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(os.cpu_count() or 1)
    ]
    return sum(int(process.communicate()[0]) for process in running) / SAMPLE
