"""SIGTERM to the runner of Schemathesis leaves no process behind."""

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

from devtools.serving import ROOT

PATIENCE = 120  # seconds


def children(pid):
    """Return the processes that any thread of this one has started."""
    found = []
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # it has ended
            found += map(int, (thread / "children").read_text().split())
    return found


def command_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except FileNotFoundError:
        return ""


def test_sigterm_ends_the_server_and_the_attacks(tmp_path):
    command = [sys.executable, "-m", "tests.openapi", "--only", "^GET /api/designs$", "--jobs", "1"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True) as runner:
        deadline = time.monotonic() + PATIENCE
        started = []
        while not any("schemathesis" in command_of(pid) for pid in started):
            assert runner.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
            started = children(runner.pid)
        assert any("gunicorn" in command_of(pid) for pid in started)
        runner.send_signal(signal.SIGTERM)
        assert runner.wait(PATIENCE) == 128 + signal.SIGTERM
    assert not [pid for pid in started if command_of(pid)]
