"""Unions, intersections and differences of more queries than D1 takes in one SELECT."""

import pytest

from tests.d1.functions.engine import rows_of
from tests.d1.functions.test_statistics import Sample, fill


def pick(*values):
    return Sample.objects.filter(value__in=values).values_list("value")


@pytest.fixture(autouse=True)
def _rows():
    fill([(1, value) for value in range(20)])


@pytest.mark.parametrize("count", [2, 5, 6, 9, 10, 19])
def test_a_union_takes_any_number_of_queries(count):
    parts = [pick(i, i + 1) for i in range(count)]
    assert sorted(v for (v,) in rows_of(parts[0].union(*parts[1:]))) == list(range(count + 1))
    assert len(rows_of(parts[0].union(*parts[1:], all=True))) == 2 * count
    ordered = parts[0].union(*parts[1:], all=True).order_by("-value")[:2]
    assert [v for (v,) in rows_of(ordered)] == [count, count - 1]


def test_a_difference_takes_any_number_of_queries():
    parts = [pick(i, i + 1) for i in range(8)]
    assert [v for (v,) in rows_of(pick(*range(12)).difference(*parts))] == [9, 10, 11]


def test_an_intersection_takes_any_number_of_queries():
    parts = [pick(5, 6, i) for i in range(8)]
    assert sorted(v for (v,) in rows_of(parts[0].intersection(*parts[1:]))) == [5, 6]


def test_queries_that_are_known_to_be_empty_are_left_out():
    parts = [pick(1), *[pick()] * 6, pick(2)]
    assert sorted(v for (v,) in rows_of(parts[0].union(*parts[1:]))) == [1, 2]
    alone = pick(1, 2, 3).union(*[pick()] * 6).order_by("-value")[:2]
    assert [v for (v,) in rows_of(alone)] == [3, 2]
    assert [v for (v,) in rows_of(parts[0].difference(*[pick()] * 6))] == [1]
