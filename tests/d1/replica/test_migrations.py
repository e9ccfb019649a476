"""Migrations while hosts run: a compatible one continues their copies, another builds new ones beside the old."""

import pytest
from django.db import DatabaseError, connections, models
from django.db.migrations import Migration
from django.db.models.signals import post_migrate, pre_migrate

import d1backend
from d1backend.apps import D1BackendConfig
from d1backend.replica import alias_for, change_log, snapshot_lease, status, sync
from d1backend.replica.installation import install_log
from d1backend.replica.migration import announce_migration, install_log_after_migrate
from d1backend.replica.snapshot_lease import MigrationAwaited
from d1backend.replica.source import Source
from d1backend.time_travel import note_bookmark
from devtools import fault_plan
from tests.d1.replica.conftest import Odd
from tests.d1.replica.models import MANY, Design
from tests.d1.replica.snapshots import restored_rows, take
from tests.d1.replica.test_schema import NEW, ask


class ColouredDesign(models.Model):
    """The designs as the next release has them."""

    title = models.CharField(max_length=200)
    body = models.TextField(default="")
    view_count = models.BigIntegerField(default=0)
    weight = models.FloatField(default=0.0)
    colour = models.CharField(max_length=20, null=True)

    class Meta:
        app_label = "d1replica"
        db_table = "designs"


def migrate(host, *fields):
    """Add fields to designs as a migration does."""
    with connections[host.source].schema_editor() as editor:
        for name, field in fields:
            field.set_attributes_from_name(name)
            field.model = Design
            editor.add_field(Design, field)
    install_log_after_migrate(host.source)


def change(d1, host, *statements):
    """A migration of plain SQL."""
    with connections[host.source].schema_editor() as editor:
        for sql in statements:
            editor.execute(sql)
    install_log_after_migrate(host.source)


def file_of(host):
    return host.host.directory.open_current().path.name


@pytest.fixture
def running(d1, host, monkeypatch):
    """A host with 300 designs that has compared the schema, as it does every few minutes."""
    d1(MANY.format(300, ""))
    host.sync()
    monkeypatch.setattr(sync, "_SCHEMA_AGE", 600.0)
    return host


COLOURS = "SELECT id, colour FROM designs WHERE id < 4 ORDER BY id"


def test_a_column_that_a_migration_adds_continues_the_copy(d1, running, new_host, proxy):
    before = file_of(running)
    migrate(new_host("deploy"), ("colour", models.CharField(max_length=20, null=True)))
    d1("UPDATE designs SET colour = 'red' WHERE id = 2")
    proxy.plan = []
    running.sync()
    assert proxy.count == 2
    assert ask(running.replica, COLOURS) == [(1, None), (2, "red"), (3, None)]
    assert file_of(running) == before
    assert not status(running.replica)["degraded"]
    proxy.plan = []
    running.sync()
    assert proxy.count == 1


def test_a_column_with_a_default_continues_the_copy(d1, running, proxy):
    before = file_of(running)
    colour = models.CharField(max_length=20, db_default="it's, (red)")
    migrate(running, ("colour", colour), ("stars", models.IntegerField(db_default=-5)))
    d1("UPDATE designs SET colour = 'blue' WHERE id = 2", NEW.format("new"))
    running.sync()
    assert ask(running.replica, "SELECT colour, stars, count(*) FROM designs GROUP BY 1, 2") == [
        ("blue", -5, 1),
        ("it's, (red)", -5, 300),
    ]
    assert file_of(running) == before


