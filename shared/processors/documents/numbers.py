"""Numbers and dates of spreadsheets as text. Pure."""

import functools
import re
from datetime import UTC, datetime, timedelta

#: Serial numbers of days that Excel has a date for: up to the year 9999.
_MAX_DAYS = 2_958_466
#: The 29th of February 1900, which Excel counts and no calendar has.
_LEAP_DAY = 60
#: Day 0 of each calendar; the first one counts a day that never was.
_FIRST, _FIRST_1904 = datetime(1899, 12, 30, tzinfo=UTC), datetime(1904, 1, 1, tzinfo=UTC)
_QUOTED = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')


def shown(value: str, pattern: str, is_1904: bool) -> str:
    """A number with at most 15 digits, as Excel shows it; a date or time in ISO 8601 where the pattern is one."""
    try:
        number = float(value)
    except ValueError:
        return value
    parts = _parts(pattern)
    if not parts or not 0 <= number < _MAX_DAYS:
        return value if value.isdecimal() else f"{number:.15g}"
    return _date(number, parts, is_1904)


def _date(number: float, parts: str, is_1904: bool) -> str:
    first = _FIRST_1904 if is_1904 else _FIRST + timedelta(days=number < _LEAP_DAY)
    moment = (first + timedelta(seconds=round(number * 86400))).replace(tzinfo=None).isoformat()
    date, _, time = moment.partition("T")
    return {"d": date, "t": time}.get(parts, moment)


@functools.lru_cache(256)
def _parts(pattern: str) -> str:
    """`d` for a date, `t` for a time, `dt` for both, else empty. `m` is a month, beside hours or seconds a minute."""
    code = _QUOTED.sub("", pattern.partition(";")[0]).lower()
    has_time = bool(re.search("[hs]", code))
    has_date = bool(re.search("[yd]", code)) or ("m" in code and not has_time)
    return "d" * has_date + "t" * has_time
