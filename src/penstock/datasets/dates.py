"""Reads a column of dates as a whole: one order of day and month, and an offset from UTC in all rows or in none."""

import datetime
import logging
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.datasets.changes import change
from penstock.datasets.date_forms import DAY_FIRST, MONTH_FIRST, has_order, read_word
from penstock.errors import ConfigError, DataError
from penstock.missing import is_missing

__all__ = ["COMPACT", "STEPS", "check_time_format", "date_words", "looks_dated", "read_dates"]

_LOGGER = logging.getLogger(__name__)
COMPACT, STEPS = "dates", "numbers"
"""Time formats of whole numbers: dates like 20240131, or numbers that count steps."""
_WORDS = (DAY_FIRST, MONTH_FIRST, COMPACT, STEPS)
_ISO = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?", re.ASCII)
_ISO_OFFSET = re.compile(rf"{_ISO.pattern}( ?(Z|UTC|GMT|[+-]\d\d(:?\d\d)?))?", re.ASCII)
_EVEN = 4
"""Largest ratio of the longest to the shortest step: business days have steps of 1 to 4 days, over a long weekend."""

Found = tuple[NDArray[np.datetime64], NDArray[np.int64] | None]


def check_time_format(time_format: str | None) -> None:
    """Raise ConfigError unless the format is one of Python's, with a %, or one of the words of this module."""
    if time_format is not None and time_format not in _WORDS and "%" not in time_format:
        raise ConfigError(
            f"a time format must be one of {', '.join(_WORDS)}, or be made of Python's codes, such as %d.%m.%Y %H:%M; "
            f"got {time_format!r:.40}"
        )


def date_words(values: Iterable[Any]) -> list[str]:
    """A column of times as texts; empty text for a missing value."""
    return [_word(value) for value in values]


def looks_dated(values: Iterable[Any]) -> bool:
    """Whether every value of a column is a date, in some order of day and month; plain numbers don't count as dates."""
    words = [word for word in date_words(values) if word]
    return bool(words) and any(_all_dates(words, order) for order in (DAY_FIRST, MONTH_FIRST))


def read_dates(words: Sequence[str], what: str, time_format: str | None = None) -> tuple[Found, str | None]:
    """Read a column of dates.

    Args:
        words: the dates, none of them empty.
        what: the name of the column in error messages.
        time_format: one of Python's formats, or the order of day and month; None to detect the order from all rows.

    Returns:
        A pair. First, the dates, datetime64[us], in UTC if they have an offset, with the offsets in seconds or None.
        Second, the time format that was needed to read them: the given one, or the detected order; None if the dates
        are unambiguous.

    Raises:
        DataError: a row isn't a date, the order can't be determined, or only some rows have an offset.
    """
    if time_format is not None and "%" in time_format:
        moments = [_formatted(word, row, what, time_format) for row, word in enumerate(words)]
        change(_LOGGER, f"dates of the given format: {time_format}", len(words), "")
        return _with_offsets(moments, words, what), time_format
    if all(map(_ISO.fullmatch, words)):
        try:
            return (np.array(words, "datetime64[us]"), None), None
        except ValueError:
            pass  # not a valid day, or hour 24: read row by row below
    open_rows = [row for row, word in enumerate(words) if has_order(word)]
    if not open_rows:
        found = _ordered(words, what, DAY_FIRST)
        other = sum(_ISO_OFFSET.fullmatch(word) is None for word in words)
        change(_LOGGER, "dates in other forms than 2024-01-31", other, "")
        return found, None
    if time_format in (DAY_FIRST, MONTH_FIRST):
        order: str | None = time_format
        found = _ordered(words, what, time_format)
    else:
        found, order = _in_found_order(words, what, open_rows[0])
    change(_LOGGER, f"dates with the {(order or DAY_FIRST).replace('-', ' ')}", len(open_rows), "")
    return found, order


def _in_found_order(words: Sequence[str], what: str, row: int) -> tuple[Found, str | None]:
    """Dates in the only order in which all rows are dates, or else the only one in which they are evenly spaced."""
    found: dict[str, Found] = {}
    refused: list[DataError] = []
    for order in (DAY_FIRST, MONTH_FIRST):
        try:
            found[order] = _ordered(words, what, order)
        except DataError as error:
            refused.append(error)
    if not found:
        raise refused[0]
    if len(found) == 2:
        one, other = (each[0] for each in found.values())
        if (one == other).all():
            return found[DAY_FIRST], None
        even = [order for order, dates in found.items() if _is_even(dates[0])]
        if len(even) != 1:
            raise DataError(
                f"{what} must leave one order of day and month; row {row + 1} is {words[row]!r:.40}, which is "
                f"{str(one[row])[:10]} with the day first, {str(other[row])[:10]} with the month first, and both "
                f"fit all rows. Say which with --time-format {DAY_FIRST} or {MONTH_FIRST} (time_format=...)"
            )
        found = {even[0]: found[even[0]]}
    order = next(iter(found))
    _LOGGER.info("%s has the %s first", what, order.removesuffix("-first"))
    return found[order], order


def _is_even(dates: NDArray[np.datetime64]) -> bool:
    """Whether sorted dates have at least two steps, and steps of similar size."""
    steps = np.diff(np.unique(dates)).astype(np.int64)
    return len(steps) > 1 and bool(steps.max() <= _EVEN * steps.min())


def _ordered(words: Sequence[str], what: str, order: str) -> Found:
    moments = []
    for row, word in enumerate(words):
        try:
            moments.append(read_word(word, order))
        except ValueError as error:
            raise _no_date(word, row, what) from error
    return _with_offsets(moments, words, what)


def _with_offsets(moments: Sequence[tuple[datetime.datetime, int | None]], words: Sequence[str], what: str) -> Found:
    first = moments[0][1]
    for row, (_, offset) in enumerate(moments):
        if (offset is None) != (first is None):
            raise DataError(
                f"{what} must have an offset from UTC in all rows or in none; row 1 is {words[0]!r:.40}, "
                f"row {row + 1} {words[row]!r:.40}"
            )
    dates = np.array([moment for moment, _ in moments], "datetime64[us]")
    if first is None:
        return dates, None
    offsets = np.array([offset for _, offset in moments], np.int64)
    return dates - offsets.astype("timedelta64[s]"), offsets


def _formatted(word: str, row: int, what: str, time_format: str) -> tuple[datetime.datetime, int | None]:
    try:
        moment = datetime.datetime.strptime(word, time_format)
    except (ValueError, re.error) as error:
        raise DataError(
            f"{what} must hold times of the format {time_format!r}; row {row + 1} is {word!r:.40}"
        ) from error
    ahead = moment.utcoffset()
    return moment.replace(tzinfo=None), None if ahead is None else round(ahead.total_seconds())


def _no_date(word: str, row: int, what: str) -> DataError:
    return DataError(
        f"{what} must hold dates like 2016-07-01 or 2016-07-01 13:00:00, or whole numbers; row {row + 1} is "
        f"{word!r:.40}. Say how to read it with --time-format, such as %d.%m.%y (time_format=...)"
    )


def _all_dates(words: Sequence[str], order: str) -> bool:
    try:
        for word in words:
            read_word(word, order)
    except ValueError:
        return False
    return True


def _word(value: Any) -> str:
    if is_missing(value):
        return ""
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()
    return str(value).strip()
