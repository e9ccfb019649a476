"""What a cell means: people write yes in many ways, and Excel writes dates as its country does."""

import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from dateutil import parser, tz
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from core.errors import Invalid, invalid_field
from designs.fields import Status

# Yes and no in the languages of Excel (WAHR, VRAI, …) and of people, and the marks of a list that is ticked off.
YES = """
    true yes y 1 x ✓ ✔ ☑ on wahr ja vrai oui verdadero sí si s verdadeiro sim vero waar sant sand tosi kyllä prawda tak
    истина да doğru evet हाँ हां ஆம்
"""
NO = """
    false no n 0 - – ✗ ✘ ☐ off falsch nein faux non falso não nao onwaar nee falskt nej usann falsk nei epätosi ei fałsz
    nie ложь нет yanlış hayır नहीं இல்லை না
"""
STATUSES = {
    Status.PUBLISHED: "published publish public live",
    Status.DRAFT: "draft drafts entwurf",
    Status.ARCHIVED: "archived archive",
    Status.DELETED: "deleted",
}
WHOLE = re.compile(r"([0-9]{1,18})(?:[.,]0+)?")
SCIENTIFIC = re.compile(r"([0-9])(?:[.,]([0-9]+))?[eE]\+?([0-9]{1,2})")
SERIAL = re.compile(r"([2-7][0-9]{4})(?:[.,]([0-9]+))?")  # days as Excel counts them, of 1954 to 2118
SERIAL_START = datetime(1899, 12, 30)  # noqa: DTZ001 – a time on the wall, like every date without an offset
YEAR_FIRST = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})(?:[ T]+(.*))?")
DATE_LENGTH = 64  # characters
# A text that lacks a part of the date takes it from these, so that the two results differ.
DEFAULTS = (datetime(2000, 1, 1), datetime(2001, 2, 2))  # noqa: DTZ001 – see above
AMBIGUOUS = "ambiguous_date"  # the code of the error that asks for the order


class DateOrder(StrEnum):
    """Which of the two numbers of 03/04/2026 is the day."""

    ASK = ""
    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


def folded(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip().casefold())


YES_WORDS, NO_WORDS = ({folded(word) for word in words.split()} for words in (YES, NO))
STATUS_OF = {folded(word): status for status, words in STATUSES.items() for word in words.split()}


def flag_text(text: str) -> str:
    """The text as the API's check knows it: true, false, or what it is where it is neither."""
    word = folded(text)
    return "true" if word in YES_WORDS else "false" if word in NO_WORDS else text


def status_text(text: str) -> str:
    """The name of a status, or the text where it is none."""
    status = STATUS_OF.get(folded(text))
    return str(status.value) if status else text


def id_of(text: str) -> int | None:
    """The id of a design; None for an empty cell. Raises Invalid."""
    if not text:
        return None
    if found := WHOLE.fullmatch(text):
        return int(found[1])
    if found := SCIENTIFIC.fullmatch(text):
        first, decimals, exponent = found[1], found[2] or "", int(found[3])
        if len(decimals.rstrip("0")) <= exponent <= len(decimals):
            return int((first + decimals)[: exponent + 1])
        raise invalid_field(
            "id",
            "Excel has shortened this number. Give the column the format Number, and save the file again.",
        )
    raise invalid_field("id", "This is no number of a design. Leave the cell empty for a new design.")


def moment_in(text: str, order: DateOrder, field: str = "created_at") -> datetime:
    """The time of a cell of the column `field`, in the current time zone if it has no offset.

    Raises Invalid, with the code AMBIGUOUS where two readings fit and `order` is ASK.
    """
    try:
        return with_zone(date_of(text, order, field))
    except (ValueError, OverflowError, TypeError, ArithmeticError, LookupError, AttributeError) as error:
        raise invalid_field(
            field, "This is no date that can be read. Write it like 2026-11-28 or 2026-11-28 14:30."
        ) from error


def date_of(text: str, order: DateOrder, field: str) -> datetime:
    """The time, perhaps without a zone. Raises Invalid or, like dateutil, about anything."""
    if len(text) > DATE_LENGTH:
        raise ValueError(text)
    if found := SERIAL.fullmatch(text):
        days = float(f"{found[1]}.{found[2] or 0}")
        return SERIAL_START + timedelta(seconds=round(days * 24 * 60 * 60))
    if found := YEAR_FIRST.fullmatch(text):
        return year_first(text, found)
    readings = {is_day_first: whole_date(text, is_day_first) for is_day_first in (True, False)}
    if readings[True] != readings[False] and order == DateOrder.ASK:
        raise ambiguous(text, field, readings[True], readings[False])
    return readings[order != DateOrder.MONTH_FIRST]


def year_first(text: str, found: re.Match[str]) -> datetime:
    """A date as ISO 8601 writes it, or with other signs and a time of another kind, which dateutil reads."""
    if day := parse_date(text):
        return datetime.combine(day, time())
    if moment := parse_datetime(text):
        return moment
    day = date(int(found[1]), int(found[2]), int(found[3]))
    return whole_date(f"{day.isoformat()} {found[4] or ''}", is_day_first=False)


def whole_date(text: str, is_day_first: bool) -> datetime:
    """A date with all its parts, read by dateutil. Raises ValueError where one is missing."""
    first, second = (
        parser.parse(text, dayfirst=is_day_first, default=default, tzinfos=known_zone) for default in DEFAULTS
    )
    if first != second:
        raise ValueError(text)
    return first


def known_zone(name: str | None, offset: int | None) -> tzinfo | None:
    """The zone of a text; None without one. dateutil would pass over the name of one that it does not know."""
    if name and offset is None:
        raise ValueError(name)
    if offset is None:
        return None
    return tz.tzoffset(name, offset)


def with_zone(moment: datetime) -> datetime:
    aware = timezone.make_aware(moment) if timezone.is_naive(moment) else moment
    return aware.astimezone(UTC)


def ambiguous(text: str, field: str, day_first: datetime, month_first: datetime) -> Invalid:
    first, second = (f"{moment.day} {moment:%B %Y}" for moment in (day_first, month_first))
    sentence = f"{text} may be {first} or {second}. Say which comes first in this file, the day or the month."
    return invalid_field(field, sentence, code=AMBIGUOUS)
