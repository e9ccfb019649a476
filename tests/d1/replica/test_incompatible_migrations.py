"""A migration that copies cannot follow: hosts wait for its snapshot, and build new copies beside the old."""

import pytest
from django.db import DatabaseError
from django.db.migrations import Migration
from django.db.models.signals import post_migrate, pre_migrate

import d1backend
from d1backend.apps import D1BackendConfig
from d1backend.replica import alias_for, snapshot_lease
from d1backend.replica.migration import announce_migration, install_log_after_migrate
from d1backend.replica.snapshot_lease import MigrationAwaited
from d1backend.replica.source import Source
from d1backend.time_travel import note_bookmark
from devtools import fault_plan
from tests.d1.replica.conftest import Odd
from tests.d1.replica.models import Design
from tests.d1.replica.snapshots import restored_rows, take
from tests.d1.replica.test_migrations import change, file_of
from tests.d1.replica.test_schema import ask

DROP = "ALTER TABLE designs DROP COLUMN picture"


@pytest.fixture
def two(d1, writing, host_with):
    """Two hosts with copies and a snapshot, and a third that migrates from a disk of its own."""
    take(writing)
    other = host_with("other")
    other.sync()
    return writing, other, host_with("deploy")


def announce(host):
    """What `migrate` does before the first migration."""
    announce_migration(host.source, plan=[(Migration("0002", "d1replica"), False)])


@pytest.mark.parametrize(
    "statements",
    [
        ["ALTER TABLE designs DROP COLUMN picture"],
        ["ALTER TABLE designs RENAME COLUMN weight TO mass"],
        ["DROP TRIGGER _d1_log_tags_update", "UPDATE tags SET label = 'unlogged'"],
        ["CREATE UNIQUE INDEX people_name ON people (name)"],
        [
            "CREATE TABLE new__tags (id INTEGER PRIMARY KEY, design_id INTEGER, label TEXT UNIQUE, extra TEXT)",
            "INSERT INTO new__tags SELECT *, NULL FROM tags",
            "DROP TABLE tags",
            "ALTER TABLE new__tags RENAME TO tags",
            "UPDATE tags SET extra = 'unlogged'",
        ],
        [
            "DROP TABLE designs_search",
            "CREATE VIRTUAL TABLE designs_search USING fts5(title, content='designs', content_rowid='id')",
            "DROP TRIGGER designs_search_insert",
            "DROP TRIGGER designs_search_update",
            "DROP TRIGGER designs_search_delete",
        ],
    ],
    ids=["drop", "rename", "lost trigger", "unique", "remake", "search"],
)
def test_an_incompatible_migration_builds_a_new_copy(d1, running, statements):
    d1("INSERT INTO tags (id, design_id, label) VALUES (1, 1, 'x')")
    running.sync()
    before, epoch = file_of(running), d1("SELECT epoch FROM _d1_replica")
    change(d1, running, *statements)
    assert d1("SELECT epoch FROM _d1_replica") != epoch
    running.sync()
    assert file_of(running) != before
    columns = [name for (name,) in d1("SELECT name FROM pragma_table_info('tags')")]
    assert [list(row) for row in ask(running.replica, f"SELECT {', '.join(columns)} FROM tags")] == d1(
        f"SELECT {', '.join(columns)} FROM tags"
    )


def test_the_app_is_called_before_and_after_migrations():
    config = D1BackendConfig("d1backend", d1backend)
    assert not pre_migrate.has_listeners(config)
    config.ready()
    for signal, handler in (
        (pre_migrate, note_bookmark),
        (pre_migrate, announce_migration),
        (post_migrate, install_log_after_migrate),
    ):
        assert signal.disconnect(handler, sender=config)


def test_hosts_wait_for_the_snapshot_of_an_incompatible_migration(d1, two, proxy, caplog):
    _, other, deploy = two
    announce(deploy)
    d1(DROP)
    for _ in range(2):
        with pytest.raises(MigrationAwaited):
            other.sync()
    # Reads of old code go on from the old copy, also after a write.
    Design.objects.using(other.source).filter(pk=1).update(title="later")
    proxy.plan = []
    alias = alias_for(other.replica, "designs")
    assert alias == other.replica
    assert Design.objects.using(alias).get(pk=2).picture == b"\x00\xff"
    assert proxy.count <= 1
    install_log_after_migrate(deploy.source)
    proxy.plan = []
    assert restored_rows(other, caplog) == (0, [])
    assert proxy.count <= 8
    assert ask(other.replica, "SELECT title FROM designs WHERE id = 1") == [("later",)]
    with pytest.raises(DatabaseError, match="picture"):
        ask(other.replica, "SELECT picture FROM designs")


def test_hosts_fill_from_d1_when_the_migration_was_killed(d1, two, caplog):
    _, other, deploy = two
    announce(deploy)
    d1(DROP)
    with pytest.raises(MigrationAwaited):
        other.sync()
    d1("UPDATE _d1_snapshots SET lease = 0")
    rows, _ = restored_rows(other, caplog)
    assert rows > 300


def test_a_new_host_waits_for_the_migration_with_its_fill(d1, two, host_with, monkeypatch):
    monkeypatch.setattr(snapshot_lease, "_LOOK_EVERY", 0)
    announce(two[2])
    new = host_with("new")
    waits = []

    def end_migration(seconds, reason):
        waits.append(reason)
        if len(waits) == 2:
            install_log_after_migrate(two[2].source)

    source = Source(new.host.options, patient=True)
    new.host.fill_now(source, lambda table, rows: None, end_migration)
    source.close()
    assert len(waits) == 2
    assert ask(new.replica, "SELECT count(*) FROM designs") == [(300,)]


def test_a_compatible_migration_makes_nobody_wait(d1, two, proxy):
    _, other, deploy = two
    before = file_of(other), d1("SELECT name FROM _d1_snapshots")
    announce(deploy)
    d1("ALTER TABLE designs ADD COLUMN colour TEXT DEFAULT 'red'")
    other.sync()
    install_log_after_migrate(deploy.source)
    other.sync()
    assert (file_of(other), d1("SELECT name FROM _d1_snapshots")) == before
    assert ask(other.replica, "SELECT DISTINCT colour FROM designs") == [("red",)]
    assert d1("SELECT holder, lease FROM _d1_snapshots") == [["", 0]]


def test_a_snapshot_that_cannot_be_written_does_not_fail_the_migration(d1, two, settings, tmp_path, caplog):
    _, other, deploy = two
    announce(deploy)
    d1(DROP)
    Odd.on_write = staticmethod(lambda name: (_ for _ in ()).throw(OSError("full")))
    try:
        install_log_after_migrate(deploy.source)
    finally:
        Odd.on_write = staticmethod(lambda name: None)
    assert "no snapshot was written" in caplog.text
    rows, _ = restored_rows(other, caplog)
    assert rows > 300


def test_the_first_migration_of_a_database_announces_nothing(d1, host_with):
    announce(host_with("deploy"))
    assert d1("SELECT name FROM sqlite_master WHERE name GLOB '_d1_sn*'") == []


def test_reads_after_a_write_stay_at_an_old_copy_that_is_being_replaced(d1, running, proxy):
    """A read at D1 takes a request, and hundreds of them would use up the allowance that the fill needs."""
    running.host.directory.open_current().copy.mark_obsolete()
    running.host.directory.mark_dirty()
    proxy.plan = fault_plan.always(fault_plan.SLOW_BEFORE)
    assert alias_for(running.replica, "designs") == running.replica
