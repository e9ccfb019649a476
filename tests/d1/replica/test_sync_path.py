"""How a sync runs through the code: through ten files, and downwards only (docs/replica.md, "One sync")."""

import sys
import threading
from pathlib import Path

import pytest

from d1backend import replica
from tests.d1.replica.test_freshness import NEW, age, titles

FOLDER = Path(replica.__file__).parent
# From the top down: a file may call those that come later.
ORDER = [
    "base",
    "host",
    "sync_thread",
    "sync",
    "source",
    "directory",
    "copy",
    "row_writes",
    "changes",
    "change_log",
]


@pytest.fixture
def calls():
    """The calls from one file of the replica to another, by all threads that start from now on."""
    seen: list[tuple[str, str]] = []

    def watch(frame, event, argument):
        if event == "call" and frame.f_back is not None:
            files = [Path(f.f_code.co_filename) for f in (frame.f_back, frame)]
            caller, called = (file.stem for file in files)
            if caller != called and all(file.parent == FOLDER for file in files):
                seen.append((caller, called))

    threading.setprofile(watch)
    sys.setprofile(watch)
    yield seen
    sys.setprofile(None)
    threading.setprofile(None)


def test_a_sync_goes_down_through_ten_files(d1, host, calls):
    age(host, 601)
    assert titles(host.replica) == []
    d1(NEW.format("theirs"))
    age(host, 601)
    calls.clear()
    assert titles(host.replica) == ["theirs"]
    files = {file for call in calls for file in call}
    assert files == set(ORDER)
    assert [call for call in calls if ORDER.index(call[0]) > ORDER.index(call[1])] == []
