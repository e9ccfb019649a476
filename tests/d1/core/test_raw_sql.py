"""SQL written by hand: comments, names, and parameters mean what they mean on SQLite, in atomic() too."""

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.d1.app.models import Author, Book

pytestmark = pytest.mark.django_db(transaction=True)


def rows(sql, params=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def names(sql, params=None):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [column[0] for column in cursor.description]


@pytest.mark.parametrize("end", [" -- all of them", "; -- all of them", " /* all", ";\n-- done\n;", "-- x\n"])
def test_a_statement_may_end_in_a_comment(end):
    with transaction.atomic():
        Author.objects.create(name="A", score=2**60)
        assert rows(f"SELECT name FROM app_author{end}") == [("A",)]
        assert [a.name for a in Author.objects.raw(f"SELECT * FROM app_author{end}")] == ["A"]
        assert rows(f"SELECT name FROM app_author WHERE score > %s FOR UPDATE{end}", [1]) == [("A",)]
        rows(f"UPDATE app_author SET name = 'B' RETURNING id{end}")
    assert rows(f"SELECT score FROM app_author WHERE name = 'B'{end}") == [(2**60,)]
    rows(f"UPDATE app_author SET score = 1{end}")
    assert Author.objects.get().score == 1


@pytest.mark.parametrize("sql", ["SELECT -- x", "SELECT", "SELECT /* x", "VALUES", "SELECT DISTINCT"])
def test_a_statement_that_ends_too_early_is_an_operational_error(sql):
    for inside in (False, True):
        with pytest.raises(OperationalError, match="incomplete input"), transaction.atomic(savepoint=inside):
            if inside:
                Author.objects.create(name="A")
                rows("SELECT name FROM app_author")
            rows(sql)


def test_columns_of_one_name_keep_it_in_a_rehearsal():
    sql = "SELECT * FROM app_book b JOIN app_author a ON a.id = b.author_id ORDER BY b.id LIMIT 5"
    outside = names(sql)
    assert outside == ["id", "title", "author_id", "price", "id", "name", "score"]
    with transaction.atomic():
        Author.objects.create(name="A")
        assert names(sql) == outside
        assert names(f"{sql} FOR UPDATE") == outside
        assert names(sql.replace("LIMIT 5", "-- LIMIT")) == outside
        rows("CREATE TABLE other (id, name)")
        assert names(sql) == outside
        assert names("SELECT * FROM other a, other b, other c") == ["id", "name"] * 3
        transaction.set_rollback(True)


def test_columns_are_named_as_declared_in_a_rehearsal_too():
    statements = [
        "SELECT ID, Name AS n, app_author.SCORE FROM app_author",
        "SELECT rowid, (name) FROM app_author",
        "SELECT count(*) /* all */, 1 + /* one */ 1, name /* it */ FROM app_author",
        "SELECT max(score), /* the largest */ min(score) FROM app_author",
        'SELECT x.A FROM (SELECT name AS "A" FROM app_author) x',
    ]
    outside = [names(sql) for sql in statements]
    assert outside[0] == ["id", "n", "score"]
    with transaction.atomic():
        Author.objects.create(name="A")
        assert [names(sql) for sql in statements] == outside


@pytest.mark.parametrize("column", ["straße", "ŉ", "ﬁrst", "ſet", "İ"])
def test_a_column_may_have_any_letters(column):
    rows(f"CREATE TABLE streets (id INTEGER PRIMARY KEY, {column} TEXT)")
    try:
        rows(f"INSERT INTO streets ({column}) VALUES ('FOR UPDATE')")
        with transaction.atomic():
            sql = f"SELECT {column} FROM streets WHERE {column} = 'FOR UPDATE'"
            assert rows(f"{sql} FOR UPDATE") == [("FOR UPDATE",)]
            assert rows(f"UPDATE streets SET {column} = 'x' RETURNING {column}") == [("x",)]
        assert rows(f"SELECT {column} FROM streets") == [("x",)]
    finally:
        rows("DROP TABLE streets")


def test_a_mapping_may_hold_more_than_the_statement_uses():
    with CaptureQueriesContext(connection) as queries:
        params = {"n": "A", "unused": "B", "strange": object()}
        assert rows("SELECT %(n)s, %(n)s, '%%'", params) == [("A", "A", "%")]
    assert "'A', 'A', '%'" in queries[0]["sql"]
    assert rows("SELECT %(a)s, %(b)s", {f"{c}": c for c in "abcdefgh"}) == [("a", "b")]


def test_a_number_by_name_is_never_the_position_of_a_column():
    Author.objects.create(name="B", score=1)
    Author.objects.create(name="A", score=2)
    sql = "SELECT name FROM app_author ORDER BY %(one)s, id"
    assert (
        rows(sql, {"one": 1}) == rows("SELECT name FROM app_author ORDER BY %s, id", [1]) == [("B",), ("A",)]
    )


def test_an_escaped_percent_sign_may_stand_before_a_placeholder():
    assert rows("SELECT 7 %%%s", [4]) == rows("SELECT 7 %%%(n)s", {"n": 4}) == [(3,)]


def test_nothing_but_a_comment_does_nothing():
    for sql in ("-- nothing", "", " ; ", "/* x */"):
        with connection.cursor() as cursor:
            cursor.execute(sql)
            assert cursor.description is None
        with transaction.atomic():
            Book.objects.count()
            rows(sql)
