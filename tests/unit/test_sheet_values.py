"""What cells mean, whatever people write into them."""

import math
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.errors import Invalid
from designs.sheets.headers import column_of, headers_of, letters_of
from designs.sheets.values import AMBIGUOUS, DateOrder, flag_text, id_of, moment_in, status_text
from designs.sheets.workbook import text_of

DAYS = st.dates(date(1970, 1, 1), date(2100, 1, 1))


@given(
    DAYS,
    st.sampled_from(
        ["{0.day}/{0.month}/{0.year}", "{0:%d.%m.%Y}", "{0:%d-%m-%Y}", "{0.day}.{0.month}.{0:%Y} 14:30"]
    ),
)
def test_a_date_is_read_in_the_order_that_is_said_or_that_alone_fits(day, form):
    text = form.format(day)
    assert moment_in(text, DateOrder.DAY_FIRST).date() == day
    if day.day > 12 or day.day == day.month:
        assert moment_in(text, DateOrder.ASK).date() == day
        return
    assert moment_in(text, DateOrder.MONTH_FIRST).date() == date(day.year, day.day, day.month)
    with pytest.raises(Invalid) as asked:
        moment_in(text, DateOrder.ASK)
    assert asked.value.code == AMBIGUOUS


@given(DAYS, st.sampled_from(list(DateOrder)))
def test_a_date_with_the_year_or_the_name_of_the_month_fits_one_reading(day, order):
    forms = (
        day.isoformat(),
        f"{day:%Y/%m/%d}",
        f"{day:%d %b %Y}",
        f"{day:%B} {day.day}, {day.year}",
        f"{day}T00:00:00Z",
    )
    for text in forms:
        assert moment_in(text, order) == datetime(day.year, day.month, day.day, tzinfo=UTC)


@given(st.datetimes(datetime(1955, 1, 1), datetime(2118, 1, 1)))
def test_a_number_of_days_is_read_as_excel_counts_them(moment):
    days = (moment - datetime(1899, 12, 30)) / timedelta(days=1)
    assert abs(moment_in(repr(days), DateOrder.ASK).replace(tzinfo=None) - moment) <= timedelta(seconds=1)


@given(st.one_of(st.text(max_size=80), st.text(alphabet="0123456789/.-: TZ+apmJanFebDienstag,", max_size=40)))
@example("1/2/2026 10:00 IST")
@example("14:30")
@example("Monday")
@example("31/02/2026")
@example("2026-13-05")
def test_what_is_no_date_is_refused_and_never_more(text):
    with suppress(Invalid):
        assert moment_in(text, DateOrder.ASK).tzinfo is UTC


@pytest.mark.parametrize(
    "text", ["1/2/2026 10:00 IST", "14:30", "Monday", "Nov 2026", "2026", "31/02/2026", "x" * 99]
)
def test_a_part_of_a_date_is_none(text):
    with pytest.raises(Invalid, match="no date"):
        moment_in(text, DateOrder.DAY_FIRST)


@given(st.integers(0, 10**15))
def test_an_id_is_read_as_spreadsheets_write_numbers(number):
    assert id_of(str(number)) == id_of(f"{number}.0") == id_of(f"{number},00") == number
    assert id_of(text_of(float(number))) == number


@pytest.mark.parametrize(
    ("text", "number"), [("1.00E+02", 100), ("1,23E+02", 123), ("5E+00", 5), ("1.0E+1", 10)]
)
def test_a_scientific_number_is_an_id_where_it_has_all_digits(text, number):
    assert id_of(text) == number


@pytest.mark.parametrize("text", ["1.23E+05", "1.234E+02", "1E+2", "1.5", "-1", "x", "1e", "9" * 19, "٣x"])
def test_what_is_no_id_is_refused(text):
    with pytest.raises(Invalid) as refused:
        id_of(text)
    assert list(refused.value.fields) == ["id"]


@given(st.text(max_size=12))
def test_words_that_are_none_stay_as_they_are(text):
    assert flag_text(text) in ("true", "false", text)
    assert status_text(text) in ("draft", "published", "archived", "deleted", text)


@pytest.mark.parametrize(
    ("words", "flag"),
    [("TRUE WAHR Ja YES Sí si\u0301 x ✓ हाँ ИСТИНА 1", "true"), ("FALSE falsch nein Não no 0 नहीं N", "false")],
)
def test_yes_and_no_are_read_in_the_languages_of_excel(words, flag):
    assert {flag_text(f" {word} ") for word in words.split()} == {flag}


@pytest.mark.parametrize("name", ["Colour", "COLOR", " colour\u00a0", "Co-lour", "ＣＯＬＯＵＲ"])
def test_names_of_columns_do_not_depend_on_case_and_signs(name):
    assert column_of(name) == "colour"


@given(st.lists(st.text(max_size=6), max_size=8))
def test_a_row_of_names_is_read_or_refused(names):
    with suppress(Invalid):
        known = [column for column in headers_of(1, names).columns if column]
        assert len(known) == len(set(known)) > 0


def test_columns_have_the_letters_of_a_spreadsheet():
    assert [letters_of(place) for place in (0, 25, 26, 51, 52, 701, 702)] == [
        "A",
        "Z",
        "AA",
        "AZ",
        "BA",
        "ZZ",
        "AAA",
    ]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_of_a_workbook_keep_their_value(number):
    assert math.isclose(float(text_of(number)), number, abs_tol=0)
