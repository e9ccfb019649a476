"""Columns are named and typed as SQLite does: a type counts only where the value comes from a column of that type."""

import random
import sqlite3

import django.db.backends.sqlite3.base  # noqa: F401 (registers the converters of raw SQL)
import pytest

from d1backend.sql.catalog import QUERY, Catalog
from d1backend.sql.converters import convert_rows, shown_name

_SCHEMA = """
CREATE TABLE user (id INTEGER PRIMARY KEY, is_active bool NOT NULL, Joined date, "odd ""name" bool);
CREATE TABLE post (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES user, is_active bool, at datetime, n INTEGER);
CREATE TABLE pair (a varchar(5), b bool, PRIMARY KEY (a, b));
CREATE TABLE number (is_active INTEGER, id INTEGER);
CREATE VIEW active AS SELECT id AS key, is_active, Joined FROM user WHERE is_active;
CREATE VIEW renamed (x, y) AS SELECT p.at, count(*) AS is_active FROM post p GROUP BY 1;
INSERT INTO user VALUES (1, 1, '2024-01-02', 0);
INSERT INTO post VALUES (5, 1, 1, '2024-01-02 03:04:05', 1);
INSERT INTO pair VALUES ('x', 1);
INSERT INTO number VALUES (1, 1);
"""


@pytest.fixture
def database():
    connection = sqlite3.connect(
        ":memory:", detect_types=sqlite3.PARSE_DECLTYPES | sqlite3.PARSE_COLNAMES, isolation_level=None
    )
    connection.executescript(_SCHEMA)
    yield connection
    connection.close()


