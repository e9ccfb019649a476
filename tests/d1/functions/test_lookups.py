"""Lookups and set operations beyond D1's limits answer as those within."""

import re
from functools import reduce
from operator import or_, xor

import pytest
from django.db.models import CharField, F, Q, Value
from django.db.models.functions import Concat, Upper
from django.db.models.lookups import Exact
from django.test import override_settings
from hypothesis import example
from hypothesis import strategies as st

from tests.d1.functions.engine import matches, proves

alphabet = st.sampled_from([*"abAB%_\\*?['\"", "é", "É", "क", "ı", "ß", "Σ", "𝄞"])
words = st.text(alphabet, max_size=6)
long_words = st.text(alphabet, min_size=40, max_size=60)
KINDS = ["contains", "startswith", "endswith", "icontains", "istartswith", "iendswith", "iexact"]


def ascii_lower(text):
    return re.sub("[A-Z]+", lambda m: m[0].lower(), text)


def fold(text):
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def expected(kind, text, value):
    """LIKE on SQLite ignores the case of ASCII letters in every lookup; the i- forms here that of all."""
    normal = fold if kind.startswith("i") else ascii_lower
    text, value = normal(text), normal(value)
    return {
        "contains": value in text,
        "startswith": text.startswith(value),
        "endswith": text.endswith(value),
        "exact": text == value,
    }[kind.removeprefix("i")]


@proves(st.sampled_from(KINDS), words, words, words)
@example("iexact", "É", "é", "")
@example("endswith", "ab", "xyzab", "")
def test_pattern_lookups_find_the_value_as_it_is_written(kind, before, value, after):
    for text in (before + value + after, before + value, value + after, value, before):
        assert matches(Q(**{f"x__{kind}": value}), x=text) == expected(kind, text, value)


@proves(st.sampled_from(KINDS), words, long_words, words)
def test_a_value_longer_than_a_pattern_may_be_is_found_all_the_same(kind, before, value, after):
    for text in (before + value + after, before + value, value + after, value, before):
        assert matches(Q(**{f"x__{kind}": value}), x=text) == expected(kind, text, value)


@proves(st.sampled_from(KINDS), words, words | long_words, words)
@example("iexact", "", "a%", "")
def test_a_value_may_be_another_column(kind, before, value, after):
    for text in (before + value + after, before + value, value + after, value, before):
        answer = matches(Q(**{f"x__{kind}": F("y")}), x=text, y=value)
        assert answer == expected(kind.removeprefix("i"), text, value)


def test_an_expression_with_parameters_is_compared_unchanged():
    condition = Q(x__iexact=Concat(Value("50%_"), Value("off"), output_field=CharField()))
    assert matches(condition, x="50%_OFF")
    assert not matches(condition, x="50\\%\\_off")


def test_nothing_contains_null():
    assert not matches(Q(x__contains=F("y")), x="a", y=Value(None, CharField()))
    assert not matches(~Q(x__iendswith=F("y")), x="a", y=Value(None, CharField()))


@pytest.mark.parametrize("values", [range(5_000), range(2**62, 2**62 + 5_000)])
def test_a_list_of_thousands_is_searched_exactly(values):
    assert matches(Q(x__in=list(values)), x=values[-1])
    assert not matches(Q(x__in=list(values)), x=values[-1] + 1)
    assert not matches(~Q(x__in=list(values)), x=values[-1])


@proves(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=21, max_size=60, unique=True))
def test_a_list_of_texts_is_searched_exactly(values):
    assert matches(Q(x__in=values), x=values[-1])
    assert not matches(Q(x__in=values), x=max(values) + "a")


@pytest.mark.parametrize("count", [16, 17, 500])
@pytest.mark.parametrize("negated", [False, True])
def test_a_chain_of_conditions_may_be_long(count, negated):
    either = reduce(or_, (Q(x=i) for i in range(count)))
    condition = ~either if negated else either
    assert matches(condition, x=count - 1) is not negated
    assert matches(condition, x=count) is negated


@pytest.mark.parametrize("count", [17, 200])
def test_any_number_of_conditions_may_exclude_each_other(count):
    odd = reduce(xor, (Q(x__lt=i) for i in range(1, count + 1)))
    assert matches(odd, x=count - 1)
    assert not matches(odd, x=count - 2)


def test_a_lookup_of_ones_own_keeps_its_sql():
    class Loud(Exact):
        def as_sql(self, compiler, connection):
            sql, params = super().as_sql(compiler, connection)
            return f"NOT {sql}", params

    assert matches(Q(Loud(Upper(F("x")), "A")), x="b")


@override_settings(USE_TZ=True)
def test_regular_expressions_are_refused_with_what_to_do_instead():
    from django.db import NotSupportedError

    with pytest.raises(NotSupportedError, match=r"no regular expressions.*contains"):
        matches(Q(x__regex="a+"), x="a")
