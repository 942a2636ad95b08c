"""Times as people write them, read: dates with or without an offset from UTC, or whole numbers that count steps."""

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import DataError
from penstock.missing import is_missing

__all__ = ["Times", "parse_times", "words_of"]

# NumPy would take "now", years of nine digits and hours with an offset too.
_DATE = re.compile(r"\d{4}-\d\d(-\d\d([ T]\d\d(:\d\d(:\d\d(\.\d+)?)?)?)?)?", re.ASCII)
_OFFSET = re.compile(r"(\d{4}-\d\d-\d\d[ T]\d\d:[\d:.]+) ?(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)", re.ASCII)
_WEEK = re.compile(r"\d{4}-?W\d\d(-?\d)?", re.ASCII)
_QUARTER = re.compile(r"(\d{4})-?Q([1-4])", re.ASCII)
_FIRST_YEAR, _LAST_YEAR = 1600, 2199
"""Of dates that stand as whole numbers."""
_PARTS = {6: (1, 12), 8: (1, 31), 10: (0, 23), 12: (0, 59), 14: (0, 59)}
"""Digits of a date without punctuation, to the bounds of its last two: YYYYMM, YYYYMMDD, YYYYMMDDHH and so on."""
_OTHER_PARTS = {5: (4, "quarter, as in 2024Q1"), 6: (53, "week, as in 2024-W05"), 7: (366, "day of the year")}
"""Digits of a year and a number within it, to the largest of these and what it counts."""


@dataclass(frozen=True, eq=False)
class Times:
    """A column of times.

    moments: (rows,) whole numbers, int64; or datetime64[s], in UTC where the times came with an offset
    offsets: (rows,) int64, seconds by which each time's clock is ahead of UTC; None where they came without
    compact: whether they are dates that stood as whole numbers, like 20240131
    """

    moments: NDArray[Any]
    offsets: NDArray[np.int64] | None = None
    compact: bool = False

    def __len__(self) -> int:
        return len(self.moments)

    def __getitem__(self, rows: Any) -> "Times":
        return Times(self.moments[rows], None if self.offsets is None else self.offsets[rows], self.compact)

    @property
    def are_dates(self) -> bool:
        """Whether they are dates, not numbers that count steps."""
        return self.moments.dtype.kind == "M"

    @property
    def by_clock(self) -> NDArray[Any]:
        """What each time's own clock showed, without its offset."""
        return self.moments if self.offsets is None else self.moments + self.offsets.astype("timedelta64[s]")


def parse_times(
    values: Sequence[Any] | NDArray[Any], what: str = "the column of times", *, numbers: bool = False
) -> Times:
    """A column of times.

    Whole numbers are dates where every one of them is a month from 160001 to 219912, or every one a day from 16000101
    to 21991231 (with hours, minutes and seconds behind it, perhaps). All other whole numbers count steps.

    Args:
        values: whole numbers, dates ("2016-07", "2016-07-01", "2016/07/01 13:00", "2016Q3", "2016-W27"), or what Python
            holds for them.
        what: what messages call it.
        numbers: whole numbers count steps whatever they look like, as in a training that read them so.

    Raises:
        DataError: something in it is neither, or is missing; offsets in some rows only, or parts of seconds; whole
            numbers most of which are dates, or that number weeks, quarters or days within years.
    """
    if isinstance(values, np.ndarray) and values.dtype.kind in "iuM":
        if values.dtype.kind == "M" and np.isnat(values).any():
            raise DataError(f"{what} must have no gaps; row {int(np.flatnonzero(np.isnat(values))[0]) + 1} is empty")
        return Times(_seconds(values, what)) if values.dtype.kind == "M" else _whole(values, what, numbers)
    words = [_word(value) for value in values]
    if "" in words:
        raise DataError(f"{what} must have no gaps; row {words.index('') + 1} is empty. Leave such rows out.")
    if all(re.fullmatch(r"[+-]?\d{1,18}", word) for word in words):
        return _whole(np.array([int(word) for word in words], np.int64), what, numbers)
    matches = [_OFFSET.fullmatch(word) for word in words]
    if len({match is None for match in matches}) > 1:
        row = next(row for row, match in enumerate(matches) if (match is None) != (matches[0] is None))
        raise DataError(
            f"{what} must have an offset from UTC in all rows or in none; row 1 is {words[0]!r:.40}, "
            f"row {row + 1} {words[row]!r:.40}"
        )
    if matches[0] is None:
        return Times(_seconds(np.array([_date(word, row, what) for row, word in enumerate(words, start=1)]), what))
    moments, offsets = zip(*(_moment(match, row, what) for row, match in enumerate(matches, start=1)), strict=True)
    return Times(_seconds(np.array(moments), what), np.array(offsets, np.int64))


