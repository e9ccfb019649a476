"""The state of the breaker: the processes of a host share it, and neither a kill, a clock nor a disk keeps it open."""

import errno
import os
import time
from types import SimpleNamespace

import pytest
from django.db import connections

from d1backend import OutOfReach
from d1backend.protocol import breaker_state
from devtools import fault_plan as plans
from tests.d1.faults.test_breaker import count, fails, refused

pytestmark = pytest.mark.d1


def test_processes_share_it(of_host, proxy, tmp_path):
    of_host("one")
    connections["one"].ensure_connection()
    children, ready, go = [], os.pipe(), os.pipe()
    for _ in range(3):
        child = os.fork()
        if child == 0:
            os.close(go[1])
            os.write(ready[1], b".")
            os.read(go[0], 1)
            try:
                count()
            except OutOfReach:
                os._exit(7)
            finally:
                os._exit(1)
        children.append(child)
    for _ in children:
        os.read(ready[0], 1)
    proxy.plan = plans.always(plans.SLOW_BEFORE)
    fails()
    os.close(go[1])
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [7, 7, 7]
    assert proxy.count == 1
    files = list((tmp_path / "host").glob("d1-away-*"))
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600]
    files[0].unlink()
    proxy.plan = []
    assert count() == 0, "Another process has found that D1 answers."


def test_one_process_of_a_host_tries_at_a_time(of_host, proxy, later):
    of_host("one")
    proxy.plan = plans.always(plans.SLOW_BEFORE)
    fails()
    later(1)
    children, go = [], os.pipe()
    for _ in range(4):
        child = os.fork()
        if child == 0:
            os.close(go[1])
            os.read(go[0], 1)
            try:
                count()
            except OutOfReach:
                os._exit(7)
            os._exit(1)
        children.append(child)
    os.close(go[1])
    codes = sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)
    assert codes == [7, 7, 7, 7]
    assert proxy.count == 2


def test_a_trial_that_is_killed_does_not_keep_others_from_trying(of_host, proxy, later):
    of_host("one", timeout=20.0)
    proxy.plan = [plans.UNAVAILABLE, plans.UNAVAILABLE, plans.SLOW_BEFORE]
    fails()
    fails()
    later(1)
    child = os.fork()
    if child == 0:
        count()
        os._exit(1)
    while proxy.count < 3:
        time.sleep(0.01)
    os.kill(child, 9)
    os.waitpid(child, 0)
    refused()
    later(25)
    assert count() == 0


def test_a_clock_that_was_set_back_keeps_nobody_waiting(of_host, proxy, later):
    of_host("one")
    proxy.plan = [plans.SLOW_BEFORE]
    fails()
    later(-86_400)
    assert count() == 0


def test_without_a_folder_the_connections_of_a_process_share_it(of_host, proxy, later):
    of_host("one", folder=None)
    of_host("other", folder=None)
    proxy.plan = [plans.SLOW_BEFORE]
    fails()
    refused("other")
    later(1)
    assert count("other") == 0
    assert count() == 0


def test_a_folder_that_cannot_be_written_is_no_failure(of_host, proxy, tmp_path, caplog):
    (tmp_path / "file").write_text("")
    of_host("one", folder=tmp_path / "file" / "folder")
    proxy.plan = [plans.SLOW_BEFORE]
    fails()
    refused()
    assert "Other processes cannot be told" in caplog.text


def test_a_disk_that_becomes_read_only_does_not_keep_it_open(of_host, proxy, later, monkeypatch):
    of_host("one")
    proxy.plan = [plans.SLOW_BEFORE]
    fails()
    refused()

    def read_only(*args, **kwargs):
        raise OSError(errno.EROFS, "Read-only file system")

    # No folder is read-only to the superuser.
    disk = SimpleNamespace(**vars(os))
    disk.open = disk.unlink = disk.utime = disk.replace = read_only
    monkeypatch.setattr(breaker_state, "os", disk)
    later(1)
    assert count() == 0
    assert count() == 0
