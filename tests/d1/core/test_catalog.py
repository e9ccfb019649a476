"""What the backend learns from the schema, however it is written: cascades, unique indexes, triggers, views."""

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from tests.d1.app.models import Author, Book

pytestmark = pytest.mark.django_db(transaction=True)


def run(sql, params=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


@pytest.fixture
def schema():
    """Runs statements that make a schema, and drops what they made."""
    made = []

    def make(*statements):
        for statement in statements:
            run(statement)
            words = statement.replace("VIRTUAL ", "").replace("\n", " ").replace("UNIQUE ", "").split()
            made.append(f"DROP {words[1]} IF EXISTS {words[2]}")

    yield make
    for statement in reversed(made):
        run(statement)


def test_a_type_counts_only_where_the_value_comes_from_the_column():
    User.objects.create_user("a")
    sql = "WITH s AS (SELECT count(*) + 4 AS is_active FROM auth_user) SELECT is_active FROM s"
    assert repr(run(sql)) == "[(5,)]"
    assert repr(run("SELECT is_active FROM auth_user")) == "[(True,)]"
    with transaction.atomic():
        User.objects.create_user("b")
        assert repr(run(sql)) == "[(6,)]"
        assert repr(run("SELECT is_active FROM (SELECT is_active FROM auth_user)")) == "[(True,), (True,)]"
        assert (
            repr(run("UPDATE auth_user SET is_active = 0 RETURNING is_active, id AS is_staff")[0][0])
            == "False"
        )
    assert (
        repr(run("UPDATE auth_user SET is_active = 1 RETURNING is_active + 4 AS is_staff")) == "[(5,), (5,)]"
    )
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO app_author (name, score) VALUES ('x', 1) RETURNING *")
        assert [column[0] for column in cursor.description] == ["id", "name", "score"]


@pytest.mark.parametrize(
    "clause", ["ON\nDELETE CASCADE", "ON/**/DELETE/**/SET NULL", "on delete set default"]
)
def test_a_cascade_is_seen_however_it_is_written(schema, clause):
    schema(
        "CREATE TABLE parent (id INTEGER PRIMARY KEY, k INTEGER)",
        f"CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parent (id) {clause})",
    )
    run("INSERT INTO parent VALUES (1, 1)")
    run("INSERT INTO child VALUES (1, 1)")
    with transaction.atomic():
        run("DELETE FROM parent")
        assert run("SELECT count(*) FROM child WHERE parent = 1") == [(0,)]
        transaction.set_rollback(True)


@pytest.mark.parametrize("index", ["CREATE\nUNIQUE INDEX one ON marks (label)", "CREATE TABLE unmarked (x)"])
def test_a_unique_index_is_seen_however_it_is_written(schema, index):
    schema("CREATE TABLE marks (id INTEGER PRIMARY KEY, label TEXT)", index)
    run("INSERT INTO marks VALUES (1, 'a')")
    run("SELECT 1 FROM marks")
    table = connection.connection.session.catalog().tables["marks"]
    assert table.constrained is ("UNIQUE" in index)


def test_an_index_on_an_expression_without_parentheses_may_reject_a_row(schema):
    schema(
        "CREATE TABLE doc (id INTEGER PRIMARY KEY, j TEXT)", "CREATE INDEX by_name ON doc (j ->> '$.name')"
    )
    run("SELECT 1")
    assert connection.connection.session.catalog().tables["doc"].may_reject


def test_a_full_text_table_changes_with_the_table_that_it_reads(schema):
    schema(
        "CREATE TABLE words (id INTEGER PRIMARY KEY, label TEXT)",
        "CREATE VIRTUAL TABLE found USING fts5(label, content='words', content_rowid='id')",
    )
    run("INSERT INTO words VALUES (1, 'a')")
    run("INSERT INTO found (found) VALUES ('rebuild')")
    with transaction.atomic():
        run("UPDATE words SET label = 'b'")
        assert run("SELECT label FROM found") == [("b",)]
        run("INSERT INTO found (rowid, label) VALUES (7, 'new')")
        assert run("SELECT count(*) FROM found_docsize") == [(2,)]
        transaction.set_rollback(True)


TAKES_AWAY = {
    "deletes": "CREATE TRIGGER t AFTER INSERT ON app_book BEGIN "
    "DELETE FROM app_author WHERE id = NEW.author_id + 0; END",
    "changes the key": "CREATE TRIGGER t AFTER INSERT ON app_book BEGIN "
    "UPDATE app_author SET (name, id) = ('moved' || id, id + 1000); END",
    "replaces": "CREATE TRIGGER t AFTER INSERT ON app_book BEGIN "
    "INSERT OR REPLACE INTO app_author (id, name, score) VALUES (999, 'kept', 0); END",
}


@pytest.mark.parametrize("how", TAKES_AWAY)
@pytest.mark.parametrize("locking", [True, False])
def test_a_row_that_a_trigger_takes_away_is_known_no_longer(schema, how, locking):
    Author.objects.create(name="kept")
    connection.close()
    schema(TAKES_AWAY[how])
    with transaction.atomic():
        authors = Author.objects.select_for_update() if locking else Author.objects
        author = authors.get(name="kept") if locking else Author.objects.create(name="new")
        if how == "replaces":
            run("UPDATE app_author SET name = 'kept' WHERE id = %s", [author.pk]) if locking else None
        run(
            "INSERT INTO app_book (title, price, author_id) VALUES ('x', 1, %s)",
            [999 if how == "replaces" else author.pk],
        )
        count = Author.objects.filter(pk=author.pk).update(score=3)
        there = Author.objects.filter(pk=author.pk).count()
        assert count == there
        Book.objects.all().delete()


@pytest.mark.parametrize("read", ["for update", "in the transaction", "before"])
def test_a_trigger_that_ignores_a_change_hides_the_row(schema, read):
    author = Author.objects.create(name="A")
    schema(
        "CREATE TRIGGER t BEFORE UPDATE OF score ON app_author WHEN NEW.score = 13 BEGIN SELECT RAISE(IGNORE); END"
    )
    with transaction.atomic():
        if read != "before":
            authors = Author.objects.select_for_update() if read == "for update" else Author.objects
            author = authors.get()
        assert Author.objects.filter(pk=author.pk).update(score=13) == 0
    assert Author.objects.get().score == 0


@pytest.mark.parametrize("read", [True, False])
def test_a_row_that_a_trigger_deletes_was_known_by_reading_or_asking(schema, read):
    author = Author.objects.create(name="A")
    schema("CREATE TRIGGER t AFTER INSERT ON app_tag BEGIN DELETE FROM app_author; END")
    with transaction.atomic():
        if read:
            author = Author.objects.get()
        assert Author.objects.filter(pk=author.pk).update(score=1) == 1
        run("INSERT INTO app_tag (label) VALUES ('x')")
        assert Author.objects.filter(pk=author.pk).update(score=2) == 0
    assert not Author.objects.exists()


def test_a_known_row_stays_known_where_triggers_leave_its_key(schema):
    author = Author.objects.create(name="A")
    schema(
        "CREATE TRIGGER t AFTER INSERT ON app_book BEGIN UPDATE app_author SET score = score + 1 "
        "WHERE id = NEW.author_id; END"
    )
    Author.objects.count()
    before = connection.round_trips
    with transaction.atomic():
        author = Author.objects.select_for_update().get()
        run("INSERT INTO app_book (title, price, author_id) VALUES ('x', 1, %s)", [author.pk])
        assert Author.objects.filter(pk=author.pk).update(name="C") == 1
    assert connection.round_trips - before == 2
    author.refresh_from_db()
    assert (author.name, author.score) == ("C", 1)


def test_a_replaced_row_is_no_longer_known():
    with transaction.atomic():
        author = Author.objects.create(name="A")
        run("INSERT OR REPLACE INTO app_author (id, name, score) VALUES (%s, 'A', 1)", [author.pk + 500])
        assert Author.objects.filter(pk=author.pk).update(score=2) == 0
    with pytest.raises(IntegrityError):
        Author.objects.create(name="A")
