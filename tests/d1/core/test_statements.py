"""What the backend reads out of a statement's text."""

import pytest

from d1backend.sql.tokenizer import SeveralStatementsError, parse


def names(sql):
    return [column.name for column in parse(sql).columns]


def test_columns_are_named_as_sqlite_names_them():
    assert names('SELECT "t"."a", count(*) AS n, lower(b), c d, 1 + 2 FROM t') == [
        "a",
        "n",
        "lower(b)",
        "d",
        "1 + 2",
    ]
    assert names("WITH x AS (SELECT 1, 2) SELECT DISTINCT a, (SELECT 1, 2 FROM y) AS z FROM x") == ["a", "z"]
    assert names("SELECT CASE WHEN a THEN b END, 'x, y FROM' FROM t") == [
        "CASE WHEN a THEN b END",
        "'x, y FROM'",
    ]
    assert names("VALUES (1, 2), (3, 4)") == ["column1", "column2"]


def test_a_star_has_no_names():
    assert parse("SELECT * FROM t").starred
    assert parse('SELECT a, "t".* FROM t').starred
    assert not parse("SELECT count(*) FROM t").starred


@pytest.mark.parametrize(
    ("sql", "verb", "table"),
    [
        ('INSERT INTO "a b" (x) VALUES (1)', "INSERT", "a b"),
        ("INSERT OR IGNORE INTO main.t DEFAULT VALUES", "INSERT", "t"),
        ("UPDATE OR REPLACE t SET x = 1", "UPDATE", "t"),
        ("DELETE FROM [t] WHERE x IN (SELECT 1)", "DELETE", "t"),
        ("REPLACE INTO t VALUES (1)", "REPLACE", "t"),
        ("WITH q AS (SELECT 1) UPDATE t SET x = (SELECT * FROM q)", "UPDATE", "t"),
    ],
)
def test_a_write_names_its_table(sql, verb, table):
    assert (parse(sql).kind, parse(sql).verb, parse(sql).table) == ("write", verb, table)


def test_returning_is_found_only_where_it_is_a_clause():
    assert parse("INSERT INTO t (a) VALUES ('RETURNING x') RETURNING a, b AS c").columns[1].name == "c"
    assert parse("INSERT INTO t (a) VALUES ('RETURNING x')").columns is None


def test_several_statements_are_refused_but_a_trigger_is_one():
    with pytest.raises(SeveralStatementsError):
        parse("SELECT 1; SELECT 2")
    assert parse("SELECT ';' -- ; \n;").kind == "read"
    assert (
        parse("CREATE TRIGGER x AFTER INSERT ON t BEGIN DELETE FROM a; DELETE FROM b; END").kind == "schema"
    )
