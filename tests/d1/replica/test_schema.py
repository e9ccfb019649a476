"""The schema or the log on D1 changes while a copy is in use: the change is detected and the copy refilled."""

import pytest
from django.db import connections, models

from d1backend.replica import installation, status, sync, trim_log, version
from d1backend.replica.changes import NeedsRefill
from d1backend.replica.installation import install_log
from d1backend.replica.migration import install_log_after_migrate
from d1backend.replica.source import Source
from tests.d1.replica.models import Design, Tag

NEW = "INSERT INTO designs (title, body, view_count, weight) VALUES ('{}', '', 0, 0)"


def ask(alias, sql):
    with connections[alias].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def names_of_triggers(d1):
    """The names of the triggers that log changes."""
    sql = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name GLOB '_d1_log_*'"
    return {name for (name,) in d1(sql)}


def test_a_copied_column_that_is_dropped_is_detected(d1, host):
    d1(NEW.format("a"))
    host.sync()
    d1("ALTER TABLE designs DROP COLUMN picture", NEW.format("b"))
    host.sync()
    assert ask(host.replica, "SELECT title FROM designs ORDER BY id") == [("a",), ("b",)]
    d1("UPDATE designs SET title = 'c' WHERE id = 1")
    host.sync()
    assert ask(host.replica, "SELECT title FROM designs ORDER BY id") == [("c",), ("b",)]


def test_a_dropped_log_is_detected(d1, host):
    """As after a restore of D1 to a time before the log was installed."""
    triggers = [f"DROP TRIGGER {name}" for name in names_of_triggers(d1)]
    d1("DROP TABLE _d1_changes", "DROP TABLE _d1_replica", *triggers, NEW.format("unlogged"))
    host.sync()
    assert ask(host.replica, "SELECT title FROM designs") == [("unlogged",)]


def test_a_log_without_its_state_is_detected(d1, host):
    d1("DELETE FROM _d1_replica", NEW.format("a"))
    Design.objects.using(host.source).create(title="b")
    host.sync()
    assert ask(host.replica, "SELECT title FROM designs ORDER BY id") == [("a",), ("b",)]


def test_a_full_text_table_with_another_definition_is_detected(d1, host):
    d1(NEW.format("silk"))
    d1(
        "DROP TABLE designs_search",
        "CREATE VIRTUAL TABLE designs_search USING fts5(title, body, content='designs', content_rowid='id', "
        "tokenize='trigram')",
        "INSERT INTO designs_search (designs_search) VALUES ('rebuild')",
    )
    host.sync()
    assert ask(host.replica, "SELECT rowid FROM designs_search WHERE designs_search MATCH 'sil'") == [(1,)]


def test_a_table_that_django_remakes_is_logged_again_after_the_migration(d1, host):
    design = Design.objects.using(host.source).create(title="a")
    Tag.objects.using(host.source).create(design=design, label="x")
    before = names_of_triggers(d1)
    old, new = Tag._meta.get_field("label"), models.CharField(max_length=90, unique=True, null=True)
    new.set_attributes_from_name("label")
    new.model = Tag
    with connections[host.source].schema_editor() as editor:
        editor.alter_field(Tag, old, new)
    install_log_after_migrate(host.source)
    assert names_of_triggers(d1) == before
    d1("UPDATE tags SET label = 'y'")
    host.sync()
    assert ask(host.replica, "SELECT label FROM tags") == [("y",)]


def test_the_triggers_are_kept_by_every_migrate(d1, host):
    d1("DROP TRIGGER _d1_log_tags_update", "UPDATE tags SET label = 'unlogged'")
    install_log_after_migrate(host.source)
    assert "_d1_log_tags_update" in names_of_triggers(d1)
    epoch = d1("SELECT epoch FROM _d1_replica")
    install_log_after_migrate(host.source)
    assert d1("SELECT epoch FROM _d1_replica") == epoch