@pytest.fixture
def plain(tmp_path):
    """The same database read without types, as D1's answers come."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(_SCHEMA)
    yield connection
    connection.close()


def ours(plain, sql):
    catalog = Catalog(plain.execute(QUERY).fetchall())
    rows = plain.execute(sql).fetchall()
    columns = catalog.result_columns(sql)
    assert columns is not None, sql
    return [shown_name(c.name) for c in columns], convert_rows(columns, rows)


def theirs(database, sql):
    cursor = database.execute(sql)
    return [column[0] for column in cursor.description], cursor.fetchall()


STATEMENTS = [
    "WITH s AS (SELECT count(*) AS is_active FROM user) SELECT is_active FROM s",
    "WITH user AS (SELECT 7 AS is_active) SELECT is_active FROM user",
    "WITH user AS (SELECT 7 AS is_active) SELECT is_active FROM main.user",
    "SELECT is_active FROM (SELECT count(*) AS is_active FROM user)",
    "SELECT is_active FROM (SELECT is_active FROM user)",
    "SELECT x.is_active FROM (SELECT id AS is_active FROM user) x, user",
    "SELECT count(*) AS is_active FROM user",
    "SELECT id AS is_active FROM user",
    "SELECT is_active AS id FROM user",
    "SELECT is_active + 0 FROM user",
    "SELECT (is_active), ((user.is_active)), -is_active, NOT is_active FROM user",
    "SELECT is_active FROM number WHERE 1 IN (SELECT id FROM user)",
    "SELECT user.is_active, number.is_active FROM user, number",
    "SELECT u.is_active, n.is_active FROM user AS u JOIN number n ON n.id = u.id",
    "SELECT user.is_active FROM number user",
    "SELECT number.is_active FROM user AS number",
    "SELECT * FROM user, number",
    "SELECT n.*, u.* FROM user u LEFT OUTER JOIN number n ON u.id = n.id AND n.is_active",
    "SELECT * FROM user JOIN number USING (id)",
    "SELECT * FROM number NATURAL JOIN user",
    "SELECT id, is_active FROM user JOIN number USING (id, is_active)",
    "SELECT * FROM (SELECT * FROM user u, post p)",
    "SELECT * FROM (user JOIN post ON post.user_id = user.id)",
    "SELECT p.at FROM (user u JOIN post p ON p.user_id = u.id)",
    "SELECT *, 1 AS is_active FROM post",
    "SELECT is_active FROM active",
    "SELECT * FROM active",
    "SELECT * FROM renamed",
    "SELECT a.joined, r.X FROM active a, renamed AS r",
    "SELECT (SELECT is_active FROM user), (SELECT count(*) FROM user) AS is_active",
    "SELECT (SELECT u.is_active FROM number) FROM user u",
    "SELECT is_active FROM user UNION SELECT id FROM number",
    "SELECT id FROM number UNION ALL SELECT is_active FROM user",
    "SELECT * FROM (SELECT is_active FROM user UNION ALL SELECT id FROM number)",
    "SELECT * FROM (SELECT id FROM number UNION ALL SELECT is_active FROM user)",
    "WITH a (x, y) AS (SELECT is_active, id FROM user), b AS (SELECT y, x FROM a) SELECT * FROM b",
    "WITH RECURSIVE c (n) AS (SELECT is_active FROM user UNION ALL SELECT n + 1 FROM c WHERE n < 3) SELECT n FROM c",
    'SELECT [is_active], `joined`, "odd ""name" FROM user',
    "SELECT rowid, oid, _rowid_, ROWID FROM user",
    "SELECT ROWID FROM number",
    "SELECT id AS 'd [bool]', 1 AS \"x [date]\" FROM user WHERE 0",
    'SELECT id AS "yes [bool]", is_active AS "no [unknown]" FROM user',
    "SELECT DISTINCT u.is_active, max(p.at), min(joined) m FROM user u, post p GROUP BY u.is_active",
    "SELECT CASE WHEN is_active THEN is_active END, CASE id WHEN 1 THEN 2 END x FROM user",
    "SELECT is_active IS NULL, is_active ISNULL, is_active NOTNULL, row_number() OVER w FROM user WINDOW w AS ()",
    "SELECT main.user.is_active, user.joined FROM main.user",
    "SELECT b, a, 'b' FROM pair",
    "SELECT e.value, u.is_active, key FROM user u, json_each('[1]') e",
    "VALUES (1, 2)",
    "SELECT * FROM (VALUES (1, 2))",
    "SELECT is_active FROM user ORDER BY is_active LIMIT 1",
    "SELECT is_active -- FROM number\n, /* , */ joined /* x */ FROM user -- WHERE",
    "SELECT u.is_active FROM user u NOT INDEXED JOIN post p ON p.user_id = u.id",
    "SELECT joined, at FROM (user a NATURAL JOIN number b), post c",
    "SELECT * FROM ((user a JOIN number b USING (id)) JOIN post c USING (id))",
]


@pytest.mark.parametrize("sql", STATEMENTS)
def test_values_and_names_are_those_of_djangos_sqlite(sql, database, plain):
    assert repr(ours(plain, sql)) == repr(theirs(database, sql))


def test_random_statements_are_read_as_sqlite_does(database, plain):
    """Subqueries, joins and common table expressions nested at random."""
    chance = random.Random(12)
    compared = 0
    for _ in range(1200):
        sql = _select(chance, 3)
        try:
            expected = theirs(database, sql)
        except sqlite3.OperationalError:
            continue
        assert repr(ours(plain, sql)) == repr(expected), sql
        compared += 1
    assert compared > 150


def _select(chance, depth):
    source = chance.choice(["user", "post", "number", "active", "renamed", "s"])
    if depth and chance.random() < 0.5:
        source = f"({_select(chance, depth - 1)})"
    alias = chance.choice(["", " a", " AS number", " user"])
    join = chance.choice(["", "", ", user b", " JOIN post b ON 1", " NATURAL JOIN number"])
    where = chance.choice(["", " WHERE 1", " WHERE is_active IN (SELECT id FROM user)", " ORDER BY 1"])
    names = [
        "*",
        "is_active",
        "id AS is_active",
        "a.is_active",
        "b.*",
        "count(*) AS n",
        "user.is_active x",
        "at",
    ]
    items = ", ".join(chance.sample(names, chance.randint(1, 2)))
    head = f"WITH s AS ({_select(chance, 0)}) " if depth == 3 and chance.random() < 0.5 else ""
    return f"{head}SELECT {items} FROM {source}{alias}{join}{where}"
