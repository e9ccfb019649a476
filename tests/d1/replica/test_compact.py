"""A compact copy: rows that are not copied, tables in a layout of their own, indexes that are left out."""

import sqlite3

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connections, models

from d1backend.replica.installation import install_log
from d1backend.replica.source import Source
from tests.d1.replica.models import OPTIONS, Design
from tests.d1.replica.test_fill import MANY, fill_now
from tests.d1.replica.test_migrations import change, file_of

COMPACT = {
    **OPTIONS,
    "tables": [*OPTIONS["tables"], "sessions", "likes"],
    "only": {"sessions": "ended IS NULL"},
    "compact": {"likes": ["user_id", "design_id"]},
    "no_index": ["designs_title", "designs_search"],
}
TABLES = (
    "CREATE TABLE sessions (id INTEGER PRIMARY KEY AUTOINCREMENT, secret TEXT NOT NULL UNIQUE, ended TEXT, "
    "design_id INTEGER REFERENCES designs (id) ON DELETE CASCADE)",
    "CREATE TABLE likes (id INTEGER PRIMARY KEY AUTOINCREMENT, user_id INTEGER NOT NULL, "
    "design_id INTEGER NOT NULL REFERENCES designs (id) ON DELETE CASCADE, created_at datetime NOT NULL, "
    "CONSTRAINT one_each UNIQUE (user_id, design_id))",
    "CREATE INDEX likes_newest ON likes (user_id, created_at DESC, id DESC)",
)
LIKES = (
    "INSERT INTO likes (user_id, design_id, created_at) SELECT i % 10 + 1, d.id, '2026-11-' || (d.id % 9 + 10) "
    "FROM designs d, (SELECT value AS i FROM json_each('[0,1,2,3,4,5,6,7,8,9]'))"
)


class Like(models.Model):
    user_id = models.IntegerField()
    design = models.ForeignKey(Design, models.CASCADE, related_name="likes")
    created_at = models.DateTimeField()

    class Meta:
        app_label = "d1replica"
        db_table = "likes"


@pytest.fixture
def unfilled(d1, schema, new_host):
    """A host without a copy; on D1 are 30 designs, each liked by 10 users, and three sessions of which one ended."""
    d1(*TABLES, MANY.format(30, ""), LIKES)
    d1(
        "INSERT INTO sessions (secret, ended, design_id) "
        "VALUES ('sec-a', NULL, 1), ('sec-b', 'x', 1), ('sec-c', NULL, 2)"
    )
    host = new_host("a", **COMPACT)
    source = Source(host.host.options, patient=True)
    install_log(source)
    source.close()
    return host


@pytest.fixture
def compact(unfilled):
    unfilled.sync()
    return unfilled


def secrets(host):
    return ask(host, "SELECT secret FROM sessions ORDER BY id")


def ask(host, sql):
    with connections[host.replica].cursor() as cursor:
        cursor.execute(sql)
        return [row[0] if len(row) == 1 else row for row in cursor.fetchall()]


def bytes_of(host):
    """All bytes of the files of a host, after what is in the files beside the copy went into it."""
    copy = host.host.directory.open_current().copy
    with copy._lock:
        copy._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return b"".join(file.read_bytes() for file in host.host.directory.path.iterdir())


def test_a_fill_brings_only_the_rows_that_meet_the_condition(compact):
    assert secrets(compact) == ["sec-a", "sec-c"]
    found = b"".join(file.read_bytes() for file in compact.host.directory.path.iterdir())
    assert b"sec-a" in found
    assert b"sec-b" not in found


def test_a_row_that_no_longer_meets_it_leaves_the_copy_and_its_file(d1, compact):
    d1("UPDATE sessions SET ended = 'now' WHERE id = 1", "UPDATE sessions SET ended = NULL WHERE id = 2")
    compact.sync()
    assert secrets(compact) == ["sec-b", "sec-c"]
    found = bytes_of(compact)
    assert b"sec-b" in found
    assert b"sec-a" not in found


