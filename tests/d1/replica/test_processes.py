"""Several processes and threads of a host: forks, kills, and copies that are replaced by others."""

import fcntl
import os
import sqlite3
import threading
import time

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections

from d1backend.replica import alias_for, status
from d1backend.replica.host import Host
from d1backend.replica.source import Source
from devtools import fault_plan
from tests.d1.replica.models import Design
from tests.d1.replica.test_freshness import NEW, age, titles, until


def refill(host):
    """Refill the copy of a host, and return the old file."""
    before = host.host.directory.open_current().path
    host.host.directory.open_current().copy.mark_obsolete()
    host.sync()
    assert host.host.directory.open_current().path != before
    return before


def damage(path, table):
    """Overwrite the first page of a table in a file that no process has open."""
    db = sqlite3.connect(path)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    (size,) = db.execute("PRAGMA page_size").fetchone()
    db.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)


def test_a_process_forked_from_one_that_syncs_does_not_keep_the_lock(host):
    asked, told = os.pipe()
    with host.host.directory.lock():
        child = os.fork()
        if not child:
            os.read(asked, 1)
            os._exit(0)
    fd = os.open(host.host.directory.path / "lock", os.O_RDWR)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(fd)
        os.write(told, b"x")
        os.waitpid(child, 0)
        os.close(asked)
        os.close(told)


def test_a_process_that_dies_in_a_sync_releases_the_lock_although_its_child_lives(host):
    asked, told = os.pipe()
    ready, go = os.pipe()
    parent = os.fork()
    if not parent:
        with host.host.directory.lock():
            if not os.fork():
                os.write(go, b"x")
                os.read(asked, 1)
                os._exit(0)
            os.kill(os.getpid(), 9)
    os.waitpid(parent, 0)
    os.read(ready, 1)
    fd = os.open(host.host.directory.path / "lock", os.O_RDWR)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.write(told, b"x")
        for end in (fd, asked, told, ready, go):
            os.close(end)


def test_a_forked_process_inherits_no_open_file_of_sqlite(host):
    """Its locks would not hold there, and the last process to close it would delete the WAL that others write."""
    assert titles(host.replica) == []
    assert host.host.directory.opened is not None

    def open_files():
        found = []
        for fd in os.listdir("/proc/self/fd"):
            try:
                found.append(os.readlink(f"/proc/self/fd/{fd}"))
            except OSError:
                continue
        return [name for name in found if str(host.host.directory.path) in name and ".sqlite3" in name]

    assert open_files()
    child = os.fork()
    if not child:
        os._exit(len(open_files()))
    assert os.waitpid(child, 0)[1] == 0
    assert titles(host.replica) == []


def test_rows_are_read_to_the_end_from_a_file_that_is_replaced(d1, host):
    d1(*(NEW.format(i) for i in range(300)))
    host.sync()
    rows = Design.objects.using(host.replica).order_by("id").iterator(chunk_size=10)
    seen = [next(rows).title]
    refill(host)
    d1("DELETE FROM designs WHERE id > 150")
    host.sync()
    assert Design.objects.using(host.replica).count() == 150
    seen += [design.title for design in rows]
    assert seen == [str(i) for i in range(300)]


def test_an_old_copy_is_kept_for_processes_that_are_about_to_open_it(host):
    old = refill(host)
    assert old.exists()
    host.host.directory._delete_old_at = 0.0
    age(host, 601)
    titles(host.replica)
    until(lambda: not old.exists())
    assert [path.name for path in host.host.directory.path.glob("*.sqlite3")] == [
        host.host.directory.open_current().path.name
    ]


def test_a_commit_applied_to_a_replaced_copy_is_awaited_in_the_new_one(d1, host):
    """Another process publishes a new copy during the commit."""
    other_process = Host(host.host.options)
    opened = other_process.directory.open_current()
    source = Source(host.host.options, patient=True)
    refill(host)
    d1(NEW.format("mine"))
    other_process.apply_commit(opened, source.fetch_changes(opened.copy.shape(), opened.copy.seq))
    source.close()
    assert titles(host.replica) == ["mine"]


def test_another_process_waits_for_a_write_whose_answer_was_lost(d1, host, proxy):
    """Although a sync that began before the write ends after it."""
    Design.objects.using(host.source).create(title="a")
    other_process = Host(host.host.options)
    source = Source(host.host.options, patient=True)
    opened = other_process.directory.open_current()
    before = source.fetch_changes(opened.copy.shape(), opened.copy.seq)
    source.close()
    proxy.plan = [fault_plan.RESET_AFTER]
    Design.objects.using(host.source).update(title="mine")
    assert proxy.faults == ["reset after"]
    other_process.apply_commit(opened, before)
    assert titles(host.replica) == ["mine"]


