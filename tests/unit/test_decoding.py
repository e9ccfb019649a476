"""All decoders of a host draw from one budget."""

import multiprocessing
import os
import signal
import threading

import pytest

from core.errors import Unavailable
from uploads.pipeline import decoding

BUDGET = 80_000_000
SMALL = BUDGET // decoding.SMALL
processes = multiprocessing.get_context("fork")


@pytest.fixture(autouse=True)
def _budget(settings, tmp_path, monkeypatch):
    settings.DATA, settings.DECODING_MEMORY = tmp_path, BUDGET
    monkeypatch.setattr(decoding, "PATIENCE", 0.2)


def hold(size, entered, leave):
    with decoding.decoding(size):
        entered.set()
        leave.wait(20)


@pytest.fixture(params=[(threading.Thread, threading.Event), (processes.Process, processes.Event)])
def other(request):
    """Somebody who holds half of the budget, in a thread or in another process."""
    make_worker, make_event = request.param
    entered, leave = make_event(), make_event()
    worker = make_worker(target=hold, args=(BUDGET // 2, entered, leave))
    worker.start()
    assert entered.wait(20)
    yield worker, leave
    leave.set()
    worker.join(20)


def is_free(size):
    try:
        with decoding.decoding(size):
            return True
    except Unavailable:
        return False


def test_what_others_hold_is_not_given_twice(other):
    assert is_free(BUDGET // 2)
    assert not is_free(BUDGET // 2 + 1)


def test_the_refusal_says_when_to_come_again(other):
    with pytest.raises(Unavailable) as refusal, decoding.decoding(BUDGET):
        pass
    assert refusal.value.retry_after > 0


def test_who_waits_has_the_room_when_it_is_free(other, monkeypatch):
    monkeypatch.setattr(decoding, "PATIENCE", 20)
    _, leave = other
    monkeypatch.setattr(decoding.time, "sleep", lambda seconds: leave.set())
    assert is_free(BUDGET)


def test_a_failure_gives_back_what_was_held():
    with pytest.raises(ZeroDivisionError), decoding.decoding(BUDGET):
        raise ZeroDivisionError
    assert is_free(BUDGET)


def test_what_a_killed_process_held_is_free():
    entered, leave = processes.Event(), processes.Event()
    victim = processes.Process(target=hold, args=(BUDGET, entered, leave))
    victim.start()
    assert entered.wait(20)
    assert not is_free(1)
    os.kill(victim.pid, signal.SIGKILL)
    victim.join(20)
    assert is_free(BUDGET)


def test_nobody_waits_for_more_than_there_is(monkeypatch):
    monkeypatch.setattr(decoding.time, "sleep", pytest.fail)
    assert not is_free(BUDGET + 1)


def test_few_threads_of_a_process_wait_and_the_others_are_refused_at_once(monkeypatch):
    monkeypatch.setattr(decoding, "PATIENCE", 20)
    asleep, freed = threading.Semaphore(0), threading.Event()

    def sleep(seconds):
        asleep.release()
        freed.wait(20)

    monkeypatch.setattr(decoding.time, "sleep", sleep)
    found = []
    with decoding.decoding(BUDGET):
        waiters = [
            threading.Thread(target=lambda: found.append(is_free(BUDGET)))
            for _ in range(decoding.MOST_WAITING)
        ]
        for waiter in waiters:
            waiter.start()
            assert asleep.acquire(timeout=20)
        assert not is_free(BUDGET)
    freed.set()
    for waiter in waiters:
        waiter.join(20)
    assert found == [True] * decoding.MOST_WAITING


def test_a_small_picture_does_not_queue_behind_a_large_one_and_a_middling_one_does(other, monkeypatch):
    monkeypatch.setattr(decoding, "PATIENCE", 20)
    asleep, freed = threading.Event(), threading.Event()

    def sleep(seconds):
        asleep.set()
        freed.wait(20)

    monkeypatch.setattr(decoding.time, "sleep", sleep)
    large = threading.Thread(target=is_free, args=(BUDGET,))
    large.start()
    assert asleep.wait(20)
    monkeypatch.setattr(decoding, "PATIENCE", -1)
    assert is_free(SMALL)
    assert not is_free(SMALL + 1)
    other[1].set()
    freed.set()
    large.join(20)


def test_nothing_is_left_in_the_folder(tmp_path):
    assert is_free(BUDGET)
    assert {path.name for path in (tmp_path / "decoding").iterdir()} == {"lock", "queue"}


def test_many_processes_never_hold_more_than_the_budget(tmp_path, monkeypatch):
    """Eight processes that take a third each, 25 times: each counts what is held while it holds its own."""
    counts = processes.SimpleQueue()

    def work():
        for _ in range(25):
            with decoding.decoding(BUDGET // 3):
                counts.put(decoding.held(tmp_path / "decoding"))

    monkeypatch.setattr(decoding, "PATIENCE", 20)
    workers = [processes.Process(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    found = [counts.get() for _ in range(8 * 25)]
    for worker in workers:
        worker.join(20)
    assert BUDGET // 3 <= max(found) <= BUDGET
