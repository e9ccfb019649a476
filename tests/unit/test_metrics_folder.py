"""Folders of metrics: one in use stays, whoever asks; what a killed server left goes."""

import os
import signal
import subprocess
import sys
import tempfile

import pytest

from core import metrics_folder

SERVER = """
import os, sys, time
from core import metrics_folder
print(metrics_folder.make(), flush=True)
if os.fork() == 0:
    print(os.getpid(), flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_the_folder_of_a_killed_server_goes_with_its_last_process(temporary):
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER],
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        text=True,
    )
    folder, worker = server.stdout.readline().strip(), int(server.stdout.readline())
    server.kill()
    server.wait()
    assert metrics_folder.remove_left() == 0
    assert os.path.isdir(folder)
    os.kill(worker, signal.SIGKILL)
    server.stdout.read()  # ends with the worker
    assert metrics_folder.remove_left(dry_run=True) == 1
    assert os.path.isdir(folder)
    assert metrics_folder.remove_left() == 1
    assert not os.path.exists(folder)


def test_what_is_not_a_servers_folder_stays(temporary):
    (temporary / "gallery-metrics-half-made").mkdir()
    other = temporary / "other"
    other.mkdir()
    (other / metrics_folder.LOCK).touch()
    (temporary / "gallery-metrics-link").symlink_to(other)
    (temporary / "gallery-metrics-file").touch()
    assert metrics_folder.remove_left() == 0
    assert len(list(temporary.iterdir())) == 4
