"""Parses a single date in one of the common written forms.

`_FORMS` lists the forms of a date. A time of day and an offset from UTC may follow it. All forms are unambiguous except
one: the caller gives the order of day and month for 01/02/2024.
"""

import datetime
import re
from collections.abc import Callable
from functools import lru_cache

__all__ = ["DAY_FIRST", "MONTH_FIRST", "has_order", "read_word"]

DAY_FIRST, MONTH_FIRST = "day-first", "month-first"

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_MONTH = r"([a-z]{3,9})\.?"
_CLOCK = r"(?P<hour>\d\d?)(?::(?P<minute>\d\d)(?::(?P<second>\d\d)(?P<part>[.,]\d+)?)?)?(?: ?(?P<half>[ap])\.?m\.?)?"
_WORD = re.compile(
    rf"(?P<date>.+?)(?:(?:T|,? +){_CLOCK}(?: ?(?P<offset>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?))?"
    r"| ?(?P<zone>Z|UTC|GMT|[+-]\d\d:\d\d))?",
    re.ASCII | re.IGNORECASE,
)
_ORDERED = re.compile(r"(\d\d?)([-/.])(\d\d?)\2(\d{4})", re.ASCII)
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_WHOLE_HOUR = re.compile(r"\d{4}[-/.]\d\d?[-/.]\d\d?", re.ASCII)
"""Dates that may be followed by an hour without minutes."""


def read_word(word: str, order: str) -> tuple[datetime.datetime, int | None]:
    """Parse a date.

    Args:
        word: a date, optionally with a time of day and an offset from UTC.
        order: DAY_FIRST or MONTH_FIRST, for 01/02/2024.

    Returns:
        The local time, and its offset from UTC in seconds; None without an offset.

    Raises:
        ValueError: the text isn't a date in a known form, or the day doesn't exist in the calendar.
    """
    match = _WORD.fullmatch(word)
    if match is None:
        raise ValueError(word)
    date, clock = match["date"], match["hour"] is not None
    compact = _COMPACT.fullmatch(date) if clock else None
    day = datetime.datetime.strptime(date, "%Y%m%d") if compact else _day(date, order)
    if clock:
        if match["minute"] is None and not match["half"] and (match["offset"] or not _WHOLE_HOUR.fullmatch(date)):
            raise ValueError(word)
        day += _time_of_day(match)
    offset = match["offset"] or match["zone"]
    return day, None if offset is None else _offset(offset)


def has_order(word: str) -> bool:
    """Whether a word has the form in which the order of day and month is ambiguous."""
    match = _WORD.fullmatch(word)
    return match is not None and _ORDERED.fullmatch(match["date"]) is not None


def _time_of_day(match: re.Match[str]) -> datetime.timedelta:
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    part = int(f"{(match['part'] or '.')[1:]:0<6}"[:6])
    if match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(match[0])
        hour = hour % 12 + (12 if match["half"].lower() == "p" else 0)
    if minute > 59 or second > 59 or hour > 24 or (hour == 24 and (minute or second or part)):
        raise ValueError(match[0])
    return datetime.timedelta(hours=hour, minutes=minute, seconds=second, microseconds=part)


def _offset(text: str) -> int:
    if text[0] not in "+-":
        return 0
    hours, minutes = int(text[1:3]), int(text[3:].removeprefix(":") or 0)
    if hours > 23 or minutes > 59:
        raise ValueError(text)
    return (-1 if text[0] == "-" else 1) * (3600 * hours + 60 * minutes)


@lru_cache(maxsize=4096)
def _day(date: str, order: str) -> datetime.datetime:
    """The day of a date; the first day of a month, a quarter or a week."""
    if match := _ORDERED.fullmatch(date):
        first, second = int(match[1]), int(match[3])
        day, month = (first, second) if order == DAY_FIRST else (second, first)
        return datetime.datetime(int(match[4]), month, day)
    for form, read in _FORMS.items():
        if match := form.fullmatch(date):
            return datetime.datetime(*read(match))
    raise ValueError(date)


def _month(name: str) -> int:
    """The number of a month from its English name, or from at least its first three letters."""
    found = [number for number, month in enumerate(_MONTHS, start=1) if month.startswith(name.lower())]
    if len(found) != 1:
        raise ValueError(name)
    return found[0]


def _week(match: re.Match[str]) -> tuple[int, int, int]:
    day = datetime.date.fromisoformat(match[0].upper())
    return day.year, day.month, day.day


def _form(text: str) -> re.Pattern[str]:
    return re.compile(text, re.ASCII | re.IGNORECASE)


Parts = tuple[int, int, int]
_FORMS: dict[re.Pattern[str], Callable[[re.Match[str]], Parts]] = {
    # 2024-01-31, 2024/1/31, 2024.01.31
    _form(r"(\d{4})([-/.])(\d\d?)\2(\d\d?)"): lambda m: (int(m[1]), int(m[3]), int(m[4])),
    # 2024-01, 2024/1
    _form(r"(\d{4})[-/](\d\d?)"): lambda m: (int(m[1]), int(m[2]), 1),
    # 2024Q1, 2024-Q1, 2024 Q1
    _form(r"(\d{4})[- ]?Q([1-4])"): lambda m: (int(m[1]), 3 * int(m[2]) - 2, 1),
    # Q1 2024, Q1/2024
    _form(r"Q([1-4])[-/ ](\d{4})"): lambda m: (int(m[2]), 3 * int(m[1]) - 2, 1),
    # 2024-W05, 2024W05, 2024-W05-3
    _form(r"\d{4}(-?)W\d\d(\1\d)?"): _week,
    # 31 Jan 2024, 31-Jan-2024, 31. January 2024
    _form(rf"(\d\d?)\.?[- ]?{_MONTH}[- ,]+(\d{{4}})"): lambda m: (int(m[3]), _month(m[2]), int(m[1])),
    # Jan 31, 2024
    _form(rf"{_MONTH} (\d\d?),? (\d{{4}})"): lambda m: (int(m[3]), _month(m[1]), int(m[2])),
    # Jan 2024, January-2024
    _form(rf"{_MONTH}[- ,]+(\d{{4}})"): lambda m: (int(m[2]), _month(m[1]), 1),
    # 2024-Jan
    _form(rf"(\d{{4}})[- ]{_MONTH}"): lambda m: (int(m[1]), _month(m[2]), 1),
    # 2024年1月31日, 2024年1月
    _form(r"(\d{4})年(\d\d?)月(?:(\d\d?)日)?"): lambda m: (int(m[1]), int(m[2]), int(m[3] or 1)),
}
