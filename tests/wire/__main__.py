"""Run the checks and print what they measured: python -m tests.wire [refusals] [framing] [slow] [spread] [restarts]."""

import sys

from tests.wire import framing, refusals, restarts, slow, spread
from tests.wire.host import serving_gallery
from tests.wire.table import Table

CHECKS = {"framing": framing, "refusals": refusals, "slow": slow, "spread": spread}


def main() -> int:
    chosen = sys.argv[1:] or [*CHECKS, "restarts"]
    table = Table()
    with serving_gallery() as host:
        for name in CHECKS:
            if name in chosen:
                CHECKS[name].check(host, table)
    if "restarts" in chosen:
        restarts.check(table)
    if table.failed:
        sys.stderr.write("Aims missed:\n" + "\n".join(table.failed) + "\n")
    return 1 if table.failed else 0


if __name__ == "__main__":
    sys.exit(main())
