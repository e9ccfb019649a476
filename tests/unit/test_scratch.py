"""Scratch folders: one in use stays, whoever looks; what a killed command left goes."""

import os
import signal
import subprocess
import sys

import pytest

from core import scratch

HOLD = "from core.scratch import scratch_folder\nwith scratch_folder() as f: print(f, flush=True); input()"


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def aged(folder):
    os.utime(folder, (0, 0))
    return folder


def test_a_folder_is_private_and_goes_with_its_block(temporary):
    with scratch.scratch_folder() as folder:
        (folder / "copy").write_text("rows")
        assert folder.stat().st_mode & 0o777 == 0o700
        aged(folder)
        assert scratch.remove_left() == 0
    assert list(temporary.iterdir()) == []


def test_the_folder_of_a_killed_command_goes_and_that_of_another_stays(temporary):
    command = [sys.executable, "-c", HOLD]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"TMPDIR": str(temporary)}, text=True
    ) as process:
        folder = process.stdout.readline().strip()
        aged(folder)
        assert scratch.remove_left() == 0
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert scratch.remove_left(dry_run=True) == 1
    with scratch.scratch_folder() as other:
        assert list(temporary.iterdir()) == [other]


def test_one_that_was_just_made_and_what_is_no_folder_stay(temporary):
    elsewhere = temporary / "elsewhere"
    elsewhere.mkdir()
    (temporary / f"{scratch.PREFIX}new").mkdir()
    (temporary / f"{scratch.PREFIX}link").symlink_to(elsewhere)
    aged(elsewhere)
    aged(temporary / f"{scratch.PREFIX}link")
    assert scratch.remove_left() == 0
