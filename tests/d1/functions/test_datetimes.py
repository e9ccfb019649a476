"""Dates, times and zones in SQL answer as Python's own date arithmetic does."""

from datetime import UTC, datetime, time, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from django.db import OperationalError
from django.db.backends.sqlite3 import _functions as reference
from hypothesis import example
from hypothesis import strategies as st

from d1backend.functions.datetimes import DateTimeOperations
from tests.d1.functions.engine import connection, evaluate, proves

TRUNCATIONS = ["year", "quarter", "month", "week", "day"]
TIME_TRUNCATIONS = ["hour", "minute", "second"]
EXTRACTIONS = [
    *("year", "quarter", "month", "week", "day", "hour", "minute", "second", "microsecond"),
    *("iso_year", "week_day", "iso_week_day"),
]
ZONES = [
    *("UTC", "Asia/Kolkata", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Pacific/Apia"),
    *("Africa/Casablanca", "Asia/Gaza", "Africa/Monrovia", "Europe/Amsterdam", "America/Sao_Paulo"),
    *("UTC+05:30", "UTC-09:30", "-03:00"),
]
# A zone may take a moment at either end of the calendar out of Python's range.
moments = st.datetimes(datetime(1, 1, 4), datetime(9999, 12, 27))
recent = st.datetimes(datetime(1880, 1, 1), datetime(2140, 1, 1))
zones = st.sampled_from(ZONES)


@proves(moments | recent, st.sampled_from(TRUNCATIONS), st.none() | zones)
@example(datetime(2024, 3, 31, 1, 30), "day", "Europe/London")
@example(datetime(2024, 12, 30, 23, 59, 59, 999999), "week", None)
@example(datetime(1883, 11, 18, 17, 0, 1), "day", "America/New_York")
def test_truncation_to_a_day_or_more_is_pythons(moment, kind, zone):
    names = (zone, "UTC") if zone else (None, None)
    sql, params = connection.ops.datetime_trunc_sql(kind, "t.x", (), zone)
    assert evaluate(sql, params, str(moment)) == reference._sqlite_datetime_trunc(kind, str(moment), *names)
    sql, params = connection.ops.date_trunc_sql(kind, "t.x", (), zone)
    assert evaluate(sql, params, str(moment)) == reference._sqlite_date_trunc(kind, str(moment), *names)


@proves(moments | recent, st.sampled_from(TIME_TRUNCATIONS), st.none() | zones)
def test_truncation_to_less_than_a_day_is_pythons(moment, kind, zone):
    names = (zone, "UTC") if zone else (None, None)
    sql, params = connection.ops.datetime_trunc_sql(kind, "t.x", (), zone)
    assert evaluate(sql, params, str(moment)) == reference._sqlite_datetime_trunc(kind, str(moment), *names)
    sql, params = connection.ops.time_trunc_sql(kind, "t.x", (), zone)
    assert evaluate(sql, params, str(moment)) == reference._sqlite_time_trunc(kind, str(moment), *names)


@proves(moments | recent, st.sampled_from(EXTRACTIONS), st.none() | zones)
@example(datetime(2024, 12, 30), "iso_year", None)
@example(datetime(2021, 1, 3, 23, 30), "week", "Asia/Kolkata")
def test_extraction_is_pythons(moment, kind, zone):
    names = (zone, "UTC") if zone else (None, None)
    sql, params = connection.ops.datetime_extract_sql(kind, "t.x", (), zone)
    assert evaluate(sql, params, str(moment)) == reference._sqlite_datetime_extract(kind, str(moment), *names)


@proves(moments | recent, st.none() | zones)
def test_the_date_and_the_time_of_a_datetime_are_pythons(moment, zone):
    names = (zone, "UTC") if zone else (None, None)
    sql, params = connection.ops.datetime_cast_date_sql("t.x", (), zone)
    assert evaluate(sql, params, str(moment)) == reference._sqlite_datetime_cast_date(str(moment), *names)
    sql, params = connection.ops.datetime_cast_time_sql("t.x", (), zone)
    assert evaluate(sql, params, str(moment)) == reference._sqlite_datetime_cast_time(str(moment), *names)


@proves(recent, st.sampled_from(["Europe/Paris", "America/New_York", "Asia/Kolkata", "Pacific/Apia"]), zones)
@example(datetime(2024, 10, 27, 2, 30), "Europe/Paris", "America/New_York")
@example(datetime(2024, 3, 31, 2, 30), "Europe/Paris", "UTC")
def test_a_connection_may_store_the_local_time_of_a_zone(moment, stored, zone):
    ops = DateTimeOperations()
    ops.connection = SimpleNamespace(timezone_name=stored)
    sql, params = ops.datetime_trunc_sql("second", "t.x", (), zone)
    utc = moment.replace(tzinfo=ZoneInfo(stored)).astimezone(UTC).replace(tzinfo=None)
    expected = reference._sqlite_datetime_trunc("second", str(utc), zone, "UTC")
    assert evaluate(sql, params, str(moment)) == expected


@proves(st.times(), st.sampled_from([*TIME_TRUNCATIONS, "microsecond"]))
def test_parts_of_a_time_are_pythons(moment, kind):
    sql, params = connection.ops.time_extract_sql(kind, "t.x", ())
    assert evaluate(sql, params, str(moment)) == getattr(moment, kind)
    if kind != "microsecond":
        sql, params = connection.ops.time_trunc_sql(kind, "t.x", ())
        assert evaluate(sql, params, str(moment)) == reference._sqlite_time_trunc(
            kind, str(moment), None, None
        )


@pytest.mark.parametrize("text", [None, "", "no date"])
@pytest.mark.parametrize("zone", [None, "Asia/Kolkata", "America/New_York"])
def test_what_is_no_date_has_no_parts(text, zone):
    for kind in ("year", "week", "hour"):
        sql, params = connection.ops.datetime_extract_sql(kind, "t.x", (), zone)
        assert evaluate(sql, params, text) is None
    sql, params = connection.ops.datetime_trunc_sql("week", "t.x", (), zone)
    assert evaluate(sql, params, text) is None


@pytest.mark.parametrize("kind", ["decade", "year'; DROP TABLE t; --"])
def test_an_unknown_part_is_refused_before_it_reaches_the_sql(kind):
    ops = connection.ops
    for method, args in (
        (ops.datetime_trunc_sql, (None,)),
        (ops.date_trunc_sql, ()),
        (ops.time_trunc_sql, ()),
        (ops.datetime_extract_sql, (None,)),
        (ops.time_extract_sql, ()),
    ):
        with pytest.raises(OperationalError, match="Unsupported lookup type"):
            method(kind, "t.x", (), *args)


def test_an_unknown_zone_is_refused():
    with pytest.raises(ZoneInfoNotFoundError):
        connection.ops.datetime_trunc_sql("day", "t.x", (), "Asia/Atlantis")


def test_the_parameters_of_an_expression_are_passed_as_often_as_it_occurs():
    for zone in (None, "UTC+01:00", "America/New_York"):
        sql, params = connection.ops.datetime_trunc_sql(
            "quarter", "coalesce(t.x, %s)", ("2024-05-05 12:00:00",), zone
        )
        assert sql.count("%s") == len(params)
        assert evaluate(sql, params, None) == "2024-04-01 00:00:00"


durations = st.timedeltas(timedelta(days=-100_000), timedelta(days=100_000))


def microseconds(duration):
    return duration // timedelta(microseconds=1)


@proves(st.datetimes(datetime(1600, 1, 1), datetime(3000, 1, 1)), durations, st.sampled_from("+-"))
@example(datetime(1969, 12, 31, 23, 59, 59, 999999), timedelta(microseconds=1), "+")
def test_a_datetime_moves_by_a_duration_to_the_microsecond(moment, duration, sign):
    sql = connection.ops.combine_duration_expression(sign, ["t.x", "%s"])
    moved = moment + duration if sign == "+" else moment - duration
    assert evaluate(sql, [microseconds(duration)], str(moment)) == str(moved)
    if sign == "+":
        sql = connection.ops.combine_duration_expression(sign, ["%s", "t.x"])
        assert evaluate(sql, [microseconds(duration)], str(moment)) == str(moved)


@proves(st.dates(datetime(1600, 1, 1).date(), datetime(3000, 1, 1).date()), durations, st.sampled_from("+-"))
def test_a_date_moves_by_whole_days(day, duration, sign):
    sql = connection.ops.combine_duration_expression(sign, ["t.x", "%s"])
    moved = day + duration if sign == "+" else day - duration
    assert evaluate(sql, [microseconds(duration)], str(day)) == str(moved)


@proves(st.times(), durations, st.sampled_from("+-"))
def test_a_time_goes_round_the_clock(moment, duration, sign):
    start = datetime.combine(datetime(2000, 1, 1), moment)
    sql = connection.ops.combine_duration_expression(sign, ["t.x", "%s"])
    moved = start + duration if sign == "+" else start - duration
    assert evaluate(sql, [microseconds(duration)], str(moment)) == str(moved.time())


@proves(moments, moments)
def test_the_difference_of_datetimes_is_exact(one, other):
    sql, params = connection.ops.subtract_temporals("DateTimeField", ("t.x", ()), ("%s", (str(other),)))
    assert evaluate(sql, params, str(one)) == microseconds(one - other)


@proves(st.times(), st.times())
def test_the_difference_of_times_is_exact(one, other):
    sql, params = connection.ops.subtract_temporals("TimeField", ("t.x", ()), ("%s", (str(other),)))
    day = datetime(2000, 1, 1)
    assert evaluate(sql, params, str(one)) == microseconds(
        datetime.combine(day, one) - datetime.combine(day, other)
    )


def test_midnight_and_durations_divided_are_as_in_python():
    sql = connection.ops.combine_duration_expression("/", ["t.x", "%s"])
    assert evaluate(sql, [2], 3) == 1.5
    sql = connection.ops.combine_duration_expression("+", ["t.x", "%s"])
    assert evaluate(sql, [1.5], str(time.min)) == "00:00:00.000002"
