"""What the backend reads out of a statement's text."""

import pytest

from d1backend.sql.result_columns import ResultColumn, Schema, result_columns
from d1backend.sql.tokenizer import SeveralStatementsError, parse
from d1backend.sql.triggers import parse_trigger


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


_WHOLE = [
    "WITH RECURSIVE a (x, y) AS NOT MATERIALIZED (SELECT DISTINCT t.*, 'b' AS \"c d\" FROM main.t AS u "
    "LEFT JOIN (SELECT 1) v USING (x) WHERE x IN (VALUES (1, 2)) GROUP BY 1 ORDER BY 1 + 1, 2 DESC LIMIT 3) "
    "SELECT a.x, (SELECT y FROM b), CASE x WHEN 1 THEN 2 END z FROM a UNION ALL SELECT * FROM c FOR UPDATE",
    "INSERT OR REPLACE INTO main.t AS u (a, b) VALUES (1, 2), (3, 4) ON CONFLICT (a) DO UPDATE SET b = 1 "
    "RETURNING *, a AS b",
    "UPDATE OR IGNORE t SET (a, b) = (1, 2), c = 3 FROM u WHERE a = [b] RETURNING `a`",
    "DELETE FROM \"t\" WHERE a = 'x' RETURNING a",
    "CREATE TRIGGER IF NOT EXISTS x BEFORE UPDATE OF a ON t WHEN NEW.a BEGIN SELECT RAISE(IGNORE); "
    "UPDATE t SET (a, b) = (SELECT 1, 2), c = 1 WHERE 1; INSERT OR REPLACE INTO u VALUES (1); DELETE FROM v; END",
    "CREATE VIEW v (a, b) AS SELECT * FROM t",
    "PRAGMA table_info(t)",
    "ROLLBACK TO SAVEPOINT x",
    "DROP TABLE IF EXISTS t",
]


@pytest.mark.parametrize("sql", _WHOLE)
def test_a_statement_that_breaks_off_anywhere_is_read(sql):
    """The database says what is wrong with it."""
    columns = (ResultColumn("x", "bool"),)
    for end in range(len(sql)):
        for text in (sql[:end], f"SELECT * FROM ({sql[:end]}", f"WITH x AS ({sql[:end]}) SELECT * FROM x"):
            try:
                parse.uncached(text)
            except SeveralStatementsError:
                continue
            result_columns(text, Schema({"t": columns, "u": columns}, {"v": _WHOLE[5], "c": _WHOLE[5]}))
            parse_trigger(text, "t")
