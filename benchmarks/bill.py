"""`make bench-bill` measures what the gallery costs on D1, and reckons the bill of a month at Cloudflare.

For 1,000, 10,000 and 100,000 users on 1, 4 and 20 hosts, over REST and through a gateway, which does not exist yet.
SIZE= is the number of designs (10,000), OUT= writes JSON. It ends with status 1 if an aim is missed. docs/costs.md
explains it.
"""

import json
import os
import sys
from pathlib import Path

from benchmarks.bill_measure import measure
from benchmarks.bill_model import Assumptions
from benchmarks.bill_report import as_json, make_report, missed_aims, print_report


def main() -> None:
    size = int(os.environ.get("SIZE") or 10_000)
    report = make_report(measure(size), Assumptions(designs=size))
    print_report(report)
    if os.environ.get("OUT"):
        Path(os.environ["OUT"]).write_text(json.dumps(as_json(report), indent=1))
    if missed_aims(report):
        sys.exit(1)


if __name__ == "__main__":
    main()
