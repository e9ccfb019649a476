"""Fills this host's copy of D1 for a server: `python -m gallery_project.filler SERVER` (a process id).

It runs `manage.py d1_replica fill` again, with growing pauses, until it has succeeded, and ends with the server. It
loads no Django, because it only waits.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

COMMAND = [sys.executable, str(Path(__file__).parents[1] / "manage.py"), "d1_replica", "fill", "--log"]
LONGEST_PAUSE = 30.0  # seconds
TICK = 0.5  # seconds within which the end of the server shows


def keep_filling(server: int) -> None:
    """Run the command until it succeeds or the process `server`, which started this one, has ended."""
    pause = 1.0
    while os.getppid() == server:
        fill = subprocess.Popen(COMMAND)  # noqa: S603  nothing of it is input
        try:
            wait_for(fill, server)
        finally:
            fill.terminate()
        if fill.returncode == 0:
            return
        until = time.monotonic() + pause
        while os.getppid() == server and time.monotonic() < until:
            time.sleep(TICK)
        pause = min(pause * 2, LONGEST_PAUSE)


def wait_for(fill: subprocess.Popen[bytes], server: int) -> None:
    while fill.poll() is None and os.getppid() == server:
        with contextlib.suppress(subprocess.TimeoutExpired):
            fill.wait(TICK)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit())
    keep_filling(int(sys.argv[1]))
