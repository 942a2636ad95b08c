"""Reads columns of times: dates with or without an offset from UTC, or whole numbers that count steps."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.datasets.dates import COMPACT, STEPS, check_time_format, date_words, read_dates
from penstock.errors import DataError

__all__ = ["Times", "parse_times", "words_of"]

_FIRST_YEAR, _LAST_YEAR = 1600, 2199
"""The range of years for dates written as whole numbers."""
_PARTS = {6: (1, 12), 8: (1, 31), 10: (0, 23), 12: (0, 59), 14: (0, 59)}
"""Number of digits of a date without punctuation (YYYYMM, YYYYMMDD, ...) -> the bounds of its last two digits."""
_OTHER_PARTS = {5: (4, "quarter, as in 2024Q1"), 6: (53, "week, as in 2024-W05"), 7: (366, "day of the year")}
"""Number of digits of a year with a number within it -> the largest such number, and what it counts."""


@dataclass(frozen=True, eq=False)
class Times:
    """A column of times.

    moments: (rows,) whole numbers, int64; or datetime64[s], in UTC if the times have an offset
    offsets: (rows,) int64, the offset of each time from UTC in seconds; None without offsets
    compact: whether they are dates written as whole numbers, like 20240131
    time_format: how they were read, as `parse_times` takes it; None if they were unambiguous
    """

    moments: NDArray[Any]
    offsets: NDArray[np.int64] | None = None
    compact: bool = False
    time_format: str | None = None

    def __len__(self) -> int:
        return len(self.moments)

    def __getitem__(self, rows: Any) -> "Times":
        return replace(self, moments=self.moments[rows], offsets=None if self.offsets is None else self.offsets[rows])

    @property
    def are_dates(self) -> bool:
        """Whether they are dates, not numbers that count steps."""
        return self.moments.dtype.kind == "M"

    @property
    def by_clock(self) -> NDArray[Any]:
        """The local time of each row, without its offset."""
        return self.moments if self.offsets is None else self.moments + self.offsets.astype("timedelta64[s]")


def parse_times(
    values: Sequence[Any] | NDArray[Any],
    what: str = "the column of times",
    *,
    time_format: str | None = None,
) -> Times:
    """Read a column of times.

    Whole numbers are dates if every one of them is a month from 160001 to 219912, or if every one is a day from
    16000101 to 21991231 (optionally followed by hours, minutes and seconds). All other whole numbers count steps.

    Args:
        values: whole numbers, dates in any of the forms of `datasets.date_forms`, or Python's date and time objects.
        what: the name of the column in error messages.
        time_format: how to read them: one of Python's formats, or a word of `datasets.dates`; None to detect it.

    Returns:
        The times.

    Raises:
        DataError: a value is missing, or is neither a date nor a whole number; only some rows have an offset; fractions
            of a second; whole numbers most of which are dates, or that count weeks, quarters or days within years;
            values that can be read in two ways.
        ConfigError: an unknown time format.
    """
    check_time_format(time_format)
    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        if np.isnat(values).any():
            raise DataError(f"{what} must have no gaps; row {int(np.flatnonzero(np.isnat(values))[0]) + 1} is empty")
        return Times(_seconds(values, what))
    coded = time_format is not None and "%" in time_format
    if isinstance(values, np.ndarray) and values.dtype.kind in "iu" and not coded:
        return _whole(values, what, time_format)
    words = date_words(values)
    if "" in words:
        raise DataError(f"{what} must have no gaps; row {words.index('') + 1} is empty. Leave such rows out.")
    if not coded and all(re.fullmatch(r"[+-]?\d{1,18}", word) for word in words):
        return _whole(np.array([int(word) for word in words], np.int64), what, time_format)
    if time_format == STEPS:
        row = next(row for row, word in enumerate(words) if not re.fullmatch(r"[+-]?\d{1,18}", word))
        raise DataError(f"{what} must hold whole numbers, as its time format says; row {row + 1} is {words[row]!r:.40}")
    (moments, offsets), needed = read_dates(words, what, None if time_format == COMPACT else time_format)
    return Times(_seconds(moments, what), offsets, time_format=needed)


def words_of(time: Any) -> str:
    """A time as text: only the date if the time of day is midnight."""
    if not isinstance(time, np.datetime64):
        return str(int(time))
    text = str(time.astype("datetime64[s]")).replace("T", " ")
    return text.removesuffix(" 00:00:00")


def _whole(numbers: NDArray[Any], what: str, time_format: str | None) -> Times:
    """Times from whole numbers: dates if all of them are dates, otherwise unchanged."""
    whole = numbers.astype(np.int64)
    if time_format == STEPS or not len(whole):
        return Times(whole, time_format=STEPS)
    digits = len(str(abs(int(whole[0]))))
    dates = _compact_dates(whole, digits)
    there = ~np.isnat(dates)
    if there.all():
        if time_format is None:
            _check_one_year(whole, dates, digits, what)
        return Times(dates, compact=True, time_format=COMPACT)
    if time_format == COMPACT or len(np.unique(np.diff(np.unique(whole)))) > 1:  # as numbers they have gaps
        if time_format == COMPACT or there.mean() > 0.5:
            row = int(np.flatnonzero(~there)[0])
            most = f"; most are dates like {whole[np.flatnonzero(there)[0]]}, and" if there.any() else ";"
            raise DataError(
                f"{what} must hold dates, or whole numbers that count steps{most} row {row + 1} is {whole[row]}, "
                "which is none. Correct it, or write all as 2016-07-01."
            )
        _check_years(whole, digits, what)
    return Times(whole, time_format=STEPS)


def _check_one_year(numbers: NDArray[np.int64], dates: NDArray[Any], digits: int, what: str) -> None:
    """Raise DataError for a few numbers like 200001 to 200012: months of one year, or steps that start at 200001.

    Days of a month, like 20240101 to 20240131, are dates, because step counts that start at such a number are rare.
    """
    if digits == 6 and numbers.min() < numbers.max() and len(np.unique(dates.astype("datetime64[Y]"))) == 1:
        raise DataError(
            f"{what} must hold dates, or whole numbers that count steps; {numbers.min()} to {numbers.max()} may be "
            f"either: months from {words_of(dates.min())[:7]} on, or numbers. Say which with --time-format {COMPACT} "
            f"or --time-format {STEPS} (time_format=...)"
        )


def _compact_dates(numbers: NDArray[np.int64], digits: int) -> NDArray[np.datetime64]:
    """Whole numbers of `digits` digits as dates, datetime64[s]; NaT where a number isn't a date."""
    none = np.full(len(numbers), np.datetime64("NaT", "s"))
    if digits not in _PARTS:
        return none
    rest, parts = numbers, []
    right = (numbers >= 10 ** (digits - 1)) & (numbers < 10**digits)
    for size in range(digits, 4, -2):
        rest, part = np.divmod(rest, 100)
        least, most = _PARTS[size]
        right &= (part >= least) & (part <= most)
        parts.append(part)
    right &= (rest >= _FIRST_YEAR) & (rest <= _LAST_YEAR)
    month, day, *clock = [*reversed(parts), np.ones_like(numbers)] if digits == 6 else list(reversed(parts))
    months = (np.where(right, rest - 1970, 0) * 12 + np.where(right, month - 1, 0)).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + np.where(right, day - 1, 0)
    right &= days.astype("datetime64[M]") == months  # rejects days such as 31 April
    seconds = sum(part * unit for part, unit in zip(clock, (3600, 60, 1), strict=False))
    return np.where(right, days.astype("datetime64[s]") + seconds, none)


