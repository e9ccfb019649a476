"""Eight kept connections on the list: ten runs are equally fast, and each worker has four."""

import time

from tests.wire.host import Host
from tests.wire.reads import Reading
from tests.wire.table import Table

RUNS, SECONDS, CONNECTIONS = 10, 5.0, 8
MOST_SPREAD = 0.10


def check(host: Host, table: Table) -> None:
    table.title(f"{RUNS} runs of {CONNECTIONS} kept connections")
    host.admin.session.close()  # a ninth connection would count
    Reading(host, SECONDS, CONNECTIONS).result()
    rates, splits, faults = [], [], []
    for _ in range(RUNS):
        reading = Reading(host, SECONDS, CONNECTIONS)
        time.sleep(SECONDS / 2)
        splits.append(host.held())
        found = reading.result()
        rates.append(found.rate)
        faults += found.faults
    spread = 1 - min(rates) / max(rates)
    shown = f"{min(rates):,.0f} to {max(rates):,.0f} a second, {spread:.1%}"
    table.add("slowest to fastest", shown, f"at most {MOST_SPREAD:.0%}", holds=spread <= MOST_SPREAD)
    uneven = [str(split) for split in splits if split != [CONNECTIONS // 2] * 2]
    table.count("connections fall 4:4", uneven, RUNS)
    table.count("lists are read", faults, sum(1 for _ in rates))
