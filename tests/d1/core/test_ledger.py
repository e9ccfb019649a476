"""The ledger of calls against a plain list of them, whatever the order, and its cost in trouble."""

import fcntl
import multiprocessing
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d1backend.protocol.budget import totals
from d1backend.protocol.ledger import CLASSES, SIZE, SLOT, SLOTS, WINDOW, Ledger, Page

START = 1_800_000_000.0
CALLS = st.lists(st.tuples(st.floats(0, 3 * WINDOW), st.integers(0, CLASSES - 1)), max_size=60)


def counts(page, now):
    return totals(page.slots(now))


@given(CALLS, st.floats(0, 2 * WINDOW))
def test_the_counts_are_those_of_the_slots_that_touch_the_window(calls, later):
    page, clock = Page(b""), START
    noted = []
    for pause, index in calls:
        clock += pause / 10
        page.add(clock, index)
        noted.append((clock, index))
        page = Page(page.to_bytes())
    now = clock + later
    oldest = int(now) // SLOT - SLOTS + 1
    expected = [
        sum(1 for at, i in noted if i == index and int(at) // SLOT >= oldest) for index in range(CLASSES)
    ]
    assert counts(page, now) == expected
    # Nothing of the last five minutes is ever left out.
    assert sum(counts(page, now)) >= sum(1 for at, _ in noted if now - at < WINDOW)


@given(st.lists(st.tuples(st.integers(0, 40), st.floats(1, 1000)), max_size=80))
def test_the_last_bucket_set_is_found(buckets):
    page = Page(b"")
    for user, moment in buckets:
        page.set_full_at(f"user {user}", START + moment)
        assert page.full_at(f"user {user}") == START + moment


def test_a_bucket_in_use_is_not_forgotten_for_others_that_are_full():
    page = Page(b"")
    page.set_full_at("user 1", START + 1e6)
    for user in range(2, 2000):
        page.set_full_at(f"user {user}", START)
    assert page.full_at("user 1") == START + 1e6


@given(st.binary(max_size=2 * SIZE))
def test_a_damaged_file_counts_from_nothing(content):
    page = Page(content)
    page.add(START, 0)
    assert sum(counts(page, START)) >= 1
    assert len(page.to_bytes()) == SIZE


def test_processes_and_threads_of_a_host_count_together(tmp_path):
    ledger = Ledger("an account", tmp_path / "host")
    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            ledger.after_fork()
            for _ in range(100):
                with ledger.edit() as page:
                    page.add(START, 1)
            os._exit(0)
        children.append(child)

    def add(_):
        with ledger.edit() as page:
            page.add(START, 2)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(200)))
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    assert counts(ledger.read(), START) == [0, 300, 200, 0, 0]
    (file,) = (tmp_path / "host").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_process_that_was_forked_meanwhile_does_not_keep_the_lock(tmp_path):
    """As the pool of `seed_demo` is, while the copy is filled: the command waited for ever."""
    ledger, fork = Ledger("an-account", tmp_path), multiprocessing.get_context("fork")
    is_over = fork.Event()
    with ledger.edit():
        child = fork.Process(target=is_over.wait)
        child.start()
    try:
        (file,) = tmp_path.iterdir()
        with file.open() as other:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        is_over.set()
        child.join()


@pytest.mark.parametrize("is_folder", [True, False])
def test_without_a_file_that_can_be_written_the_process_counts_its_own(tmp_path, caplog, is_folder):
    (tmp_path / "file").write_text("")
    ledger = Ledger("an account", tmp_path / "file" / "folder" if is_folder else None)
    for _ in range(3):
        with ledger.edit() as page:
            page.add(START, 0)
    assert sum(counts(ledger.read(), START)) == 3
    assert caplog.text.count("for this process alone") == is_folder


def test_a_page_that_is_given_up_is_not_written(tmp_path):
    ledger = Ledger("an account", tmp_path)
    with pytest.raises(ZeroDivisionError), ledger.edit() as page:
        page.add(START, 0)
        raise ZeroDivisionError
    assert sum(counts(ledger.read(), START)) == 0
