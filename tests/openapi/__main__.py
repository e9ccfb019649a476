"""`make schemathesis`: attack a server by its own OpenAPI document, with every check of Schemathesis.

Prints a line for each operation as it ends, with its answers by status, and a table at the end. Ends with status 1 if
Schemathesis finds a failure, if an operation has fewer answers than examples, if under 20% of a GET's answers are a
success, or if another operation has none.
"""

import argparse
import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from devtools.serving import ROOT, Server, serving
from tests.openapi.attack import Operation, attack, new_target, operations, stop_running
from tests.openapi.results import Results

RESULTS = ROOT / ".cache" / "schemathesis.json"


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=200, help="of each operation that is no GET")
    parser.add_argument("--gets", type=int, default=2000, help="of each GET")
    parser.add_argument(
        "--parts", default="", help="tags of the document, such as 'auth designs'; all if empty"
    )
    parser.add_argument(
        "--only", default="", help="a regular expression for operations, such as '^(POST|PUT) '"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="operations attacked at one time")
    parser.add_argument("--resume", action="store_true", help="leave out what the last run has passed")
    return parser.parse_args()


def chosen(found: Iterable[Operation], parts: str, only: str) -> list[Operation]:
    """Return the operations of these parts whose call matches the pattern; writes first, which need less time."""
    wanted = [one for one in found if (not parts or one.part in parts.split()) and re.search(only, one.call)]
    return sorted(wanted, key=lambda one: one.call.startswith("GET "))


def attack_all(server: Server, document: Path, asked: argparse.Namespace, results: Results) -> bool:
    """Attack what was asked for, some operations at one time; return whether all have passed."""
    token = server.client(**server.admin).token
    wanted = chosen(operations(json.loads(document.read_text())), asked.parts, asked.only)
    if not wanted:
        sys.exit("No operation of the document fits PARTS and ONLY.")
    began = time.monotonic()
    with ThreadPoolExecutor(asked.jobs) as pool:
        running = []
        for one in wanted:
            examples = asked.gets if one.call.startswith("GET ") else asked.examples
            if not results.is_done(one.call, examples):
                running.append(pool.submit(attack, server, token, document, one, examples))
        try:
            for ended in as_completed(running):
                result, told = ended.result()
                results.add(result)
                say(f"{told}\n{result.line()}" if result.failed else result.line())
        except BaseException:
            # Ctrl+C and SIGTERM end the run, not one operation.
            pool.shutdown(wait=False, cancel_futures=True)
            stop_running()
            raise
    found = results.of(one.call for one in wanted)
    say("\n" + "\n".join(one.line() for one in found))
    few = [one.call for one in found if not one.is_tested]
    say(f"Too few calls or successes: {', '.join(few)}" if few else "Each has its calls and successes.")
    answers, failed = sum(one.answers for one in found), [one.call for one in found if one.failed]
    say(f"Failed: {', '.join(failed)}" if failed else "No failure.")
    say(f"{len(found)} operations, {answers} answers, {time.monotonic() - began:.0f} s.")
    return not few and not failed


def main() -> int:
    asked = options()
    results = Results(RESULTS, asked.resume)
    with tempfile.TemporaryDirectory() as folder:
        server = new_target(Path(folder))
        server.set_up()
        document = Path(folder) / "openapi.json"
        server.manage("spectacular", "--format", "openapi-json", "--file", str(document))
        with serving(server):
            return int(not attack_all(server, document, asked, results))


if __name__ == "__main__":
    sys.exit(main())
