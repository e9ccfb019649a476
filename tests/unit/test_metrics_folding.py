"""The files in which processes count: those of a process that has ended are added to one."""

import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from core.metrics import exposition
from tests.scrape import Scrape

COUNT = """
import os, sys
from prometheus_client import Counter, Gauge, Histogram
Counter("gallery_things", "Things", ["kind"]).labels("a").inc(3)
Histogram("gallery_thing_seconds", "Seconds", buckets=(1, 2)).observe(1.5)
Gauge("gallery_thing_threads", "Threads", multiprocess_mode="livesum").set(8)
print(os.getpid(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def counting(tmp_path, monkeypatch):
    """A function that starts a process that counts, and waits; it ends when the test does."""
    monkeypatch.setenv(exposition.FOLDER, str(tmp_path))
    running = []

    def counting():
        process = subprocess.Popen(
            [sys.executable, "-c", COUNT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        running.append(process)
        process.stdout.readline()
        return process

    yield counting
    for process in running:
        end(process)


def end(process):
    process.kill()
    process.communicate()


def found(folder):
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(folder))
    return Scrape(generate_latest(registry).decode())


def test_counts_outlive_their_process_and_its_files_do_not(counting, tmp_path):
    lasting = counting()
    for _ in range(3):
        end(counting())
        exposition.process_ended()
    total = found(tmp_path)
    assert total.sum("gallery_things_total", kind="a") == 4 * 3
    assert total.sum("gallery_thing_seconds_count") == 4
    assert total.sum("gallery_thing_seconds_sum") == 4 * 1.5
    assert total.sum("gallery_thing_seconds_bucket", le="1.0") == 0
    assert total.sum("gallery_thing_seconds_bucket", le="2.0") == 4
    assert total.sum("gallery_thing_threads") == 8
    numbers = {path.stem.rpartition("_")[2] for path in tmp_path.glob("*.db")}
    assert numbers == {"0", str(lasting.pid)}


def test_folding_again_changes_nothing(counting, tmp_path):
    end(counting())
    exposition.process_ended()
    once = found(tmp_path).text
    exposition.process_ended()
    assert found(tmp_path).text == once


def test_a_folder_that_the_server_has_removed_is_no_error(monkeypatch, tmp_path):
    monkeypatch.setenv(exposition.FOLDER, str(tmp_path / "gone"))
    exposition.process_ended()
    assert not Path(tmp_path / "gone").exists()