@pytest.mark.parametrize(
    ("column", "value", "same"),
    [
        ("colour TEXT", "'red'", "NULL"),
        ("colour TEXT NOT NULL DEFAULT 'red' COLLATE NOCASE", "'RED'", "'red'"),
        ("colour INTEGER DEFAULT 9007199254740993", "9007199254740992", "9007199254740993"),
        ("colour BLOB DEFAULT x'00ff'", "x'00fe'", "x'00ff'"),
    ],
)
def test_values_that_the_same_migration_writes_into_a_new_column_come(
    d1, running, proxy, column, value, same
):
    """The old log triggers do not see an update of the new column alone."""
    change(
        d1,
        running,
        f"ALTER TABLE designs ADD COLUMN {column}",
        f"UPDATE designs SET colour = {value} WHERE id = 2",
        f"UPDATE designs SET colour = {same} WHERE id = 3",
    )
    proxy.plan = []
    running.sync()
    assert proxy.count == 2
    assert ask(running.replica, f"SELECT id FROM designs WHERE colour COLLATE BINARY IS {value}") == [(2,)]
    assert ask(running.replica, f"SELECT count(*) FROM designs WHERE colour COLLATE BINARY IS {same}") == [
        (299,)
    ]


def test_writes_between_the_steps_of_a_migration_are_followed(d1, running):
    """The host syncs when a column was added, before the migration has ended."""
    before = file_of(running)
    with connections[running.source].schema_editor() as editor:
        editor.execute("ALTER TABLE designs ADD COLUMN colour TEXT")
    d1("UPDATE designs SET colour = 'red' WHERE id = 1")
    running.sync()
    d1("UPDATE designs SET colour = 'blue' WHERE id = 2", "UPDATE designs SET title = 'x' WHERE id = 3")
    with connections[running.source].schema_editor() as editor:
        editor.execute("ALTER TABLE designs ADD COLUMN stars INTEGER DEFAULT 5")
    d1("UPDATE designs SET stars = 4 WHERE id = 3")
    install_log_after_migrate(running.source)
    running.sync()
    rows = ask(running.replica, "SELECT title, colour, stars FROM designs WHERE id < 4 ORDER BY id")
    assert [row[1:] for row in rows] == [("red", 5), ("blue", 5), (None, 4)]
    assert rows[2][0] == "x"
    assert file_of(running) == before


