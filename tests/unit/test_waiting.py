"""What may not wait for another host is told so before it waits."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from d1backend.waiting import WouldWait, about_to_wait, without_waiting


def test_it_is_told_in_the_block_alone():
    about_to_wait()
    with without_waiting(), pytest.raises(WouldWait):
        about_to_wait()
    about_to_wait()


def test_other_threads_may_wait_meanwhile():
    with without_waiting(), ThreadPoolExecutor(1) as pool:
        pool.submit(about_to_wait).result()


def test_no_handler_of_errors_takes_it():
    assert not issubclass(WouldWait, Exception)
