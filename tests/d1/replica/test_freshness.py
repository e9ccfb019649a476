"""How old a read may be, which requests it causes, and what happens when D1 does not answer."""

import os
import threading
import time

import pytest
from django.db import OperationalError, connections

from d1backend.replica import alias_for, status, version
from d1backend.replica.copy import ReplicaCopy
from d1backend.replica.tables import TableSchema
from devtools import fault_plan
from tests.d1.replica.models import Design, Person

NEW = "INSERT INTO designs (title, body, view_count, weight) VALUES ('{}', '', 0, 0)"


def titles(alias):
    return sorted(Design.objects.using(alias).values_list("title", flat=True))


def age(host, seconds):
    """Make the copy look as if its last sync was so many seconds ago."""
    moment = time.time() - seconds
    os.utime(host.host.directory.current, (moment, moment))


def until(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, "The condition was not met within 20 s."
        time.sleep(0.005)


def end_backoff(host):
    """End the backoff: D1 may be asked again now."""
    backoff = host.host.directory.path / "backoff"
    os.utime(backoff, (0, 0))
    host.host.sync_thread._backoff_until = 0.0


def test_a_fresh_copy_is_read_without_a_request(d1, host, proxy):
    proxy.plan = []
    d1(NEW.format("theirs"))
    assert titles(host.replica) == []
    assert proxy.count == 0


def test_a_read_of_a_copy_too_old_waits_for_the_changes(d1, host, proxy):
    d1(NEW.format("theirs"))
    age(host, 601)
    proxy.plan = []
    assert titles(host.replica) == ["theirs"]
    assert proxy.count == 1
    assert status(host.replica)["age"] < 600


def test_an_older_copy_is_read_at_once_and_synced_in_the_background(d1, host, proxy):
    d1(NEW.format("theirs"))
    age(host, 550)
    assert titles(host.replica) in ([], ["theirs"])
    until(lambda: titles(host.replica) == ["theirs"])


def test_many_threads_that_read_an_old_copy_ask_once(d1, host, proxy):
    d1(NEW.format("theirs"))
    age(host, 601)
    proxy.plan = []
    seen, start = [], threading.Barrier(8)

    def read():
        start.wait()
        seen.append(titles(host.replica))
        connections[host.replica].close()

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [["theirs"]] * 8
    assert proxy.count == 1


def test_a_clock_set_back_makes_the_copy_old(d1, host):
    d1(NEW.format("theirs"))
    age(host, -3600)
    assert titles(host.replica) == ["theirs"]


def test_without_reads_there_are_no_requests(installed, new_host, proxy):
    host = new_host("a", max_age=0.02)
    host.sync()
    titles(host.replica)
    # By then the sync that the read requested has ended.
    until(lambda: status(host.replica)["age"] > 1.0)
    proxy.plan = []
    time.sleep(0.2)
    assert proxy.count == 0


def test_reads_continue_without_d1_and_writes_fail(d1, host, proxy):
    Design.objects.using(host.source).create(title="a")
    assert not status(host.replica)["degraded"]
    proxy.go_down()
    age(host, 3000)
    assert titles(host.replica) == ["a"]
    until(lambda: status(host.replica)["degraded"])
    found = status(host.replica)
    assert found["usable"]
    assert found["error"] == "OperationalError"
    assert found["age"] >= 3000
    connections[host.source].close()
    connections.settings[host.source]["OPTIONS"]["retries"] = 0
    with pytest.raises(OperationalError):
        Design.objects.using(host.source).create(title="b")
    proxy.come_up()
    d1(NEW.format("theirs"))
    end_backoff(host)
    until(lambda: titles(host.replica) == ["a", "theirs"])
    until(lambda: not status(host.replica)["degraded"])


def test_a_rate_limit_is_respected_for_as_long_as_it_asks(host, proxy):
    proxy.plan = fault_plan.always(fault_plan.rate_limited("120"))
    age(host, 3000)
    for _ in range(20):
        titles(host.replica)
    until(lambda: status(host.replica)["degraded"])
    assert proxy.count == 1
    assert status(host.replica)["error"] == "RateLimited"
    assert host.host.directory.backoff_until() > time.time() + 100


def test_a_host_without_a_copy_reads_from_the_source_and_fills(d1, installed, new_host):
    d1(NEW.format("a"))
    host = new_host("a")
    assert alias_for(host.replica, "designs") == host.source
    assert version(host.replica, ["designs"]) == 0
    with pytest.raises(OperationalError, match="not filled"):
        titles(host.replica)
    assert [d.title for d in Design.objects.all()] == ["a"]
    until(lambda: alias_for(host.replica, "designs") == host.replica)
    assert titles(host.replica) == ["a"]


def test_a_change_of_the_schema_is_detected_and_the_copy_refilled(d1, host, caplog):
    d1("ALTER TABLE designs ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'")
    d1("INSERT INTO designs (title, body, view_count, weight, colour) VALUES ('a', '', 0, 0, 'blue')")
    age(host, 601)
    Design.objects.first()
    until(lambda: alias_for(host.replica, "designs") == host.replica)
    with connections[host.replica].cursor() as cursor:
        cursor.execute("SELECT colour FROM designs")
        assert cursor.fetchall() == [("blue",)]
    d1("UPDATE designs SET colour = 'green'")
    host.sync()
    with connections[host.replica].cursor() as cursor:
        cursor.execute("SELECT colour FROM designs")
        assert cursor.fetchall() == [("green",)]


def test_a_table_created_again_without_its_triggers_is_detected(d1, host):
    d1("DROP TABLE tags", "CREATE TABLE tags (id INTEGER PRIMARY KEY, design_id INTEGER, label TEXT UNIQUE)")
    d1("INSERT INTO tags VALUES (5, 1, 'x')")
    host.sync()
    d1("UPDATE tags SET label = 'y'")
    host.sync()
    with connections[host.replica].cursor() as cursor:
        cursor.execute("SELECT * FROM tags")
        assert cursor.fetchall() == [(5, 1, "y")]


def test_a_model_with_columns_that_the_copy_lacks_is_read_from_the_source(host):
    assert Design.objects.all().db == host.replica
    opened = host.host.directory.opened
    table = opened.copy.tables["designs"]
    opened.copy.tables["designs"] = TableSchema(table.name, table.key, table.columns[:-1])
    opened.readable_models.clear()
    assert Design.objects.all().db == host.source


def test_a_restored_database_is_detected(d1, host):
    d1(NEW.format("a"))
    before = d1("SELECT max(seq) FROM _d1_changes")[0][0]
    d1(NEW.format("b"))
    host.sync()
    held = version(host.replica, ["designs"])
    d1("DELETE FROM designs WHERE title = 'b'", f"DELETE FROM _d1_changes WHERE seq > {before}")
    host.sync()
    assert titles(host.replica) == ["a"]
    assert version(host.replica, ["designs"]) > held


def test_a_damaged_file_is_replaced(d1, host):
    d1(NEW.format("a"))
    path = host.host.directory.opened.path
    connections[host.replica].close()
    host.host.directory.release_copy()
    for file in path.parent.glob(f"{path.name}*"):
        file.write_bytes(b"no database" * 1000)
    assert Design.objects.get().title == "a"
    until(lambda: alias_for(host.replica, "designs") == host.replica)
    assert titles(host.replica) == ["a"]


def test_a_restart_uses_the_file_it_finds(d1, host, proxy, monkeypatch):
    d1(NEW.format("a"))
    monkeypatch.setattr(ReplicaCopy, "create", None)
    host.host.reset()
    age(host, 601)
    proxy.plan = []
    assert titles(host.replica) == ["a"]
    assert proxy.count == 1


def test_a_forked_process_has_connections_and_a_thread_of_its_own(d1, host):
    assert titles(host.replica) == []
    d1(NEW.format("a"))
    age(host, 601)
    child = os.fork()
    if not child:
        os._exit(0 if titles(host.replica) == ["a"] else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert titles(host.replica) == ["a"]


def test_a_user_rejected_is_out_at_once_on_the_host_and_by_age_elsewhere(host, other):
    person = Person.objects.using(host.source).create(name="asha", password="x")
    other.sync()
    Person.objects.using(host.source).filter(pk=person.pk).update(name="rejected")
    assert Person.objects.using(host.replica).defer("password").get().name == "rejected"
    age(other, 601)
    assert Person.objects.using(other.replica).defer("password").get().name == "rejected"
