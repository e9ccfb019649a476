"""Dates, times and datetimes: extraction, truncation and conversion between time zones, in SQL.

Django's SQLite backend does this with Python functions inside SQLite. The SQL here works on the same text,
``YYYY-MM-DD[ HH:MM:SS[.ffffff]]`` and ``HH:MM:SS[.ffffff]``, and gives the same answers. SQLite's own date
functions count in milliseconds and round, so they are given whole seconds, and fractions stay text.
"""

from collections.abc import Callable, Sequence

from django.conf import settings
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from d1backend.functions.sql import Compiled, Parameter, let
from d1backend.functions.zones import from_utc, listed_sql, offset_sql, to_utc

Params = Sequence[Parameter]

# Modifiers of SQLite that lead to the Monday on or before a day and to the Thursday of its ISO week.
_MONDAY = ", '-6 days', 'weekday 1'"
_THURSDAY = ", '-3 days', 'weekday 4'"

# A subquery with an OFFSET is computed once; SQLite would copy any other into each place that uses it.
_APART = " LIMIT 1 OFFSET 0"

_EXTRACT: dict[str, str] = {
    "year": "CAST(strftime('%%Y', {t}) AS INTEGER)",
    "month": "CAST(strftime('%%m', {t}) AS INTEGER)",
    "day": "CAST(strftime('%%d', {t}) AS INTEGER)",
    "hour": "CAST(strftime('%%H', {t}) AS INTEGER)",
    "minute": "CAST(strftime('%%M', {t}) AS INTEGER)",
    "second": "CAST(strftime('%%S', {t}) AS INTEGER)",
    "quarter": "((strftime('%%m', {t}) + 2) / 3)",
    "week_day": "(strftime('%%w', {t}) + 1)",
    "iso_week_day": "((strftime('%%w', {t}) + 6) %% 7 + 1)",
    "iso_year": f"CAST(strftime('%%Y', {{t}}{_THURSDAY}) AS INTEGER)",
    "week": f"((strftime('%%j', {{t}}{_THURSDAY}) - 1) / 7 + 1)",
}
_DATE_TRUNC: dict[str, str] = {
    "year": "strftime('%%Y-01-01{rest}', {t})",
    "quarter": (
        "(strftime('%%Y-', {t}) || substr('01040710', (strftime('%%m', {t}) - 1) / 3 * 2 + 1, 2)"
        " || '-01{rest}')"
    ),
    "month": "strftime('%%Y-%%m-01{rest}', {t})",
    "week": f"strftime('%%Y-%%m-%%d{{rest}}', {{t}}{_MONDAY})",
    "day": "strftime('%%Y-%%m-%%d{rest}', {t})",
}
_TIME_FORMATS = {"hour": "%%H:00:00", "minute": "%%H:%%M:00", "second": "%%H:%%M:%%S"}


def _unsupported(kind: str) -> OperationalError:
    # SQLite's backend raises the same class for an unknown kind.
    return OperationalError(f"Unsupported lookup type: {kind!r}")


def microseconds_sql(x: str, after: int = 20) -> str:
    """Return SQL of the microseconds of a datetime's text, or of a time's with ``after=9``, as an integer."""
    return f"CAST(substr(substr({x}, {after + 1}) || '000000', 1, 6) AS INTEGER)"