def test_the_column_and_the_changes_come_in_one_step(d1, running, monkeypatch):
    """A reader never sees the new column without the values that it had on D1."""
    migrate(running, ("colour", models.CharField(max_length=20, null=True)))
    d1("UPDATE designs SET colour = 'red'")
    monkeypatch.setattr("d1backend.replica.row_writes._write_differences", lambda *rows: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        running.sync()
    names = [name for (name,) in ask(running.replica, "SELECT name FROM pragma_table_info('designs')")]
    assert "colour" not in names
    monkeypatch.undo()
    running.sync()
    assert ask(running.replica, "SELECT DISTINCT colour FROM designs") == [("red",)]


def test_more_changes_than_one_answer_holds_come_with_the_column(d1, running, monkeypatch, proxy):
    monkeypatch.setattr("d1backend.replica.changes.MAX_CHANGES", 100)
    change(d1, running, "ALTER TABLE designs ADD COLUMN colour TEXT", "UPDATE designs SET colour = 'c' || id")
    before = file_of(running)
    running.sync()
    assert ask(running.replica, "SELECT count(*) FROM designs WHERE colour = 'c' || id") == [(300,)]
    assert file_of(running) == before


def test_indexes_that_come_and_go_continue_the_copy(d1, running, proxy):
    before = file_of(running)
    change(
        d1,
        running,
        "CREATE INDEX designs_weight ON designs (weight, id)",
        "DROP INDEX designs_title",
        "CREATE INDEX people_secret ON people (password_hash)",
        "CREATE UNIQUE INDEX tags_some ON tags (design_id) WHERE label > 'x'",
    )
    proxy.plan = []
    running.sync()
    assert proxy.count == 2
    found = ask(running.replica, "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
    indexes = {name for (name,) in found}
    assert {"designs_weight", "tags_some"} <= indexes
    assert not {"designs_title", "people_secret"} & indexes
    assert file_of(running) == before


def test_other_tables_and_triggers_of_d1_cost_one_more_request_once(d1, running, proxy):
    before = file_of(running)
    change(
        d1,
        running,
        "CREATE TABLE others (id INTEGER PRIMARY KEY, name TEXT)",
        "DROP TRIGGER tags_count",
        "CREATE VIRTUAL TABLE others_search USING fts5(name)",
    )
    proxy.plan = []
    running.sync()
    assert proxy.count == 2
    running.sync()
    assert proxy.count == 3
    assert file_of(running) == before


def test_a_changed_search_trigger_continues_the_copy(d1, running):
    before = file_of(running)
    change(
        d1,
        running,
        "DROP TRIGGER designs_search_update",
        "CREATE TRIGGER designs_search_update AFTER UPDATE OF body, title ON designs BEGIN "
        "INSERT INTO designs_search (designs_search, rowid, title, body) "
        "VALUES ('delete', old.id, old.title, old.body); "
        "INSERT INTO designs_search (rowid, title, body) VALUES (new.id, new.title, new.body); END",
        "UPDATE designs SET title = 'silk' WHERE id = 7",
    )
    running.sync()
    d1("UPDATE designs SET title = 'silken' WHERE id = 8")
    running.sync()
    found = "SELECT rowid FROM designs_search WHERE designs_search MATCH 'silk*' ORDER BY rowid"
    assert ask(running.replica, found) == [(7,), (8,)]
    copy = running.host.directory.open_current().copy
    copy._db.execute("INSERT INTO designs_search (designs_search, rank) VALUES ('integrity-check', 1)")
    assert file_of(running) == before


def test_hidden_columns_stay_on_d1(d1, running, new_host):
    hide = {"people": ["password_hash", "phone"]}
    host = new_host("a", hide=hide)
    host.sync()
    before = file_of(host)
    change(
        d1,
        host,
        "ALTER TABLE people ADD COLUMN phone TEXT DEFAULT 'none'",
        "ALTER TABLE people ADD COLUMN city TEXT DEFAULT 'Kochi'",
    )
    d1("INSERT INTO people (name, password_hash, phone) VALUES ('a', 'bcrypt$secret', 'bcrypt$secret')")
    host.sync()
    assert ask(host.replica, "SELECT * FROM people") == [(1, "a", "Kochi")]
    assert file_of(host) == before
    assert not any(b"bcrypt$secret" in f.read_bytes() for f in host.host.directory.path.iterdir())


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


def test_a_log_of_an_earlier_release_is_replaced(d1, running):
    d1("ALTER TABLE _d1_replica DROP COLUMN number", NEW.format("new"))
    running.sync()
    assert ask(running.replica, "SELECT count(*) FROM designs") == [(301,)]


# Processes and releases


def test_a_process_that_has_not_seen_the_column_applies_no_rows_without_it(d1, running, new_host):
    """Another process of the host has taken it over meanwhile."""
    opened = running.host.directory.open_current()
    older = opened.copy.shape()
    source = Source(running.host.options, patient=True)
    d1("UPDATE designs SET title = 'before' WHERE id = 1")
    late = source.fetch_changes(older, opened.copy.seq)
    migrate(running, ("colour", models.CharField(max_length=20, null=True)))
    d1("UPDATE designs SET title = 'after', colour = 'red' WHERE id = 1", "DELETE FROM designs WHERE id = 2")
    d1("INSERT INTO designs (id, title, body, view_count, weight, colour) VALUES (2, 'x', '', 0, 0, 'green')")
    other = new_host("a")
    other.sync()
    assert not opened.copy.apply(late)
    source.close()
    running.sync()
    assert ask(running.replica, COLOURS)[:2] == [(1, "red"), (2, "green")]


def test_a_commit_after_the_migration_is_read_at_once(d1, running, proxy):
    migrate(running, ("colour", models.CharField(max_length=20, null=True)))
    ColouredDesign.objects.using(running.source).filter(pk=1).update(colour="red")
    running.host.ensure_fresh()
    assert ask(running.replica, COLOURS)[0] == (1, "red")


def test_a_model_with_the_column_is_read_from_the_copy_once_it_is_there(d1, running, proxy):
    assert ColouredDesign.objects.all().db == running.source
    migrate(running, ("colour", models.CharField(max_length=20, null=True)))
    running.sync()
    assert Design.objects.all().db == ColouredDesign.objects.all().db == running.replica


def test_an_object_read_before_the_migration_can_be_saved_after_it(d1, running):
    design = Design.objects.get(pk=1)
    migrate(running, ("colour", models.CharField(max_length=20, null=True)))
    running.sync()
    d1("UPDATE designs SET colour = 'red' WHERE id = 2")
    design.title = "saved"
    design.save()
    assert d1("SELECT title FROM designs WHERE id = 1") == [["saved"]]


# Fills and snapshots


def test_a_fill_goes_on_through_a_compatible_migration(d1, running, new_host, monkeypatch):
    monkeypatch.setattr("d1backend.replica.fill._CATCH_UP", -1.0)
    host = new_host("b")
    source = Source(host.host.options, patient=True)
    pages = []

    def meddle(table, rows):
        if not pages:
            change(
                d1,
                running,
                "ALTER TABLE designs ADD COLUMN colour TEXT DEFAULT 'red'",
                "CREATE INDEX designs_colour ON designs (colour)",
                "UPDATE designs SET colour = 'blue' WHERE id IN (1, 290)",
            )
        pages.append(table)

    host.host.sync_now(source, meddle)
    source.close()
    assert pages.count("designs") == 2
    assert ask(host.replica, "SELECT colour, count(*) FROM designs GROUP BY 1") == [("blue", 2), ("red", 298)]
    assert ask(host.replica, "SELECT 1 FROM sqlite_master WHERE name = 'designs_colour'")


def test_a_snapshot_of_an_older_compatible_schema_is_used(d1, writing, host_with, caplog):
    take(writing)
    change(
        d1,
        writing,
        "ALTER TABLE designs ADD COLUMN colour TEXT DEFAULT 'red'",
        "UPDATE designs SET colour = 'blue' WHERE id < 3",
    )
    d1("UPDATE designs SET colour = 'green' WHERE id = 3")
    new = host_with("new")
    assert restored_rows(new, caplog) == (0, [])
    assert ask(new.replica, "SELECT colour, count(*) FROM designs GROUP BY 1") == [
        ("blue", 2),
        ("green", 1),
        ("red", 297),
    ]


def test_a_snapshot_holds_the_columns_of_its_state(d1, writing, host_with, new_host, caplog):
    """Another process of the host has taken a column over; the one that writes the snapshot has not noticed."""
    opened = writing.host.directory.open_current()
    change(d1, writing, "ALTER TABLE designs ADD COLUMN colour TEXT", "UPDATE designs SET colour = 'blue'")
    other = host_with("writing")
    other.sync()
    assert "colour" not in opened.copy.tables["designs"].columns
    source = Source(other.host.options, patient=True)
    directory = other.host.directory
    directory.opened = opened
    take(other)
    source.close()
    new = host_with("new")
    assert restored_rows(new, caplog) == (0, [])
    assert ask(new.replica, "SELECT DISTINCT colour FROM designs") == [("blue",)]


def test_two_hosts_that_install_at_once_begin_no_epoch(d1, running, other, monkeypatch):
    epoch = d1("SELECT epoch FROM _d1_replica")
    d1("ALTER TABLE designs ADD COLUMN colour TEXT", "UPDATE designs SET colour = 'red' WHERE id = 1")
    sources = [Source(h.host.options, patient=True) for h in (running, other)]
    statements = change_log.install_statements
    other_first = [True]

    def meddle(*arguments, **options):
        made = statements(*arguments, **options)
        if other_first.pop() if other_first else False:
            install_log(sources[1])
        return made

    monkeypatch.setattr(change_log, "install_statements", meddle)
    install_log(sources[0])
    for source in sources:
        source.close()
    assert d1("SELECT epoch FROM _d1_replica") == epoch
    running.sync()
    assert ask(running.replica, COLOURS)[0] == (1, "red")


# An incompatible migration


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
