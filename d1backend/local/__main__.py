"""`python -m d1backend.local --port 8787 [--persist DIR] [--token T] [--autocreate]`."""

import argparse
import signal
import sys
from types import FrameType

from d1backend.local.engine import D1Local


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8787, help="0 picks a free one")
    parser.add_argument("--persist", help="directory for the data; without it the data is deleted at the end")
    parser.add_argument("--token", default="local")
    parser.add_argument("--autocreate", action="store_true", help="any database id exists on first use")

    def stop(number: int, frame: FrameType | None) -> None:
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    try:
        with D1Local(**vars(parser.parse_args())) as d1:
            sys.stdout.write(f"d1backend.local: {d1.url} (data in {d1.directory})\n")
            sys.stdout.flush()
            d1.process.wait()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
