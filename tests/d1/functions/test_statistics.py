"""Variance and standard deviation agree with Python's exact ones, in aggregates and over windows."""

import statistics

import pytest
from django.db import models
from django.db.models import F, Q, StdDev, Variance, Window
from hypothesis import strategies as st

from tests.d1.functions.engine import connection, proves, rows_of


class Sample(models.Model):
    group = models.IntegerField()
    value = models.FloatField(null=True)

    class Meta:
        app_label = "d1_functions"
        db_table = "d1_functions_sample"


def fill(rows):
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS d1_functions_sample")
        cursor.execute(
            'CREATE TABLE d1_functions_sample (id integer PRIMARY KEY, "group" integer, value real)'
        )
        cursor.executemany('INSERT INTO d1_functions_sample ("group", value) VALUES (%s, %s)', rows)


numbers = st.lists(st.integers(-1000, 1000), min_size=1, max_size=30)


def spreads(**aggregates):
    [(_, *found)] = rows_of(Sample.objects.order_by().values("group").annotate(**aggregates))
    return found


@proves(numbers, st.sampled_from([0, 1, 1e6, 1e9, -1e12]), st.sampled_from([1, 1e-3, 0.1, 1e6]))
def test_the_spread_of_close_values_far_from_zero_keeps_its_digits(values, offset, scale):
    values = [offset + scale * value for value in values]
    fill([(1, value) for value in values] + [(1, None)])
    exact = statistics.pvariance(values)
    # What two values near the offset cannot tell apart, their variance cannot either.
    noise = (abs(offset) * 1e-15) ** 2 + abs(offset) * 1e-15 * exact**0.5
    found = spreads(v=Variance("value"), d=StdDev("value"))
    assert found[0] == pytest.approx(exact, rel=1e-9, abs=1e-18 + noise)
    assert found[1] == pytest.approx(exact**0.5, rel=1e-9, abs=1e-9 + noise**0.5)
    found = spreads(v=Variance("value", sample=True), d=StdDev("value", sample=True))
    if len(values) == 1:
        assert found == [None, None]
    else:
        assert found[0] == pytest.approx(statistics.variance(values), rel=1e-9, abs=1e-18 + noise)
        assert found[1] == pytest.approx(statistics.stdev(values), rel=1e-9, abs=1e-9 + noise**0.5)


@proves(numbers, numbers)
def test_each_group_has_its_own_spread(one, other):
    fill([(1, value) for value in one] + [(2, value) for value in other])
    rows = rows_of(Sample.objects.values("group").annotate(v=Variance("value")).order_by("group"))
    assert [row[1] for row in rows] == pytest.approx([statistics.pvariance(one), statistics.pvariance(other)])


def test_a_filter_and_an_expression_with_parameters_are_heeded():
    fill([(1, 1), (1, 2), (1, 4), (1, 400)])
    tripled = Variance(F("value") * 3 + 10, filter=Q(value__lt=100) & ~Q(group=7))
    assert spreads(v=tripled) == pytest.approx([statistics.pvariance([13, 16, 22])])


def test_the_spread_of_nothing_is_null():
    fill([(1, None)])
    assert spreads(v=Variance("value"), d=StdDev("value")) == [None, None]


def test_windows_have_a_spread():
    fill([(1, 1), (1, 2), (2, 5), (1, 4), (2, 9)])
    spread = Window(Variance("value"), partition_by="group", order_by="id")
    rows = rows_of(Sample.objects.annotate(v=spread).order_by("group", "id").values_list("v"))
    assert [row[-1] for row in rows] == pytest.approx([0, 0.25, 14 / 9, 0, 4])
