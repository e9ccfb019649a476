"""What a transaction is told while it is under way is what SQLite itself would tell."""

import sqlite3

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.django_db(transaction=True)

TABLES = ("child", "parent", "other", "log", "rates")
SCHEMA = (
    "CREATE TABLE parent (id integer PRIMARY KEY, n int UNIQUE)",
    "CREATE TABLE child (id integer PRIMARY KEY, parent int REFERENCES parent (id) ON DELETE CASCADE, n int)",
    "CREATE TABLE other (id integer PRIMARY KEY, n int)",
    "CREATE TABLE log (n int)",
    "CREATE TABLE rates (id integer PRIMARY KEY, n int)",
    "CREATE VIEW totals AS SELECT total(n) AS n FROM child",
    "CREATE TRIGGER note AFTER UPDATE ON other BEGIN INSERT INTO log SELECT new.n + count(*) FROM parent; END",
)
ROWS = (
    *(f"DELETE FROM {table}" for table in TABLES),
    "INSERT INTO parent VALUES (1, 1), (2, 2)",
    "INSERT INTO child VALUES (1, 1, 1), (2, 2, 2)",
    "INSERT INTO other VALUES (1, 1), (2, 2)",
)
WRITES = (
    "INSERT OR IGNORE INTO parent VALUES ({}, {})",
    "INSERT OR IGNORE INTO child SELECT {0}, id, {1} FROM parent ORDER BY id LIMIT 1",
    "INSERT OR IGNORE INTO other VALUES ({}, {})",
    "INSERT INTO log SELECT n FROM totals",
    "INSERT INTO rates (n) VALUES ({})",
    "INSERT INTO log SELECT total(n) FROM rates",
    "UPDATE child SET n = n + (SELECT total(n) FROM rates)",
    "UPDATE other SET n = {1} WHERE id <= {0}",
    "UPDATE child SET n = (SELECT max(n) FROM other) WHERE id <= {}",
    "DELETE FROM parent WHERE id = {}",
    "DELETE FROM log WHERE n > (SELECT count(*) FROM child)",
)
QUESTIONS = (
    *(f"SELECT * FROM {table} ORDER BY 1, 2" for table in TABLES[:3]),
    "SELECT n FROM log ORDER BY rowid",
    "SELECT n FROM totals",
)
small = st.integers(0, 4)
write = st.builds(lambda sql, a, b: sql.format(a, b), st.sampled_from(WRITES), small, small)
step = st.tuples(st.one_of(write, write, st.sampled_from(QUESTIONS)), st.booleans())


@pytest.fixture(scope="module")
def schema(django_db_setup, django_db_blocker):
    def run(*statements):
        with django_db_blocker.unblock(), transaction.atomic(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    run(*SCHEMA)
    yield
    run("DROP VIEW totals", *(f"DROP TABLE {table}" for table in TABLES))


@settings(deadline=None, max_examples=100, suppress_health_check=list(HealthCheck))
@given(st.lists(step, min_size=6, max_size=14))
def test_answers_and_row_counts_in_a_transaction_are_sqlites(schema, steps):
    model = sqlite3.connect(":memory:", isolation_level=None)
    for statement in ("PRAGMA foreign_keys = on", *SCHEMA, *ROWS):
        model.execute(statement)
    with connection.cursor() as cursor:
        with transaction.atomic():
            for statement in ROWS:
                cursor.execute(statement)
        with transaction.atomic():
            for sql, asks_count in (*steps, *((question, False) for question in QUESTIONS)):
                cursor.execute(sql)
                expected = model.execute(sql)
                if sql.startswith("SELECT"):
                    assert cursor.fetchall() == expected.fetchall(), sql
                elif asks_count:
                    assert cursor.rowcount == expected.rowcount, sql
        for question in QUESTIONS:
            cursor.execute(question)
            assert cursor.fetchall() == model.execute(question).fetchall(), question
