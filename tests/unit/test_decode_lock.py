"""Large pictures are decoded one at a time on a host."""

import multiprocessing
import threading

import pytest

from core.errors import Unavailable
from uploads.pipeline import decode_lock


def hold(entered, leave):
    with decode_lock.decode_lock(decode_lock.BIG + 1):
        entered.set()
        leave.wait(20)


processes = multiprocessing.get_context("fork")


@pytest.fixture(params=[(threading.Thread, threading.Event), (processes.Process, processes.Event)])
def other(request):
    """Somebody who decodes a large picture, in a thread or in another process."""
    make_worker, make_event = request.param
    entered, leave = make_event(), make_event()
    worker = make_worker(target=hold, args=(entered, leave))
    worker.start()
    assert entered.wait(20)
    yield leave
    leave.set()
    worker.join(20)


def test_a_large_picture_waits_and_a_small_one_does_not(other, monkeypatch):
    monkeypatch.setattr(decode_lock, "PATIENCE", 0.1)
    with decode_lock.decode_lock(decode_lock.BIG):
        pass
    with pytest.raises(Unavailable), decode_lock.decode_lock(decode_lock.BIG + 1):
        pass


def test_the_next_has_its_turn_when_one_is_done(other):
    other.set()
    with decode_lock.decode_lock(decode_lock.BIG + 1):
        pass


def test_a_failure_ends_the_turn():
    with pytest.raises(ZeroDivisionError), decode_lock.decode_lock(decode_lock.BIG + 1):
        raise ZeroDivisionError
    with decode_lock.decode_lock(decode_lock.BIG + 1):
        pass