def words_of(time: Any) -> str:
    """A time as people write it: a date without hours where it has none."""
    if not isinstance(time, np.datetime64):
        return str(int(time))
    text = str(time.astype("datetime64[s]")).replace("T", " ")
    return text.removesuffix(" 00:00:00")


def _word(value: Any) -> str:
    if is_missing(value):
        return ""
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()
    return str(value).strip()


def _date(word: str, row: int, what: str) -> np.datetime64:
    try:
        if _WEEK.fullmatch(word):
            return np.datetime64(datetime.date.fromisoformat(word), "us")
        if quarter := _QUARTER.fullmatch(word):
            return np.datetime64(f"{quarter[1]}-{3 * int(quarter[2]) - 2:02d}", "us")
        plain = word.replace("/", "-")
        if not _DATE.fullmatch(plain):
            raise ValueError(word)
        return np.datetime64(plain, "us")
    except ValueError as error:
        raise _no_date(word, row, what) from error


def _moment(match: Any, row: int, what: str) -> tuple[np.datetime64, int]:
    """A time with an offset: in UTC, and the offset in seconds."""
    clock, offset = match.groups()
    try:
        time = datetime.datetime.fromisoformat(clock + ("Z" if offset in ("UTC", "GMT") else offset))
        moment = time.astimezone(datetime.UTC).replace(tzinfo=None)
    except (ValueError, OverflowError) as error:
        raise _no_date(match[0], row, what) from error
    ahead = time.utcoffset()
    assert ahead is not None
    return np.datetime64(moment, "us"), round(ahead.total_seconds())


def _no_date(word: str, row: int, what: str) -> DataError:
    return DataError(
        f"{what} must hold dates like 2016-07-01 or 2016-07-01 13:00:00, or whole numbers; row {row} is {word!r:.40}"
    )


def _whole(numbers: NDArray[Any], what: str, count_steps: bool) -> Times:
    """Whole numbers: dates where all of them are, else as they are."""
    whole = numbers.astype(np.int64)
    if count_steps or not len(whole):
        return Times(whole)
    digits = len(str(abs(int(whole[0]))))
    dates = _compact_dates(whole, digits)
    there = ~np.isnat(dates)
    if there.all():
        return Times(dates, compact=True)
    if len(np.unique(np.diff(np.unique(whole)))) > 1:  # as numbers they would have gaps
        if there.mean() > 0.5:
            row, date = int(np.flatnonzero(~there)[0]), int(whole[np.flatnonzero(there)[0]])
            raise DataError(
                f"{what} must hold dates, or whole numbers that count steps; most are dates like {date}, and row "
                f"{row + 1} is {whole[row]}, which is none. Correct it, or write all as 2016-07-01."
            )
        _check_years(whole, digits, what)
    return Times(whole)


def _compact_dates(numbers: NDArray[np.int64], digits: int) -> NDArray[np.datetime64]:
    """The dates that whole numbers of so many digits are, datetime64[s]; NaT where one is none."""
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
    right &= days.astype("datetime64[M]") == months  # no 31st of April
    seconds = sum(part * unit for part, unit in zip(clock, (3600, 60, 1), strict=False))
    return np.where(right, days.astype("datetime64[s]") + seconds, none)


def _check_years(numbers: NDArray[np.int64], digits: int, what: str) -> None:
    """DataError where numbers that are not evenly spaced count something within years: weeks, quarters, days."""
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
    """Times as datetime64[s]; parts of seconds must be the same in all."""
    whole = times.astype("datetime64[s]")
    parts = times - whole
    if (other := np.flatnonzero(parts != parts[:1])).size:
        row = int(other[0])
        raise DataError(
            f"{what} must be whole seconds apart; row {row + 1} is {times[row]}. Number finer steps: 0, 1, 2 and so on."
        )
    return whole