def test_an_old_copy_is_read_until_the_new_one_is_complete(d1, host):
    """A change of the schema must not send every read to D1: they would exceed its rate limit."""
    d1(NEW.format("a"))
    host.sync()
    d1("ALTER TABLE designs DROP COLUMN picture", NEW.format("b"))
    seen = []

    def look(table, rows):
        seen.append([d.title for d in Design.objects.using(host.replica)])
        assert status(host.replica)["degraded"]
        assert status(host.replica)["usable"]

    source = Source(host.host.options, patient=True)
    host.host.sync_now(source, look)
    source.close()
    assert seen
    assert all(titles == ["a"] for titles in seen)
    assert [d.title for d in Design.objects.using(host.replica).defer("picture")] == ["a", "b"]
    assert not status(host.replica)["degraded"]


def test_rows_too_long_for_one_answer_come_in_several(d1, host, proxy):
    for title in "abcd":
        d1(
            f"INSERT INTO designs (title, body, view_count, weight) VALUES ('{title}', hex(zeroblob(450000)), 0, 0)"
        )
    proxy.plan = []
    host.sync()
    assert proxy.count == 2
    assert [len(body) for (body,) in ask(host.replica, "SELECT body FROM designs")] == [900_000] * 4


def test_replaced_rows_leave_the_copy_and_its_search(d1, host):
    d1(NEW.format("silk"), NEW.format("cotton"), "INSERT INTO tags (design_id, label) VALUES (1, 'x')")
    host.sync()
    d1("INSERT OR REPLACE INTO tags (id, design_id, label) VALUES (9, 2, 'x')")
    d1("INSERT OR REPLACE INTO designs (id, title, body, view_count, weight) VALUES (1, 'linen', '', 0, 0)")
    host.sync()
    assert ask(host.replica, "SELECT id, design_id, label FROM tags") == [(9, 2, "x")]
    assert ask(
        host.replica, "SELECT rowid FROM designs_search WHERE designs_search MATCH 'silk OR linen'"
    ) == [(1,)]


def test_a_log_installed_again_during_a_fill_ends_the_fill(d1, installed, new_host):
    d1(NEW.format("a"))
    host = new_host("a")
    source = Source(host.host.options, patient=True)

    def meddle(table, rows):
        if table == "designs":
            install_log(source, new_epoch=True)

    with pytest.raises(NeedsRefill):
        host.host.sync_now(source, meddle)
    source.close()
    assert not status(host.replica)["usable"]
    host.sync()
    assert ask(host.replica, "SELECT title FROM designs") == [("a",)]
    assert version(host.replica, ["designs"]) > 0


def test_rows_deleted_by_replace_are_logged_although_the_new_rows_are_deleted_too(d1, host):
    d1(NEW.format("a"), "INSERT INTO tags (design_id, label) VALUES (1, 'x'), (1, 'y'), (1, 'z')")
    host.sync()
    d1(
        "INSERT OR REPLACE INTO tags (id, design_id, label) VALUES (9, 1, 'x')",
        "DELETE FROM tags WHERE id = 9",
    )
    d1("UPDATE OR REPLACE tags SET label = 'y' WHERE id = 3", "UPDATE tags SET label = 'w' WHERE id = 3")
    host.sync()
    assert ask(host.replica, "SELECT id, label FROM tags") == [(3, "w")]


def test_statements_that_leave_rows_as_they_are_or_merge_are_followed(d1, host):
    d1(NEW.format("a"), NEW.format("b"), "INSERT INTO tags (design_id, label) VALUES (1, 'x')")
    host.sync()
    d1(
        "INSERT OR IGNORE INTO tags (design_id, label) VALUES (1, 'x'), (1, 'y')",
        "INSERT INTO tags (design_id, label) VALUES (2, 'x') "
        "ON CONFLICT (label) DO UPDATE SET design_id = excluded.design_id",
    )
    host.sync()
    assert ask(host.replica, "SELECT design_id, label FROM tags ORDER BY id") == [(2, "x"), (1, "y")]
    d1("DELETE FROM tags")
    host.sync()
    assert ask(host.replica, "SELECT * FROM tags") == []


