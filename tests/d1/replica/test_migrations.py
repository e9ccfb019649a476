"""Compatible migrations while hosts run: their copies, fills and snapshots go on."""

import pytest
from django.db import connections, models

from d1backend.replica import change_log, status
from d1backend.replica.installation import install_log
from d1backend.replica.migration import install_log_after_migrate
from d1backend.replica.source import Source
from tests.d1.replica.models import Design
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
