"""Cells of limits in a file: between processes, after a kill, on a full disk, and when there are too many."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.limits import cells
from core.limits.cells import SECOND, Cell, HostCells

ROOT = Path(__file__).resolve().parents[2]
TAKING = """
import sys
from pathlib import Path
from core.limits.cells import Cell, HostCells
kept = HostCells(Path(sys.argv[1]))
cell = Cell(7, 3_600_000_000, 150)
print("ready", flush=True)
sys.stdin.readline()
print(sum(kept.take([cell]).allowed for _ in range(100)), flush=True)
"""


@pytest.fixture
def clock(monkeypatch):
    """The time as a list of one number, in microseconds."""
    now = [1_800_000_000 * SECOND]
    monkeypatch.setattr(cells.time, "time_ns", lambda: now[0] * 1000)
    return now


@pytest.fixture
def kept(tmp_path):
    return HostCells(tmp_path / "limits")


def taking(path):
    return subprocess.Popen(
        [sys.executable, "-c", TAKING, path],
        cwd=ROOT,
        env={**os.environ, "TEST_ENGINE": ""},  # a killed process would leave its engine of D1
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_processes_share_the_counts_and_lose_none(tmp_path):
    processes = [taking(tmp_path / "limits") for _ in range(3)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    assert sum(int(process.communicate()[0]) for process in processes) == 150


def test_a_killed_process_leaves_its_counts_and_no_lock(tmp_path, kept):
    process = taking(tmp_path / "limits")
    process.stdout.readline()
    process.stdin.write("go\n")
    process.stdin.flush()
    process.stdout.readline()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert kept.shift(Cell(7, 3600 * SECOND, 150)) // (3600 * SECOND) in (99, 100)
    assert (tmp_path / "limits").stat().st_mode & 0o077 == 0


def test_calls_come_back_one_by_one(kept, clock):
    cell = Cell(1, 10 * SECOND, 3)
    assert [kept.take([cell]).allowed for _ in range(4)] == [True, True, True, False]
    clock[0] += 10 * SECOND
    assert [kept.take([cell]).allowed for _ in range(2)] == [True, False]
    clock[0] += 30 * SECOND
    assert kept.shift(cell) == 0


def test_a_refusal_by_one_counts_in_none(kept, clock):
    wide, narrow = Cell(1, SECOND, 10), Cell(2, SECOND, 1)
    assert kept.take([wide, narrow]) == (True, [SECOND, SECOND])
    assert kept.take([wide, narrow]) == (False, [SECOND, SECOND])


@given(st.lists(st.integers(0, 30), max_size=60), st.integers(1, 5), st.integers(1, 20))
def test_no_span_of_time_sees_more_than_what_was_whole_and_what_came_back(
    tmp_path_factory, waits, most, step
):
    kept, now = HostCells(tmp_path_factory.mktemp("cells") / "limits"), [1_800_000_000 * SECOND]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells.time, "time_ns", lambda: now[0] * 1000)
        allowed = []
        for wait in waits:
            now[0] += wait * SECOND
            if kept.take([Cell(5, step * SECOND, most)]).allowed:
                allowed.append(now[0])
    for first, begun in enumerate(allowed):
        for last, ended in enumerate(allowed[first:], first):
            assert last - first + 1 <= most + (ended - begun) / (step * SECOND)


def test_a_clock_that_went_back_locks_nobody(kept, clock):
    cell = Cell(1, SECOND, 2)
    kept.take([cell])
    clock[0] -= 30 * 86_400 * SECOND
    assert kept.take([cell]) == (True, [SECOND])


def test_when_a_bucket_is_full_the_one_that_is_whole_first_makes_way(kept, clock):
    one_bucket = [
        Cell(number * cells.BUCKETS, (number + 1) * SECOND, 1000) for number in range(cells.WAYS + 1)
    ]
    for cell in one_bucket:
        kept.take([cell])
    first, *others = [kept.shift(cell) for cell in one_bucket]
    assert first == 0
    assert others == [cell.step for cell in one_bucket[1:]]


def test_without_a_file_a_process_counts_by_itself(tmp_path, caplog):
    (tmp_path / "file").touch()
    kept = HostCells(tmp_path / "file" / "limits")
    cell = Cell(1, SECOND, 1)
    assert [kept.take([cell]).allowed for _ in range(2)] == [True, False]
    assert "for this process alone" in caplog.text


def test_the_file_has_no_holes_that_a_full_disk_could_not_fill(kept, tmp_path):
    kept.shift(Cell(1, 1, 1))
    found = (tmp_path / "limits").stat()
    assert found.st_size == cells.SIZE
    assert found.st_blocks * 512 >= cells.SIZE
