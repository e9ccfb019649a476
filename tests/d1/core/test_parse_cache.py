"""What the parser keeps is limited in bytes."""

import gc
import tracemalloc

from d1backend.sql.tokenizer import parse

LIMIT = 8_000_000


def statement(number, columns):
    wanted = ", ".join(f'"t{number}"."column_{i}" AS c{i}' for i in range(columns))
    return f'SELECT {wanted} FROM "t{number}"'


def kept_by(statements):
    """How many bytes more are in use after parsing these statements."""
    gc.collect()
    tracemalloc.start()
    try:
        for sql in statements:
            parse(sql)
        del sql
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def test_many_statements_are_kept_in_eight_megabytes():
    assert kept_by(statement(n, 60) for n in range(1000)) < LIMIT


def test_long_statements_are_kept_in_eight_megabytes():
    assert kept_by(f"INSERT INTO t VALUES ('{n:090000}')" for n in range(120)) < LIMIT


def test_a_statement_used_again_and_again_stays_parsed():
    sql = statement(0, 3)
    parsed = parse(sql)
    for n in range(500):
        parse(f"INSERT INTO t VALUES ('{n:060000}')")
        assert parse(sql) is parsed
    assert parse(sql) is parsed


def test_one_long_statement_displaces_no_other():
    sql = statement(1, 3)
    parsed = parse(sql)
    for n in range(5):
        parse(f"SELECT {n}, '{'x' * 2_000_000}'")
    assert parse(sql) is parsed
