"""Time zones as SQL: the UTC offset at a moment, as a CASE over the periods of a zone.

SQLite knows only UTC and the host's zone, so the periods come from Python's zoneinfo. They are exact for
every year of Python's datetime: changes are listed until the zone only repeats itself, and a later year uses
the listed year with the same calendar.
"""

import re
from calendar import isleap
from datetime import datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (naive UTC throughout)
# No zone of the tz database changes before 1840; the two closest changes are four days apart
# (Africa/Freetown, 1939); the last irregular ones announced are Morocco's and Gaza's, in 2087.
_FIRST_YEAR, _LAST_YEAR = 1840, 2150
_STEP = 3 * 86_400
_BLOCK = 16
_FIXED = re.compile(r"(?P<name>.*?)(?P<sign>[+-])(?P<h>\d{1,2})(?::?(?P<m>\d{2}))?(?::?(?P<s>\d{2}))?")

Changes = tuple[tuple[int, int], ...]


class Zone(NamedTuple):
    """Offsets in seconds east of UTC: the first one, and the one that begins at each moment (a Unix time).

    ``years`` maps a kind of year (weekday and number of its last day, as strftime's ``%w%j``) to the start of
    a listed year of that kind; ``end`` is the start of the first year that is not listed itself.
    """

    first: int
    changes: Changes
    end: int
    years: tuple[tuple[str, int], ...]


class Shift(NamedTuple):
    """The way from UTC to a local time: fixed seconds, then a zone with changes, if any."""

    seconds: int
    zone: Zone | None


def _year_start(year: int) -> int:
    return (datetime(year, 1, 1) - _EPOCH).days * 86_400  # noqa: DTZ001


def _kind(year: int) -> str:
    last = datetime(year, 12, 31)  # noqa: DTZ001
    return f"{last.isoweekday() % 7}{366 if isleap(year) else 365}"


def _changes(zone: ZoneInfo) -> tuple[int, Changes]:
    def offset(moment: int) -> int:
        utc = _EPOCH + timedelta(seconds=moment)
        local = zone.fromutc(utc.replace(tzinfo=zone)).replace(tzinfo=None)
        return round((local - utc).total_seconds())

    moment = _year_start(_FIRST_YEAR)
    first = before = offset(moment)
    found = []
    while moment < _year_start(_LAST_YEAR):
        after = offset(moment + _STEP)
        if after != before:
            low, high = moment, moment + _STEP
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == before else (low, middle)
            found.append((high, after))
        moment, before = moment + _STEP, after
    return first, tuple(found)


def _listed(first: int, changes: Changes) -> Zone:
    """Keep the changes up to where the zone repeats itself, with an index for later years."""
    by_year: dict[int, list[tuple[int, int]]] = {}
    for moment, offset in changes:
        year = (_EPOCH + timedelta(seconds=moment)).year
        by_year.setdefault(year, []).append((moment - _year_start(year), offset))
    regular: dict[str, list[tuple[int, int]]] = {}
    year = _LAST_YEAR - 1
    while year > 1970 and regular.setdefault(_kind(year), by_year.get(year, [])) == by_year.get(year, []):
        year -= 1
    # The last irregular year passes its offset on to the next one's beginning, so start one year later.
    start = year + 2
    years: dict[str, int] = {}
    while len(years) < 14:
        years.setdefault(_kind(start), _year_start(start))
        start += 1
    end = _year_start(start)
    kept = tuple(c for c in changes if c[0] < end)
    return Zone(first, kept, end, tuple(years.items()) if any(regular.values()) else ())


@cache
def from_utc(name: str) -> Shift:
    """Return the way from UTC to a zone's local time, or to a fixed offset such as "UTC+05:30".

    Raises ZoneInfoNotFoundError if the name is neither.
    """
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        match = _FIXED.fullmatch(name)
        if not match:
            raise
        seconds = sum(int(match[k] or 0) * n for k, n in (("h", 3600), ("m", 60), ("s", 1)))
        base = from_utc(match["name"]) if match["name"] else Shift(0, None)
        return Shift(base.seconds + (seconds if match["sign"] == "+" else -seconds), base.zone)
    first, changes = _changes(zone)
    return Shift(0, _listed(first, changes)) if changes else Shift(first, None)


@cache
def to_utc(name: str) -> Shift:
    """Return the way from a zone's naive local time to UTC; subtract the offsets.

    A time that occurs twice is the first of the two; a skipped time has the offset before the change, as in
    Python with ``fold=0``.
    """
    first, changes = _changes(ZoneInfo(name))
    if not changes:
        return Shift(first, None)
    before, local = first, []
    for moment, after in changes:
        local.append((moment + max(before, after), after))
        before = after
    return Shift(0, _listed(first, tuple(local)))


def offset_sql(zone: Zone, seconds: str) -> str:
    """Return SQL of the zone's offset at ``seconds``, the SQL of a Unix time; it is repeated many times."""
    blocks = [zone.changes[i : i + _BLOCK] for i in range(0, len(zone.changes), _BLOCK)]
    offsets = [zone.first, *(offset for _, offset in zone.changes)]
    cases = []
    for number, block in enumerate(blocks):
        inner = "".join(
            f" WHEN {seconds}<{moment} THEN {offsets[number * _BLOCK + i]}"
            for i, (moment, _) in enumerate(block)
        )
        following = offsets[(number + 1) * _BLOCK] if number + 1 < len(blocks) else offsets[-1]
        limit = f"WHEN {seconds}<{blocks[number + 1][0][0]} THEN" if number + 1 < len(blocks) else "ELSE"
        cases.append(f" {limit} CASE{inner} ELSE {following} END")
    return f"CASE{''.join(cases)} END" if len(cases) > 1 else cases[0].removeprefix(" ELSE ")


def listed_sql(zone: Zone, seconds: str) -> str:
    """Return SQL of a moment within the listed changes that has the same offset as ``seconds``."""
    if not zone.years:
        return seconds
    start = f"{seconds}, 'unixepoch', 'start of year'"
    kinds = " ".join(f"WHEN '{kind}' THEN {moment}" for kind, moment in zone.years)
    return (
        f"CASE WHEN {seconds}<{zone.end} THEN {seconds} ELSE {seconds} - unixepoch({start})"
        f" + CASE strftime('%%w%%j', {start}, '+11 months', '+30 days') {kinds} END END"
    )
