"""The readers of what the seed's columns hold take anything, and refuse in one way."""

import datetime
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.validators import validate_username
from operations.seed.users import allowed, canonical
from operations.seed.values import flag, identity, moment, text_of, whole

cells = st.one_of(
    st.none(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.text(), st.binary(), st.datetimes().map(str)
)


@given(cells)
def test_any_cell_is_read_or_refused_by_a_value_error(cell):
    for read in (flag, identity, moment, whole):
        with suppress(ValueError):
            read(cell)
    text = text_of(cell)
    assert text == text.strip()
    assert "\0" not in text
    text.encode()


@given(st.datetimes(datetime.datetime(1901, 1, 1), datetime.datetime(8999, 1, 1)))
def test_times_are_utc_unless_they_say_otherwise(when):
    expected = when.replace(tzinfo=datetime.UTC)
    for written in (str(when), when.isoformat(), f"{when.isoformat()}Z", f"{when}+00:00"):
        assert moment(written) == expected
    assert moment(str(when.date())) == datetime.datetime.combine(
        when.date(), datetime.time.min, tzinfo=datetime.UTC
    )


def test_a_number_counts_seconds_or_milliseconds():
    assert moment(1_714_558_830) == moment(1_714_558_830_000.0) == moment("2024-05-01 10:20:30")


@pytest.mark.parametrize(
    "cell",
    [
        *("0000-00-00 00:00:00", "2024-13-01", "soon", "1-1-1", 1e30, -1e30, float("nan")),
        # The first and the last second that Python knows, which no time zone can show.
        *(-62_135_596_800, 253_402_300_799_000, -3_000_000_000),
    ],
)
def test_what_is_no_time_is_refused(cell):
    with pytest.raises(ValueError):  # noqa: PT011 – any text
        moment(cell)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (1, True),
        (0, False),
        (1.0, True),
        ("TRUE", True),
        ("f", False),
        (None, False),
        ("", False),
        (b"1", True),
    ],
)
def test_flags_are_read_however_they_are_written(cell, expected):
    assert flag(cell) is expected


@given(st.text(min_size=1, max_size=80))
def test_a_new_name_keeps_the_rule(name):
    if found := allowed(name):
        validate_username(f"{found}-2")
        validate_username(f"{found}-1000000")


def test_bits_that_bcrypt_does_not_read_are_dropped():
    assert canonical("aaaaaaaaaaaaaaaaaaaaav", "salt") == "aaaaaaaaaaaaaaaaaaaaau"
    assert canonical("aaaaaaaaaaaaaaaaaaaaau", "salt") == "aaaaaaaaaaaaaaaaaaaaau"