def test_rows_deleted_by_a_cascade_leave_the_copy(d1, schema, new_host):
    d1("DROP TABLE tags")
    d1(
        "CREATE TABLE tags (id INTEGER PRIMARY KEY, design_id INTEGER REFERENCES designs (id) ON DELETE CASCADE, "
        "label TEXT UNIQUE)"
    )
    d1(NEW.format("a"), NEW.format("b"), "INSERT INTO tags (design_id, label) VALUES (1, 'x'), (2, 'y')")
    host = new_host("a")
    host.sync()
    d1("DELETE FROM designs WHERE id = 1")
    host.sync()
    assert ask(host.replica, "SELECT label FROM tags") == [("y",)]


def test_a_schema_change_during_an_installation_makes_it_start_again(d1, installed, new_host, monkeypatch):
    """Otherwise triggers for the old columns would count as triggers for the new ones."""
    source = Source(new_host("a").host.options, patient=True)
    fetch_installed = installation.fetch_installed
    changes = ["ALTER TABLE designs ADD COLUMN colour TEXT"]

    def meddle(source, tables):
        found = fetch_installed(source, tables)
        if changes:
            d1(changes.pop())
        return found

    monkeypatch.setattr(installation, "fetch_installed", meddle)
    assert install_log(source, new_epoch=True)
    source.close()
    assert "colour" in d1("SELECT sql FROM sqlite_master WHERE name = '_d1_log_designs_update'")[0][0]


def test_a_restored_database_is_detected_after_further_changes(d1, host):
    d1(NEW.format("a"))
    before = d1("SELECT max(seq) FROM _d1_changes")[0][0]
    d1(NEW.format("lost"))
    host.sync()
    d1("DELETE FROM designs WHERE title = 'lost'", f"DELETE FROM _d1_changes WHERE seq > {before}")
    d1(
        "UPDATE designs SET title = 'b'",
        "INSERT INTO people (name, password_hash) VALUES ('x', 'y'), ('z', 'y')",
    )
    host.sync()
    assert ask(host.replica, "SELECT title FROM designs") == [("b",)]


def test_a_long_log_is_trimmed(d1, host):
    d1(NEW.format("a"), NEW.format("b"))
    host.sync()
    d1(
        "INSERT INTO _d1_changes (seq, tbl, key) SELECT max(seq) + 1000000, 'no table', 1 FROM _d1_changes",
        NEW.format("c"),
    )
    source = Source(host.host.options, patient=True)
    assert install_log(source)
    assert not install_log(source)
    source.close()
    assert d1("SELECT tbl FROM _d1_changes") == [["no table"], ["designs"]]
    host.sync()
    assert ask(host.replica, "SELECT title FROM designs ORDER BY id") == [("a",), ("b",), ("c",)]


def test_a_sync_cuts_a_long_log(d1, host, other):
    d1(NEW.format("a"), NEW.format("b"))
    host.sync()
    d1(
        "INSERT INTO _d1_changes (seq, tbl, key) SELECT max(seq) + 1000000, 'no table', 1 FROM _d1_changes",
        NEW.format("c"),
    )
    host.sync()
    assert d1("SELECT tbl FROM _d1_changes") == [["no table"], ["designs"]]
    other.sync()  # it missed what was cut
    for one in (host, other):
        assert ask(one.replica, "SELECT title FROM designs ORDER BY id") == [("a",), ("b",), ("c",)]