def test_reads_after_a_write_go_to_d1_when_the_copy_cannot_follow(d1, host, proxy):
    """As during a fill, which takes longer than a read waits."""
    host.host.directory.mark_dirty()
    with host.host.directory.lock():
        started = time.monotonic()
        assert alias_for(host.replica, "designs") == host.source
        assert alias_for(host.replica, "designs") == host.source
        assert time.monotonic() - started < 10
    until(lambda: alias_for(host.replica, "designs") == host.replica)


def test_a_damaged_page_is_detected_by_the_query_that_reads_it(d1, host):
    d1(*(NEW.format(f"{i:0200}") for i in range(500)))
    host.sync()
    path = host.host.directory.open_current().path
    connections[host.replica].release_file()
    host.host.directory.close_copy()
    damage(path, "designs")
    with pytest.raises(DatabaseError):
        list(Design.objects.using(host.replica))
    until(lambda: alias_for(host.replica, "designs") == host.replica)
    assert Design.objects.using(host.replica).count() == 500


def test_a_clock_set_back_a_little_makes_the_copy_old(d1, host, monkeypatch):
    """The copy would look younger than it is."""
    age(host, 400)
    assert titles(host.replica) == []
    d1(NEW.format("theirs"))
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 300)
    assert titles(host.replica) == ["theirs"]


def test_all_files_are_private(host):
    modes = {path.name: path.stat().st_mode & 0o777 for path in host.host.directory.path.iterdir()}
    assert set(modes.values()) == {0o600}
    host.host.directory.record_failure("X", 0)
    host.host.directory.mark_dirty()
    assert {path.stat().st_mode & 0o777 for path in host.host.directory.path.iterdir()} == {0o600}


def test_a_directory_that_others_may_write_is_rejected(installed, new_host, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a").chmod(0o777)
    host = new_host("a")
    with pytest.raises(PermissionError, match="directory of its own"):
        host.sync()
    assert alias_for(host.replica, "designs") == host.source
    until(lambda: status(host.replica)["error"] == "PermissionError")


def test_a_max_age_of_zero_is_rejected(new_host):
    with pytest.raises(ImproperlyConfigured, match="max_age"):
        new_host("a", max_age=0)


def test_reads_of_many_threads_and_syncs_at_once_see_whole_states(d1, host):
    """Two rows that always change together are never read in different states."""
    d1(NEW.format("0"), NEW.format("0"))
    host.sync()
    stop, wrong = threading.Event(), []

    def read():
        while not stop.is_set():
            pair = {d.title for d in Design.objects.using(host.replica)}
            if len(pair) != 1:
                wrong.append(pair)
        connections[host.replica].release_file()

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(1, 13):
        d1(f"UPDATE designs SET title = '{number}'")
        if number % 4 == 0:
            host.host.directory.open_current().copy.mark_obsolete()
        host.sync()
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_complete_copy_that_was_not_published_is_synced_first(d1, host):
    """Its process was killed before it published the copy; meanwhile the current copy has got new changes."""
    directory, source = host.host.directory, Source(host.host.options, patient=True)
    publish, directory.publish = directory.publish, lambda path: (_ for _ in ()).throw(KeyboardInterrupt)
    host.host.directory.open_current().copy.mark_obsolete()
    with pytest.raises(KeyboardInterrupt):
        host.host.sync_now(source)
    directory.publish = publish
    d1(NEW.format("later"))
    seen = []
    directory.publish = lambda path: (
        seen.extend(sqlite3.connect(path).execute("SELECT title FROM designs").fetchall()),
        publish(path),
    )
    host.host.sync_now(source)
    source.close()
    assert seen == [("later",)]


def test_a_file_made_for_other_settings_is_not_read(d1, installed, new_host):
    """It lacks a table or has a column that is now hidden; it is deleted soon."""
    d1("INSERT INTO people (name, password_hash) VALUES ('asha', 'bcrypt$secret')")
    host = new_host("a", hide={}, unrouted=[], search=[])
    host.sync()
    assert alias_for(host.replica, "people") == host.replica
    assert alias_for(host.replica, "designs_search") == host.source
    host = new_host("a")
    assert alias_for(host.replica, "people", "designs_search") == host.source
    assert not status(host.replica)["usable"]
    assert status(host.replica)["age"] is None
    until(lambda: alias_for(host.replica, "people", "designs_search") == host.replica)
    host.host.directory._delete_old_at = 0.0
    age(host, 601)
    host.host.ensure_fresh()
    until(lambda: len(host.host.directory.files()) == 1)
    assert all(b"secret" not in file.read_bytes() for file in host.host.directory.path.iterdir())


def test_reads_continue_in_a_process_that_cannot_start_a_thread(host, monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    age(host, 601)
    assert titles(host.replica) == []
