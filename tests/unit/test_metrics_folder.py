"""Folders of metrics: that of a running server stays, whoever asks; what a killed one left goes."""

import os
import subprocess
import sys

import pytest

from core import metrics_folder


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(metrics_folder, "parents", lambda: {tmp_path})
    return tmp_path


def folder_of(temporary, pid):
    folder = temporary / f"gallery-metrics-{pid}-abc_1"
    folder.mkdir()
    (folder / "counter_1.db").touch()
    return folder


def test_the_folder_of_a_server_goes_once_it_was_killed(temporary):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as server:
        gone, own = folder_of(temporary, server.pid), folder_of(temporary, os.getpid())
        assert metrics_folder.remove_left() == 0
        server.kill()
    assert metrics_folder.remove_left(dry_run=True) == 1
    assert gone.exists()
    assert metrics_folder.remove_left() == 1
    assert not gone.exists()
    assert own.exists()


def test_what_is_not_a_servers_folder_stays(temporary):
    free = 2**31 - 1  # no process has so large an id
    (temporary / "gallery-metrics-notes").mkdir()
    other = temporary / "other"
    other.mkdir()
    (temporary / f"gallery-metrics-{free}-link").symlink_to(other)
    (temporary / f"gallery-metrics-{free}-file").touch()
    assert metrics_folder.remove_left() == 0
    assert len(list(temporary.iterdir())) == 4
