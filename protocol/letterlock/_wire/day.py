"""Days: how a bundle tells when its signed prekey was made.

    day     seconds since 1970 (UTC) // 86,400, at most MAX_DAY                             [WIRE-13]

An exact time would tell everybody when the device was in use. A day is enough to refuse what is months old.
"""

from typing import Final

from letterlock.limits import DAY

_LEAP_DAYS: Final = 477  # before 1970, in the calendar of today
_MONTHS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def day_of(seconds: int) -> int:
    """Return the day of a time in seconds since 1970 (UTC)."""
    return seconds // DAY


def date_of(day: int) -> str:
    """Return the date of a day in the form 2026-11-29, for readers of `inspect` and of errors."""
    year = 1970 + day // 366  # at most 16 years too early, and 8,030 years are not counted one by one
    while _first_day(year + 1) <= day:
        year += 1
    day -= _first_day(year)
    month = 1
    while day >= _length(year, month):
        day -= _length(year, month)
        month += 1
    return f"{year:04}-{month:02}-{day + 1:02}"


def _first_day(year: int) -> int:
    before = year - 1
    return 365 * (year - 1970) + before // 4 - before // 100 + before // 400 - _LEAP_DAYS


def _length(year: int, month: int) -> int:
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return _MONTHS[month - 1] + (month == 2 and is_leap)
