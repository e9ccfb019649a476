"""The text that /metrics answers with, summed over the processes of this host."""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import REGISTRY

from core.metrics.gauges import HOST
from core.metrics_folder import FOLDER, is_running

ENDED = 0  # the number that stands for all processes that have ended; no process has it
_asking = threading.Lock()


def text() -> bytes:
    """Return all metrics in Prometheus' text format; those of all processes if gunicorn set up a shared folder."""
    with _asking:
        HOST.read()
        if FOLDER not in os.environ:
            return generate_latest(REGISTRY)
        folder = Path(os.environ[FOLDER])
        registry = CollectorRegistry()
        MultiProcessCollector(registry, str(folder))
        registry.register(HOST)
        with alone_in(folder):
            fold_ended(folder)
            return generate_latest(registry)


def process_ended() -> None:
    """Fold what processes left that have ended, in case nobody asks for the metrics."""
    folder = Path(os.environ[FOLDER])
    with suppress(FileNotFoundError), alone_in(folder):  # the server that stops has removed it
        fold_ended(folder)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes from folding while the block reads or folds."""
    with (folder / "lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # closing the file unlocks it
        yield


def fold_ended(folder: Path) -> None:
    """Add the files of processes that have ended to one: each restart of a worker would leave some for ever.

    To be called in alone_in(folder).
    """
    for path in folder.glob("*_*.db"):
        kind, _, number = path.stem.rpartition("_")
        if int(number) == ENDED or is_running(int(number)):
            continue
        if not kind.startswith("gauge"):
            add_to(path.with_name(f"{kind}_{ENDED}.db"), path)
        path.unlink()


def add_to(total: Path, part: Path) -> None:
    """Add the numbers of one file of prometheus_client to those of another."""
    sums = MmapedDict(str(total))
    try:
        for key, value, *_ in MmapedDict.read_all_values_from_file(str(part)):
            before, _ = sums.read_value(key)
            sums.write_value(key, before + value, 0.0)
    finally:
        sums.close()
