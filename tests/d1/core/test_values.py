"""Values come back from D1 exactly as they were given to it."""

import datetime
import decimal
import math
import uuid

import pytest
from django.db import DataError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from d1backend.protocol import encoding
from d1backend.protocol.parameters import bind
from d1backend.sql.values import literal
from tests.d1.app.models import Author, Everything

pytestmark = pytest.mark.django_db(transaction=True)

slow = settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))
integers = st.integers(-(2**63), 2**63 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
values = st.one_of(st.none(), integers, floats, texts, st.binary(max_size=400))
rows = st.fixed_dictionaries(
    {
        "big": integers,
        "number": floats,
        "exact": st.decimals(-(10**9), 10**9, places=5),
        "yes": st.booleans(),
        "day": st.dates(),
        "moment": st.datetimes(timezones=st.just(datetime.UTC)),
        "clock": st.times(),
        "span": st.timedeltas(datetime.timedelta(-(10**5)), datetime.timedelta(10**5)),
        "blob": st.binary(max_size=400),
        "text": texts,
        "data": st.recursive(
            st.none() | st.booleans() | integers | texts,
            lambda inner: st.lists(inner, max_size=3),
            max_leaves=5,
        ),
        "uid": st.uuids(),
    }
)


def read(sql, params=()):
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


@slow
@given(rows)
def test_a_row_comes_back_as_it_was_saved(row):
    key = Everything.objects.create(**row).pk
    back = Everything.objects.values(*row).get(pk=key)
    assert back == row
    assert type(back["number"]) is float


@slow
@given(rows)
def test_a_row_of_a_transaction_comes_back_as_it_was_saved(row):
    with transaction.atomic():
        key = Everything.objects.create(**row).pk
        inside = Everything.objects.values(*row).get(pk=key)
    assert inside == row
    assert Everything.objects.values(*row).get(pk=key) == row


@slow
@given(st.lists(rows, min_size=2, max_size=5))
def test_rows_saved_in_bulk_come_back_as_they_were(many):
    made = Everything.objects.bulk_create(Everything(**row) for row in many)
    back = Everything.objects.in_bulk([m.pk for m in made])
    for m, row in zip(made, many, strict=True):
        assert {name: getattr(back[m.pk], name) for name in row} == row


@slow
@given(st.lists(values, min_size=1, max_size=4))
def test_parameters_keep_value_and_type(given_values):
    holders = ", ".join(f"typeof(%s), %s IS {literal(v)}" for v in given_values)
    (found,) = read(f"SELECT {holders}", [p for v in given_values for p in (v, v)])
    kinds = {int: "integer", float: "real", str: "text", bytes: "blob", type(None): "null"}
    assert list(found) == [x for v in given_values for x in (kinds[type(v)], 1)]


@slow
@given(st.lists(values, min_size=101, max_size=130))
def test_more_parameters_than_d1_takes_travel_all_the_same(given_values):
    cases = " UNION ALL ".join("SELECT %s" for _ in given_values[:1])
    found = read(
        f"SELECT * FROM ({cases}) WHERE 1 IN ({', '.join('%s' for _ in given_values)}, 1)",
        [
            given_values[0],
            *given_values,
        ],
    )
    assert found == [(given_values[0],)]


def test_numbers_bind_as_what_they_are():
    assert read("SELECT 7/%s, %s || '', json_array(%s)", [2, 5, 5]) == [(3, "5", "[5]")]


def test_an_integer_beyond_2_to_the_53_is_exact_in_raw_results():
    assert read("SELECT %s, %s", [2**53 + 1, -(2**63)]) == [(2**53 + 1, -(2**63))]


def test_infinity_can_be_stored_and_compared():
    Everything.objects.create(number=math.inf)
    assert Everything.objects.filter(number__gt=1e308).count() == 1


def test_text_with_half_a_character_is_refused_in_plain_words():
    with pytest.raises(DataError, match="half a character"):
        Everything.objects.create(text="\ud800")


def test_a_decimal_and_a_uuid_are_stored_as_django_does_on_sqlite():
    Everything.objects.create(exact=decimal.Decimal("1.5"), uid=uuid.UUID(int=1), yes=True)
    assert read("SELECT exact, uid, yes FROM app_everything") == [(1.5, "0" * 31 + "1", 1)]


def test_a_percent_sign_is_unescaped_with_parameters_and_left_alone_without():
    assert read("SELECT '%%', %s", ["x"]) == [("%", "x")]
    with connection.cursor() as cursor:
        cursor.execute("SELECT '%%'")
        assert cursor.fetchall() == [("%%",)]


def test_parameters_may_be_named():
    assert read("SELECT %(a)s, %(b)s, %(a)s", {"a": 1, "b": "x"}) == [(1, "x", 1)]


def test_thousands_of_keys_in_a_filter_work():
    Author.objects.bulk_create(Author(name=f"n{i}") for i in range(300))
    names = [f"n{i}" for i in range(0, 6000, 2)]
    assert Author.objects.filter(name__in=names).count() == 150
    assert Author.objects.filter(score__in=range(20_000)).count() == 300
    assert len(Author.objects.in_bulk(list(Author.objects.values_list("pk", flat=True)))) == 300


def test_a_statement_longer_than_d1_takes_is_refused_with_advice():
    with pytest.raises(DataError, match="100,000"):
        read("SELECT " + "1 + " * 30_000 + "1")


def test_a_literal_holds_no_way_out():
    assert literal("x' OR 1=1 --") == "'x'' OR 1=1 --'"
    assert bind("SELECT %s", ["x' OR 1=1 --"]) == ("SELECT ?1", ["x' OR 1=1 --"])


def test_a_carried_result_that_was_cut_short_is_an_error_and_no_result():
    with pytest.raises(Exception, match="cut"):
        encoding.carried('[[["t1"]]')


def test_raw_sql_gives_dates_times_booleans_and_floats_as_their_columns_are_declared():
    row = {
        "day": datetime.date(2026, 11, 25),
        "moment": datetime.datetime(2026, 11, 25, 14, 30, 0, 5),
        "clock": datetime.time(14, 30),
        "yes": True,
        "number": 5.0,
    }
    Everything.objects.create(**{**row, "moment": row["moment"].replace(tzinfo=datetime.UTC)})
    columns = ", ".join(row)
    plain = tuple(row.values())
    qualified = ", ".join(f'e."{name}" AS x{i}' for i, name in enumerate(row))
    assert repr(read(f"SELECT {columns} FROM app_everything")) == repr([plain])
    assert repr(read(f"SELECT {qualified} FROM app_everything e")) == repr([plain])
    assert read("SELECT day || '' AS day, upper(clock) FROM app_everything") == [("2026-11-25", "14:30:00")]
    with transaction.atomic():
        Everything.objects.update(text="x")
        assert repr(read(f"SELECT {columns} FROM app_everything")) == repr([plain])
    starred = dict(zip(_columns_of("app_everything"), read("SELECT * FROM app_everything")[0], strict=True))
    assert {name: starred[name] for name in row} == row


def test_text_that_is_no_date_in_a_column_of_dates_is_left_as_it_is():
    read("INSERT INTO app_everything (day, clock) VALUES ('someday', '2026-99-99')")
    assert read("SELECT day, clock FROM app_everything") == [("someday", "2026-99-99")]


def _columns_of(table):
    return [name for (name,) in read(f"SELECT name FROM pragma_table_info('{table}')")]
