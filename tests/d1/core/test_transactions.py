"""atomic() on D1: all or nothing, in one round trip, with errors where Django promises them."""

import threading

import pytest
from django.db import (
    IntegrityError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
    connection,
    transaction,
)
from django.db.models import F

from d1backend import update_or_conflict, update_uncounted
from tests.d1.app.models import Author, Book, Stamped, Tag

pytestmark = pytest.mark.django_db(transaction=True)


def in_another_thread(function):
    """Run a function on a connection of its own and return what it returns."""
    results = []

    def run():
        try:
            results.append(function())
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return results[0]


def test_nothing_reaches_the_database_before_the_commit():
    with transaction.atomic():
        Author.objects.create(name="A")
        assert in_another_thread(Author.objects.count) == 0
    assert in_another_thread(Author.objects.count) == 1


def test_an_exception_writes_nothing():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        Author.objects.create(name="A")
        Author.objects.filter(name="A").update(score=1 / 0)
    assert Author.objects.count() == 0


def test_a_transaction_sees_its_own_writes():
    with transaction.atomic():
        author = Author.objects.create(name="A")
        Book.objects.create(title="B", author=author)
        Book.objects.filter(author__name="A").update(title="C")
        assert list(Book.objects.values_list("title", "author__name")) == [("C", "A")]
        Book.objects.all().delete()
        assert not Book.objects.exists()
    assert Author.objects.get().name == "A"


def test_a_savepoint_rolls_back_what_came_after_it():
    with transaction.atomic():
        Author.objects.create(name="kept")
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            Author.objects.create(name="dropped")
            1 / 0  # noqa: B018
        Author.objects.create(name="also kept")
    assert set(Author.objects.values_list("name", flat=True)) == {"kept", "also kept"}


def test_an_inner_block_raises_its_integrity_error_at_its_own_end():
    Author.objects.create(name="A")
    with transaction.atomic():
        with pytest.raises(IntegrityError, match=r"app_author\.name"), transaction.atomic():
            Author.objects.create(name="A")
        Author.objects.create(name="B")
    assert Author.objects.count() == 2


def test_a_null_that_a_column_does_not_take_shows_at_the_statement():
    with transaction.atomic():
        Author.objects.create(name="A")
        with pytest.raises(IntegrityError, match=r"app_author\.name"):
            Author.objects.create(name=None)
    assert not Author.objects.exists()


def test_a_key_of_the_applications_own_choice_that_is_taken_shows_at_the_statement():
    taken = Author.objects.create(name="A").pk
    with transaction.atomic():
        Author.objects.create(name="B", pk=taken + 50)
        with pytest.raises(IntegrityError, match=r"app_author\.id"):
            Author.objects.create(name="C", pk=taken)
    assert Author.objects.get().name == "A"


def test_an_index_on_an_expression_that_sqlite_refuses_shows_at_the_statement():
    with transaction.atomic(), connection.cursor() as cursor:
        with pytest.raises(OperationalError, match="non-deterministic"):
            cursor.execute("CREATE INDEX by_chance ON app_author ((random()))")
        cursor.execute("CREATE INDEX by_name ON app_author ((upper(name)))")
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX by_name")


def test_an_error_shows_at_a_read_that_depends_on_it_and_at_no_other():
    Author.objects.create(name="A")
    with pytest.raises(IntegrityError), transaction.atomic():
        Author.objects.create(name="A")
        Tag.objects.create(label="t")
        assert Tag.objects.get().label == "t"
        list(Author.objects.all())


