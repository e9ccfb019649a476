"""Text, mathematical and JSON functions answer as Django's SQLite backend does, in D1's terms."""

import math
import random
from decimal import Decimal
from functools import reduce
from operator import add, mul

import pytest
from django.db import NotSupportedError
from django.db.models import CharField, F, IntegerField, Value
from django.db.models import functions as fn
from django.db.models.expressions import CombinedExpression
from hypothesis import example
from hypothesis import strategies as st

from tests.d1.functions.engine import proves, value_of

# SQLite's text ends at a NUL for length(); half characters do not reach it.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
fills = texts.filter(bool)
lengths = st.integers(0, 40)


@proves(texts, lengths, fills)
def test_padding_fills_up_or_cuts(text, length, fill):
    left = value_of(fn.LPad("x", length, Value(fill)), x=text)
    right = value_of(fn.RPad("x", length, Value(fill)), x=text)
    missing = max(length - len(text), 0)
    assert left == (fill * length)[:missing] + text[:length]
    assert right == (text + fill * length)[:length]


@proves(texts, st.integers(0, 20))
def test_repeat_and_reverse_go_by_characters(text, count):
    assert value_of(fn.Repeat("x", count), x=text) == text * count
    assert value_of(fn.Reverse("x"), x=text) == text[::-1]


@pytest.mark.parametrize(
    "expression",
    [fn.LPad("x", 3), fn.RPad("x", 3), fn.Repeat("x", 3), fn.Reverse("x"), fn.LPad(Value("a"), F("x"))],
)
def test_what_is_made_of_null_is_null(expression):
    assert value_of(expression, x=Value(None, CharField())) is None


@proves(st.lists(st.none() | texts, min_size=2, max_size=150))
def test_concat_takes_any_number_of_texts(parts):
    values = [Value(part, CharField()) for part in parts]
    assert value_of(fn.Concat(*values)) == "".join(part or "" for part in parts)


@pytest.mark.parametrize("function", [fn.MD5, fn.SHA1, fn.SHA224, fn.SHA256, fn.SHA384, fn.SHA512])
def test_hashes_are_refused_with_what_to_do_instead(function):
    with pytest.raises(NotSupportedError, match=f"no {function.__name__}.*hashlib"):
        value_of(function("x"), x="a")


@proves(st.floats(-1e6, 1e6, allow_subnormal=False).filter(lambda x: abs(math.sin(x)) > 1e-9))
def test_cotangent_is_one_over_tangent(x):
    assert value_of(fn.Cot("x"), x=x) == pytest.approx(1 / math.tan(x), rel=1e-12)


@proves(st.floats(-1e9, 1e9))
def test_ceil_and_sign_are_pythons(x):
    assert value_of(fn.Ceil("x"), x=x) == math.ceil(x)
    assert value_of(fn.Sign("x"), x=x) == (x > 0) - (x < 0)


def test_powers_work_as_function_and_as_operator():
    assert value_of(fn.Power("x", 3), x=5) == 125
    assert value_of(F("x") ** 3, x=5) == 125


@proves(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
@example(0, 2**63 - 512)
@example(-1, 2**63 - 512)
def test_bitwise_xor_is_exact_to_64_bits(one, other):
    combined = CombinedExpression(F("x"), "#", F("y"), output_field=IntegerField())
    assert value_of(combined, x=one, y=other) == one ^ other


def test_negative_precision_is_refused_as_on_sqlite():
    with pytest.raises(ValueError, match="negative precision"):
        value_of(fn.Round("x", -1), x=365)


@pytest.mark.parametrize("count", [32, 33, 300])
def test_a_sum_and_a_product_take_any_number_of_terms(count):
    numbers = [Value(i) for i in range(count)]
    assert value_of(reduce(add, numbers, F("x")), x=1) == sum(range(count)) + 1
    assert value_of(reduce(mul, [Value(Decimal("1"))] * count, F("x")), x=Decimal("2.5")) == Decimal("2.5")


def test_random_lies_between_0_and_1_and_differs():
    found = {value_of(fn.Random()) for _ in range(20)}
    assert len(found) > 1
    assert all(0 <= value < 1 for value in found)


@pytest.mark.parametrize("count", [2, 32, 33, 100, 1000])
def test_variadic_functions_take_any_number_of_arguments(count):
    numbers = random.Random(count).sample(range(10 * count), count)
    assert value_of(fn.Greatest(*map(Value, numbers))) == max(numbers)
    assert value_of(fn.Least(*map(Value, numbers))) == min(numbers)
    nothing = [Value(None, IntegerField())] * (count - 1)
    assert value_of(fn.Coalesce(*nothing, Value(7))) == 7


@pytest.mark.parametrize("count", [1, 16, 17, 100])
def test_json_objects_and_arrays_take_any_number_of_members(count):
    members = {f'key "{i}" é\\': [1, "a\"'", 0.5, None][i % 4] for i in range(count)}
    values = {key: Value(value, None if value else CharField()) for key, value in members.items()}
    assert value_of(fn.JSONObject(**values)) == members
    inner = fn.JSONArray(*values.values(), fn.JSONObject(**values))
    assert value_of(fn.JSONArray(inner)) == [[*members.values(), members]]