def test_a_long_log_is_cut_in_parts_where_nobody_syncs(d1, host, monkeypatch):
    monkeypatch.setattr("d1backend.replica.source._TRIMMED", 2)
    d1(*(NEW.format(n) for n in range(7)))
    host.sync()
    before = d1("SELECT count(*) FROM _d1_changes")[0][0]
    assert trim_log(host.replica) == 0
    d1(
        "INSERT INTO _d1_changes (seq, tbl, key) SELECT max(seq) + 1000000, 'no table', 1 FROM _d1_changes",
        NEW.format("c"),
    )
    assert trim_log(host.replica, dry_run=True) == before
    assert d1("SELECT count(*) FROM _d1_changes") == [[before + 2]]
    assert trim_log(host.replica) == before
    assert d1("SELECT tbl FROM _d1_changes") == [["no table"], ["designs"]]
    assert trim_log(host.replica) == 0


def test_what_a_host_or_the_newest_snapshot_needs_is_not_cut(d1, host):
    """Fewer numbers than a host may miss, and a snapshot from before the rest of them."""
    d1(
        "INSERT INTO _d1_changes (seq, tbl, key) SELECT max(seq) + 150000, 'no table', 1 FROM _d1_changes",
        NEW.format("a"),
    )
    before = d1("SELECT count(*) FROM _d1_changes")
    assert trim_log(host.replica) == 0
    d1(
        "UPDATE _d1_snapshots SET name = 'a', seq = (SELECT min(seq) FROM _d1_changes), "
        "epoch = (SELECT epoch FROM _d1_replica)",
        "INSERT INTO _d1_changes (seq, tbl, key) SELECT max(seq) + 100000, 'no table', 1 FROM _d1_changes",
    )
    assert trim_log(host.replica) == 0
    assert d1("SELECT count(*) FROM _d1_changes") == [[before[0][0] + 1]]


def test_a_row_that_changed_often_comes_once(d1, host):
    d1(NEW.format("a"), *(f"UPDATE designs SET title = '{n}'" for n in range(50)))
    source = Source(host.host.options, patient=True)
    copy = host.host.directory.open_current().copy
    changes = source.fetch_changes(copy.shape(), copy.seq).changes
    source.close()
    assert [(change.table, change.row[1]) for change in changes] == [("designs", "49")]


def test_the_whole_schema_is_compared_every_few_minutes(d1, host, proxy, monkeypatch):
    """D1 counts each object of the schema as a row read. Others than this backend may change it."""
    monkeypatch.setattr(sync, "_SCHEMA_AGE", 600.0)
    host.sync()
    proxy.plan = []
    for title in "abc":
        Design.objects.using(host.source).create(title=title)
        host.sync()
    assert not any(
        "sqlite_master" in sql for request, _ in proxy.log for sql in request.sql if "_d1_replica" in sql
    )
    d1("ALTER TABLE designs ADD COLUMN colour TEXT")
    host.sync()
    copy = host.host.directory.open_current().copy
    copy.note_schema(copy.schema_checked_at - 601, copy.shape().version)
    host.sync()
    assert ask(host.replica, "SELECT colour FROM designs") == [(None,)] * 3


def test_a_dropped_column_is_detected_without_comparing_the_schema(d1, host, monkeypatch):
    monkeypatch.setattr(sync, "_SCHEMA_AGE", 600.0)
    d1(NEW.format("a"))
    host.sync()
    d1("ALTER TABLE designs DROP COLUMN picture", "UPDATE designs SET title = 'b'")
    host.sync()
    assert ask(host.replica, "SELECT * FROM designs") == [(1, "b", "", 0, 0.0, None)]


def test_a_migration_is_detected_without_comparing_the_schema(d1, host, monkeypatch):
    monkeypatch.setattr(sync, "_SCHEMA_AGE", 600.0)
    d1("ALTER TABLE designs ADD COLUMN colour TEXT DEFAULT 'red'", NEW.format("a"))
    install_log_after_migrate(host.source)
    host.sync()
    assert ask(host.replica, "SELECT colour FROM designs") == [("red",)]