@pytest.mark.parametrize("others_read", [False, True])
def test_replaced_and_cascaded_rows_are_right_under_a_condition(d1, compact, others_read):
    d1("INSERT OR REPLACE INTO sessions (id, secret, ended) VALUES (9, 'sec-c', 'x')")
    if others_read:
        compact.sync()
    d1("INSERT OR REPLACE INTO sessions (id, secret, ended) VALUES (2, 'sec-a', NULL)")
    compact.sync()
    assert ask(compact, "SELECT id, secret FROM sessions") == [(2, "sec-a")]
    d1("UPDATE sessions SET design_id = 3", "DELETE FROM designs WHERE id = 3")
    compact.sync()
    assert secrets(compact) == []


def test_a_write_through_the_host_is_seen_at_once(d1, compact):
    with connections[compact.source].cursor() as cursor:
        cursor.execute("UPDATE sessions SET ended = 'now' WHERE id = 3")
    assert secrets(compact) == ["sec-a"]


def test_a_compact_table_has_the_rows_of_d1_and_follows_them(d1, compact):
    rows = "SELECT id, user_id, design_id, created_at FROM likes ORDER BY id"

    def same():
        assert [list(row) for row in compact.host.directory.open_current().copy._db.execute(rows)] == d1(rows)

    same()
    d1("DELETE FROM likes WHERE user_id = 3", "UPDATE likes SET created_at = '2026-12-01' WHERE user_id = 4")
    d1("INSERT INTO likes (user_id, design_id, created_at) VALUES (3, 7, '2026-12-02')")
    compact.sync()
    same()
    # Two rows exchange what identifies them; one is replaced; one gets another key; some are cascaded.
    d1(
        "UPDATE likes SET user_id = 99 WHERE user_id = 5 AND design_id = 1",
        "UPDATE likes SET user_id = 5, design_id = 1 WHERE user_id = 6 AND design_id = 2",
        "UPDATE likes SET user_id = 6, design_id = 2 WHERE user_id = 99",
        "INSERT OR REPLACE INTO likes (user_id, design_id, created_at) VALUES (7, 3, '2026-12-03')",
        "UPDATE likes SET id = 5000 WHERE user_id = 8 AND design_id = 4",
        "DELETE FROM designs WHERE id = 9",
    )
    compact.sync()
    same()


def test_rows_that_change_during_a_fill_are_correct_in_a_compact_table(d1, unfilled):
    changes = iter(
        [
            [],
            ["DELETE FROM likes WHERE user_id = 2"],
            ["INSERT INTO likes (user_id, design_id, created_at) VALUES (2, 5, '2026-12-02')"],
            ["DELETE FROM designs WHERE id = 8"],
        ]
    )

    def meddle(table, rows):
        for sql in next(changes, []):
            d1(sql)

    fill_now(unfilled, meddle)
    rows = "SELECT id, user_id, design_id FROM likes ORDER BY id"
    assert [list(row) for row in unfilled.host.directory.open_current().copy._db.execute(rows)] == d1(rows)


def test_queries_of_a_compact_table_are_right_and_use_an_index(d1, compact):
    def answers(alias):
        mine = Like.objects.using(alias).filter(user_id=4)
        ordered = mine.filter(design__view_count__gt=2).order_by("-created_at", "-id")
        return [
            list(ordered.values_list("design_id", "design__title")[:7]),
            list(ordered.values_list("design_id", "design__title")[20:27]),
            ordered.count(),
            Like.objects.using(alias).count(),
            mine.filter(design_id=3).exists(),
            mine.filter(design_id=999).exists(),
            list(mine.order_by("-created_at", "-id").values_list("created_at", flat=True)[:3]),
        ]

    assert answers(compact.replica) == answers(compact.source)
    for where in ("user_id = 4", "user_id = 4 AND design_id = 3", "id = 17"):
        (plan,) = ask(compact, f"EXPLAIN QUERY PLAN SELECT created_at FROM likes WHERE {where}")
        assert plan[3].startswith("SEARCH likes USING")
    indexes = ask(
        compact, "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'likes' AND sql <> ''"
    )
    assert indexes == ["_replica_key_likes"]