def _check_years(numbers: NDArray[np.int64], digits: int, what: str) -> None:
    """Raise DataError if numbers that are not evenly spaced count weeks, quarters or days within years."""
    if digits not in _OTHER_PARTS:
        return
    most, name = _OTHER_PARTS[digits]
    years, within = np.divmod(numbers, 10 ** (digits - 4))
    likely = (years >= _FIRST_YEAR) & (years <= _LAST_YEAR) & (within >= 1) & (within <= most)
    if likely.all() and len(np.unique(years)) > 1 and len(np.unique(within)) > 1:
        raise DataError(
            f"{what} must hold dates, or whole numbers that count steps; row 1 is {numbers[0]}, which looks like a "
            f"year and a {name}: as numbers, years would have gaps between them. Write dates, 2016-07-01, or number "
            "the steps: 0, 1, 2"
        )


def _seconds(times: NDArray[Any], what: str) -> NDArray[Any]:
    """Times as datetime64[s]; the fraction of a second must be the same in all rows."""
    whole = times.astype("datetime64[s]")
    parts = times - whole
    if (other := np.flatnonzero(parts != parts[:1])).size:
        row = int(other[0])
        raise DataError(
            f"{what} must be whole seconds apart; row {row + 1} is {times[row]}. Number finer steps: 0, 1, 2 and so on."
        )
    return whole