class DateTimeOperations:
    """The date and time methods of ``DatabaseOperations``; mix in before Django's SQLite class."""

    connection: BaseDatabaseWrapper

    def _zone_names(self, tzname: str | None) -> tuple[str, str] | None:
        if not tzname or not settings.USE_TZ or tzname == self.connection.timezone_name:
            return None
        return tzname, self.connection.timezone_name

    def _local(self, sql: str, params: Params, tzname: str | None, body: Callable[[str], str]) -> Compiled:
        """Apply ``body`` to the arguments that give SQLite's date functions the local time of ``sql``.

        If the offset never changes, one modifier is enough; otherwise derived tables around the expression
        name the Unix time and its offsets.
        """
        names = self._zone_names(tzname)
        if names is None:
            return let([(sql, params)], lambda x: body(f"substr({x}, 1, 19)"))
        outward, inward = from_utc(names[0]), to_utc(names[1])
        if not outward.zone and not inward.zone:
            shift = outward.seconds - inward.seconds
            return let([(sql, params)], lambda x: body(f"substr({x}, 1, 19), '{shift:+d} seconds'"))

        def steps(x: str) -> str:
            seconds = f"SELECT unixepoch(substr({x}, 1, 19)) AS _u"
            for sign, shift in (("-", inward), ("+", outward)):
                if shift.seconds:
                    seconds = f"SELECT _u {sign} ({shift.seconds}) AS _u FROM ({seconds})"
                if shift.zone:
                    seconds = f"SELECT _u, {listed_sql(shift.zone, '_u')} AS _v FROM ({seconds}){_APART}"
                    seconds = (
                        f"SELECT _u {sign} {offset_sql(shift.zone, '_v')} AS _u FROM ({seconds}){_APART}"
                    )
            local = body("_u, 'unixepoch'")
            return f"(SELECT {local} FROM ({seconds}))"

        return let([(sql, params)], steps)

    def date_extract_sql(self, lookup_type: str, sql: str, params: Params) -> Compiled:
        return self.datetime_extract_sql(lookup_type, sql, params, None)

    def datetime_extract_sql(
        self, lookup_type: str, sql: str, params: Params, tzname: str | None
    ) -> Compiled:
        kind = lookup_type.lower()
        if kind == "microsecond":  # zones are whole seconds apart
            return microseconds_sql(sql), tuple(params)
        if kind not in _EXTRACT:
            raise _unsupported(kind)
        return self._extract(kind, sql, params, tzname)

    def _extract(self, kind: str, sql: str, params: Params, tzname: str | None) -> Compiled:
        # The comment names the formula to people who read a log.
        return self._local(
            sql, params, tzname, lambda t: f"/* extract {kind} */ " + _EXTRACT[kind].format(t=t)
        )

    def time_extract_sql(self, lookup_type: str, sql: str, params: Params) -> Compiled:
        kind = lookup_type.lower()
        if kind == "microsecond":
            return microseconds_sql(sql, after=9), tuple(params)
        if kind not in _TIME_FORMATS:
            raise _unsupported(kind)
        return self._extract(kind, sql, params, None)

    def date_trunc_sql(
        self, lookup_type: str, sql: str, params: Params, tzname: str | None = None
    ) -> Compiled:
        kind = lookup_type.lower()
        if kind not in _DATE_TRUNC:
            raise _unsupported(kind)
        return self._local(sql, params, tzname, lambda t: _DATE_TRUNC[kind].format(t=t, rest=""))

    def datetime_trunc_sql(self, lookup_type: str, sql: str, params: Params, tzname: str | None) -> Compiled:
        kind = lookup_type.lower()
        if kind in _TIME_FORMATS:
            return self._local(
                sql, params, tzname, lambda t: f"strftime('%%Y-%%m-%%d {_TIME_FORMATS[kind]}', {t})"
            )
        if kind not in _DATE_TRUNC:
            raise _unsupported(kind)
        return self._local(sql, params, tzname, lambda t: _DATE_TRUNC[kind].format(t=t, rest=" 00:00:00"))

    def time_trunc_sql(
        self, lookup_type: str, sql: str, params: Params, tzname: str | None = None
    ) -> Compiled:
        kind = lookup_type.lower()
        if kind not in _TIME_FORMATS:
            raise _unsupported(kind)
        return self._local(sql, params, tzname, lambda t: f"strftime('{_TIME_FORMATS[kind]}', {t})")

    def datetime_cast_date_sql(self, sql: str, params: Params, tzname: str | None) -> Compiled:
        return self._local(sql, params, tzname, lambda t: f"strftime('%%Y-%%m-%%d', {t})")

    def datetime_cast_time_sql(self, sql: str, params: Params, tzname: str | None) -> Compiled:
        fraction = f"substr(substr({sql}, 21) || '000000', 1, 6)"
        time, time_params = self._local(sql, params, tzname, lambda t: f"strftime('%%H:%%M:%%S', {t})")
        # Python's isoformat() omits a fraction of zero.
        return f"({time} || replace('.' || {fraction}, '.000000', ''))", (*time_params, *params)