def test_omitted_indexes_are_not_created_and_searches_find_the_same(d1, compact):
    assert not ask(compact, "SELECT 1 FROM sqlite_master WHERE name = 'designs_title'")
    (sql,) = ask(compact, "SELECT sql FROM sqlite_master WHERE name = 'designs_search'")
    assert "prefix" not in sql
    question = "SELECT rowid, rank FROM designs_search WHERE designs_search MATCH '{}' ORDER BY rank, rowid"
    d1("UPDATE designs SET title = 'tussar' WHERE id = 2")
    compact.sync()
    for word in ("t1*", "t*", "tuss*", "t12"):
        assert [list(row) for row in ask(compact, question.format(word))] == d1(question.format(word))


def test_a_table_that_cannot_be_compact_is_an_error_that_says_why(d1, unfilled, new_host):
    for columns, why in ((["user_id", "nothing"], "nothing: no such column"),):
        host = new_host("b", **{**COMPACT, "compact": {"likes": columns}})
        with pytest.raises(LookupError, match=why):
            host.sync()
        assert host.host.directory.files() == []
    d1("ALTER TABLE likes ADD COLUMN note TEXT COLLATE NOCASE")
    source = Source(unfilled.host.options, patient=True)
    install_log(source)
    source.close()
    with pytest.raises(ValueError, match="collation"):
        unfilled.sync()


@pytest.mark.parametrize("key", ["only", "compact"])
def test_a_setting_for_a_table_that_is_not_copied_is_rejected(new_host, key):
    with pytest.raises(ImproperlyConfigured, match="notes"):
        new_host("a", **{key: {"notes": "x"}}).sync()


def test_a_file_of_other_settings_is_not_read(compact, new_host):
    before = compact.host.directory.open_current().path
    again = new_host("a", **{**COMPACT, "only": {}})
    assert again.host.directory.open_current() is None
    again.sync()
    assert again.host.directory.open_current().path != before
    assert secrets(again) == ["sec-a", "sec-b", "sec-c"]


def test_files_hold_only_what_sqlite_needs_after_a_fill(compact):
    path = compact.host.directory.open_current().path
    assert path.with_name(path.name + "-wal").stat().st_size < 100_000
    db = sqlite3.connect(path)
    assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = '_replica_unpacked'").fetchone() == (
        0,
    )
    db.close()


def test_compact_tables_and_those_copied_in_part_gain_columns(d1, compact):
    before = file_of(compact)
    change(
        d1,
        compact,
        "ALTER TABLE likes ADD COLUMN source TEXT NOT NULL DEFAULT 'app'",
        "ALTER TABLE sessions ADD COLUMN device TEXT",
        "UPDATE likes SET source = 'web' WHERE user_id = 3",
        "UPDATE sessions SET device = 'phone'",
    )
    compact.sync()
    assert ask(compact, "SELECT source, count(*) FROM likes GROUP BY 1") == [
        ("app", 270),
        ("web", 30),
    ]
    assert ask(compact, "SELECT secret, device FROM sessions ORDER BY 1") == [
        ("sec-a", "phone"),
        ("sec-c", "phone"),
    ]
    Like.objects.using(compact.source).filter(pk=1).delete()
    d1("UPDATE sessions SET ended = 'x' WHERE secret = 'sec-a'")
    compact.sync()
    assert ask(compact, "SELECT count(*) FROM likes") == [299]
    assert ask(compact, "SELECT secret FROM sessions") == ["sec-c"]
    assert file_of(compact) == before
