"""`make schemathesis`: attack a server by its own OpenAPI document, with every check of Schemathesis.

Prints how many answers of each operation were a success, and ends with status 1 if Schemathesis finds a failure, if
under 20% of a GET's answers are one, or if another operation has none.
"""

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from devtools.serving import ROOT, Server, new_server, serving

GETS_LEAST = 0.2  # of the answers to a GET
METRICS_TOKEN = secrets.token_hex(16)
SERVER = {"METRICS_TOKEN": METRICS_TOKEN, "ACCESS_TOKEN_MINUTES": "1440", "SIGN_IN_FAILURES": "1000000"}
Counts = dict[str, Counter[str]]


def attack(server: Server, folder: Path, *arguments: str) -> tuple[subprocess.CompletedProcess[str], Counts]:
    """Run Schemathesis; return how it ended, and the answers of each operation by status."""
    token = server.client(**server.admin).token
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SCHEMATHESIS_HOOKS": "tests.openapi.hooks",
        "GALLERY_ADDRESS": server.address,
        "GALLERY_TOKEN": json.dumps(token),
        "GALLERY_COUNTS": str(folder / "counts.json"),
        "METRICS_TOKEN": METRICS_TOKEN,
    }
    done = subprocess.run(
        [
            *(Path(sys.executable).parent / "schemathesis", "run", f"{server.address}/openapi.json"),
            *("--checks", "all", "--continue-on-failure", "--seed", "1", *arguments),
        ],
        cwd=folder,  # it leaves its findings where it stands
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    counts = json.loads((folder / "counts.json").read_text())
    return done, {call: Counter(found) for call, found in counts.items()}


def successes(found: Counter[str]) -> float:
    """Return the share of the answers that are a 2xx."""
    return sum(number for status, number in found.items() if status.startswith("2")) / found.total()


def too_few(counts: Counts) -> list[str]:
    """Return the operations that were refused too often to have been tested."""
    return [
        call
        for call, found in counts.items()
        if successes(found) < (GETS_LEAST if call.startswith("GET ") else 1 / found.total())
    ]


def table(counts: Counts) -> str:
    lines = []
    for call, found in sorted(counts.items()):
        by_status = "  ".join(f"{status}: {number}" for status, number in sorted(found.items()))
        lines.append(f"{call:45}{found.total():7}{successes(found):7.0%}  {by_status}")
    return "\n".join(lines)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--examples", type=int, default=200, help="of each operation that is no GET")
    options.add_argument("--gets", type=int, default=2000, help="of each GET")
    asked = options.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        server = new_server(Path(folder), **SERVER)
        server.set_up()
        with serving(server):
            for only, examples in (("--include-method", asked.gets), ("--exclude-method", asked.examples)):
                done, counts = attack(
                    server, Path(folder), only, "GET", "--phases", "examples,coverage,fuzzing",
                    "--max-examples", str(examples),
                )  # fmt: skip
                few = too_few(counts)
                tell = f"Too few successes: {', '.join(few)}" if few else "Each has its successes."
                sys.stdout.write(f"{done.stdout}{done.stderr}\n{table(counts)}\n{tell}\n")
                failed = failed or bool(done.returncode or few)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
