"""The trials in full, with a summary: python -m tests.d1.faults --transactions 1000 --seed 1."""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from d1backend.local import D1Local
from d1backend.options import Settings
from d1backend.protocol.api import Api
from devtools import fault_plan as plans
from devtools.fault_proxy import FaultProxy
from tests.d1.faults.process import configure

TOKEN = "local"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transactions", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument(
        "--seed", type=int, default=random.randrange(10**6), help="printed, to run the same again"
    )
    options = parser.parse_args()
    with D1Local(token=TOKEN) as engine, FaultProxy(engine.url) as proxy:
        api = Api(Settings("an-account", TOKEN, engine.url))
        database = api.create("faults")
        configure(proxy.url, database, TOKEN)
        say(f"A fault in every third request; seed {options.seed}.")
        return run(options, proxy, database, lambda sql: api.batch(database, [(sql, [])])[0]["rows"])


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def run(options: argparse.Namespace, proxy: FaultProxy, database: str, ask: Any) -> int:
    """Each trial on empty tables; 1 when an account does not come out even."""
    from django.db import connection

    from tests.d1.faults import trials
    from tests.d1.faults.models import MODELS
    from tests.d1.faults.moves import MOVES
    from tests.d1.replica import hosts

    with connection.schema_editor() as editor:
        for model in MODELS:
            editor.create_model(model)
    count, seed, failed = options.transactions, options.seed, 0
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "log"
        for name, trial in {
            "two rows in a transaction": lambda: trials.pairs("default", proxy, ask, count, seed),
            "the same, killed at random": lambda: trials.killed_pairs(
                database, TOKEN, proxy, ask, count, log, seed
            ),
            "every way to go on after an error": lambda: trials.pairs(
                "hasty", proxy, ask, count, seed, MOVES
            ),
            "the same ways, killed at random": lambda: trials.killed_pairs(
                database, TOKEN, proxy, ask, count, Path(directory) / "moves", seed, "all"
            ),
            "a counter, F()": lambda: trials.additions(
                "default", proxy, ask, "F", count, options.threads, seed
            ),
            "a counter, F(), of a server with a breaker": lambda: trials.additions(
                "server", proxy, ask, "F", count, options.threads, seed
            ),
            "a counter, select_for_update()": lambda: trials.additions(
                "default", proxy, ask, "select_for_update", count, options.threads, seed
            ),
            "hosts with snapshots, killed at random": lambda: hosts.trial(
                database,
                TOKEN,
                proxy,
                ask,
                count,
                Path(directory) / "hosts",
                hosts.at_times(plans.every(2, trials.FAULTS, seed)),
                seed,
            ),
        }.items():
            ask("DELETE FROM d1faults_credit")
            ask("DELETE FROM d1faults_debit")
            began = time.monotonic()
            result = trial()
            failed += not result.even
            sign = "ok" if result.even else "FAILED"
            say(f"{sign}  {name} ({time.monotonic() - began:.0f} s): {result}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