@pytest.mark.parametrize("write", ["trigger", "cascade", "copy"])
def test_a_read_sees_what_other_tables_writes_did_to_it(write):
    """What a rehearsal leaves out is only what cannot matter."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE source (id integer PRIMARY KEY, n int)")
        cursor.execute("CREATE TABLE target (id int REFERENCES source (id) ON DELETE CASCADE, n int)")
        cursor.execute("CREATE TABLE seen (n int)")
        cursor.execute(
            "CREATE TRIGGER watch AFTER UPDATE ON source BEGIN INSERT INTO seen SELECT new.n + max(score) "
            "FROM app_author; END"
        )
        cursor.execute("INSERT INTO source VALUES (1, 1), (2, 2)")
        cursor.execute("INSERT INTO target VALUES (1, 10), (2, 20)")
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            Author.objects.create(name="A", score=100)
            Tag.objects.create(label="beside the point")
            statement, question, answer = {
                "trigger": ("UPDATE source SET n = 5 WHERE id = 1", "SELECT n FROM seen", [(105,)]),
                "cascade": ("DELETE FROM source WHERE id = 1", "SELECT n FROM target", [(20,)]),
                "copy": (
                    "INSERT INTO target SELECT NULL, score FROM app_author",
                    "SELECT sum(n) FROM target",
                    [(130,)],
                ),
            }[write]
            cursor.execute(statement)
            cursor.execute(question)
            assert cursor.fetchall() == answer
    finally:
        with connection.cursor() as cursor:
            for table in ("target", "source", "seen"):
                cursor.execute(f"DROP TABLE {table}")


def test_what_a_transaction_did_last_can_be_asked_in_sql():
    Author.objects.create(name="A")
    with transaction.atomic(), connection.cursor() as cursor:
        author = Author.objects.create(name="B")
        cursor.execute("SELECT last_insert_rowid(), changes()")
        assert cursor.fetchone() == (author.pk, 1)
        cursor.execute("UPDATE app_author SET score = 3")
        cursor.execute("SELECT changes()")
        assert cursor.fetchone() == (2,)


def test_get_or_create_and_update_or_create_work_inside_a_transaction():
    with transaction.atomic():
        first, made = Author.objects.get_or_create(name="A")
        again, made_again = Author.objects.get_or_create(name="A")
        changed, _ = Author.objects.update_or_create(name="A", defaults={"score": 5})
    assert (made, made_again) == (True, False)
    assert first.pk == again.pk == changed.pk
    assert Author.objects.get().score == 5


def test_a_broken_foreign_key_fails_the_commit_and_leaves_nothing():
    with pytest.raises(IntegrityError), transaction.atomic():
        Author.objects.create(name="A")
        Book.objects.create(title="lost", author_id=12345)
    assert not Author.objects.exists()


def test_the_connection_serves_on_after_a_failed_transaction():
    with pytest.raises(IntegrityError), transaction.atomic():
        Book.objects.create(title="lost", author_id=12345)
    Author.objects.create(name="A")
    with transaction.atomic():
        Author.objects.create(name="B")
    assert Author.objects.count() == 2


@pytest.mark.parametrize(
    "values",
    [{"name": None}, {"name": "low", "score": -2000}, {"name": "there"}],
    ids=["null", "check", "unique"],
)
def test_constraints_raise_integrity_errors(values):
    Author.objects.create(name="there")
    with pytest.raises(IntegrityError):
        Author.objects.create(**values)


def test_row_counts_inside_a_transaction_are_true():
    Author.objects.bulk_create(Author(name=str(i)) for i in range(5))
    with transaction.atomic():
        assert Author.objects.filter(score=0).update(score=1) == 5
        assert Author.objects.filter(score=0).update(score=1) == 0
        deleted, _ = Author.objects.filter(name__in=["0", "1"]).delete()
        assert deleted == 2
    assert Author.objects.count() == 3


def test_saving_a_row_with_a_new_key_of_its_own_inserts_it():
    Author(pk=77, name="A").save()
    with transaction.atomic():
        Author(pk=78, name="B").save()
    assert set(Author.objects.values_list("pk", flat=True)) == {77, 78}


def test_on_commit_runs_after_the_commit_and_only_then():
    ran = []
    with transaction.atomic():
        Author.objects.create(name="A")
        transaction.on_commit(lambda: ran.append(in_another_thread(Author.objects.count)))
        assert ran == []
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        transaction.on_commit(lambda: ran.append("never"))
        1 / 0  # noqa: B018
    assert ran == [1]


def test_durable_blocks_refuse_to_be_nested():
    with transaction.atomic(), pytest.raises(RuntimeError), transaction.atomic(durable=True):
        pass


def test_without_autocommit_commit_and_rollback_are_the_applications():
    transaction.set_autocommit(False)
    try:
        Author.objects.create(name="dropped")
        transaction.rollback()
        Author.objects.create(name="kept")
        transaction.commit()
        Author.objects.create(name="dropped too")
        transaction.rollback()
    finally:
        transaction.set_autocommit(True)
    assert [a.name for a in Author.objects.all()] == ["kept"]


def test_begin_commit_and_rollback_may_be_spelled_in_sql():
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("INSERT INTO app_author (name, score) VALUES ('a', 1)")
        cursor.execute("ROLLBACK")
        cursor.execute("BEGIN")
        cursor.execute("INSERT INTO app_author (name, score) VALUES ('b', 1)")
        cursor.execute("COMMIT")
    assert [a.name for a in Author.objects.all()] == ["b"]


@pytest.mark.parametrize("mode", ["IMMEDIATE", "EXCLUSIVE TRANSACTION"])
def test_a_lock_on_the_database_is_refused_with_what_to_do_instead(mode):
    with connection.cursor() as cursor:
        with pytest.raises(NotSupportedError, match=r"select_for_update.*retry_on_conflict"):
            cursor.execute(f"BEGIN {mode}")
        cursor.execute("INSERT INTO app_author (name, score) VALUES ('a', 1)")
    assert Author.objects.count() == 1


@pytest.mark.parametrize("begin", ["BEGIN DEFERRED", "begin deferred transaction", "BEGIN TRANSACTION"])
def test_a_transaction_that_locks_nothing_may_say_so(begin):
    with connection.cursor() as cursor:
        cursor.execute(begin)
        cursor.execute("INSERT INTO app_author (name, score) VALUES ('a', 1)")
        cursor.execute("END TRANSACTION")
    assert Author.objects.count() == 1


def test_a_begin_of_no_known_kind_is_refused():
    with connection.cursor() as cursor, pytest.raises(OperationalError, match="CONCURRENT"):
        cursor.execute("BEGIN CONCURRENT")


def test_returning_inside_a_transaction_gives_the_rows_touched():
    Author.objects.create(name="A", score=2**60 + 1)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE app_author SET name = name || %s RETURNING name, score", ["!"])
        assert cursor.fetchall() == [("A!", 2**60 + 1)]
        cursor.execute(
            "INSERT INTO app_author (name, score) VALUES ('B', 5), ('C', 6) RETURNING name AS n, id"
        )
        assert [row[0] for row in cursor.fetchall()] == ["B", "C"]
        assert [column[0] for column in cursor.description] == ["n", "id"]
        cursor.execute("DELETE FROM app_author WHERE score < 10 RETURNING name")
        assert sorted(cursor.fetchall()) == [("B",), ("C",)]
    assert [a.name for a in Author.objects.all()] == ["A!"]


@pytest.mark.parametrize("many", [1, 3])
def test_defaults_that_the_database_computes_are_stored_as_they_were_told(many):
    with transaction.atomic():
        made = [Stamped(name=f"n{i}") for i in range(many)]
        if many == 1:
            made[0].save()
        else:
            Stamped.objects.bulk_create(made)
    assert {(s.pk, s.at, s.loud) for s in made} == set(Stamped.objects.values_list("pk", "at", "loud"))
    assert made[0].loud == "N0"
    assert len({s.at for s in made}) == many


def test_a_read_through_a_view_or_a_trigger_sees_what_the_transaction_wrote():
    with connection.cursor() as cursor:
        cursor.execute("CREATE VIEW shouting AS SELECT upper(name) AS name FROM app_author")
        cursor.execute("CREATE TABLE written (name text)")
        cursor.execute(
            "CREATE TRIGGER note AFTER INSERT ON app_author BEGIN INSERT INTO written VALUES (new.name); END"
        )
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            Author.objects.create(name="a")
            cursor.execute("SELECT name FROM shouting")
            assert cursor.fetchall() == [("A",)]
            cursor.execute("SELECT * FROM written")
            assert cursor.fetchall() == [("a",)]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER note")
            cursor.execute("DROP TABLE written")
            cursor.execute("DROP VIEW shouting")


def test_row_counts_leave_out_what_triggers_write():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE written (name text)")
        cursor.execute(
            "CREATE TRIGGER note AFTER UPDATE ON app_author BEGIN INSERT INTO written VALUES (new.name); END"
        )
    try:
        Author.objects.create(name="a")
        assert Author.objects.update(score=F("score") + 1) == 1
        with transaction.atomic():
            assert Author.objects.update(score=F("score") + 1) == 1
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER note")
            cursor.execute("DROP TABLE written")


def test_a_cursor_of_a_closed_connection_is_of_no_use():
    cursor = connection.cursor()
    connection.close()
    with pytest.raises(ProgrammingError, match="closed database"):
        cursor.execute("DELETE FROM app_author")


def test_several_statements_in_one_execute_are_refused():
    with connection.cursor() as cursor, pytest.raises(ProgrammingError, match="one statement"):
        cursor.execute("SELECT 1; DELETE FROM app_author")


@pytest.mark.parametrize("outer", ["known", "expected", "uncounted"])
def test_a_statement_of_an_execute_wrapper_takes_no_hint_of_the_one_it_wraps(outer):
    """Auditing wrappers run SQL of their own, whose row count is theirs."""
    Author.objects.create(name="b")
    counts = []

    def audit(execute, sql, params, many, context):
        if sql.startswith("UPDATE") and not counts:
            counts.append(None)
            with connection.cursor() as cursor:
                for name in ("b", "nobody"):
                    cursor.execute("UPDATE app_author SET score = 5 WHERE name = %s", [name])
                    counts.append(cursor.rowcount)
        return execute(sql, params, many, context)

    with transaction.atomic():
        author = Author.objects.create(name="a")
        rows = Author.objects.filter(pk=author.pk)
        with connection.execute_wrapper(audit):
            if outer == "known":
                rows.update(score=1)
            elif outer == "expected":
                update_or_conflict(rows, score=1)
            else:
                update_uncounted(rows, score=1)
    assert counts == [None, 1, 0]
    assert dict(Author.objects.values_list("name", "score")) == {"a": 1, "b": 5}
