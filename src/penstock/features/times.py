"""Time stamps on a regular grid: read, checked, numbered; what is not regular is found, and named in the error.

A frequency is a unit and how many of them lie between two steps: seconds, months, business days, or plain numbers where
the column holds numbers. A place on the grid is a whole number, so that months of 28 and of 31 days are one step apart.
"""

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError, DataError

__all__ = ["Frequency", "find_frequency", "is_missing", "parse_times", "words_of"]

_NUMBER, _SECOND, _MONTH, _WEEKDAY = "number", "second", "month", "business day"
# NumPy would take "now", years of nine digits and hours with an offset too.
_DATE = re.compile(r"\d{4}-\d\d(-\d\d([ T]\d\d(:\d\d(:\d\d(\.\d+)?)?)?)?)?", re.ASCII)
_OFFSET = re.compile(r"\d[ T]\d\d:.*(Z|[+-]\d\d:?\d\d)$")
_HOUR, _DAY = 3600, 86_400
_NEVER = -1  # what is left of a day that isn't on the grid


@dataclass(frozen=True)
class Frequency:
    """A regular grid.

    unit: "number", "second", "month" or "business day"
    step: units between two steps
    anchor: the unit's number of some step, so that all are anchor + k * step
    remainder: what is left of a time beside its unit: seconds into the month
    """

    kind: ClassVar[str] = "frequency"
    unit: str
    step: int
    anchor: int
    remainder: int = 0

    def __post_init__(self) -> None:
        if self.unit not in (_NUMBER, _SECOND, _MONTH, _WEEKDAY) or self.step < 1:
            raise ConfigError(f"a frequency must be a known unit and a step of at least 1; got {self!r}")

    def places(self, times: NDArray[Any]) -> NDArray[np.int64]:
        """Each time's place on the grid.

        Raises:
            DataError: some times do not lie on the grid.
        """
        units, remainders = _units(times, self.unit)
        places, rest = np.divmod(units - self.anchor, self.step)
        wrong = (rest != 0) | (remainders != self.remainder) if self.unit != _MONTH else rest != 0
        if wrong.any():
            first = int(np.flatnonzero(wrong)[0])
            raise DataError(
                f"times must lie a whole number of steps of {self.words} apart; {words_of(times[first])} does not "
                f"({int(wrong.sum())} of {len(times)} rows). {self._advice(rest)}"
            )
        return places

    def _advice(self, rest: NDArray[np.int64]) -> str:
        by_clock = self.unit == _SECOND and self.step % _DAY == 0 and np.isin(rest, (0, _HOUR, self.step - _HOUR)).all()
        if by_clock:
            return "Are they days by a clock that knows daylight saving time? Write dates alone, without an offset."
        return "Resample the data to regular steps first."

    def times(self, places: NDArray[np.int64]) -> NDArray[Any]:
        """The times at these places: int64, or datetime64[s]."""
        units = self.anchor + np.asarray(places, np.int64) * self.step
        if self.unit == _NUMBER:
            return units
        if self.unit == _SECOND:
            return units.astype("datetime64[s]")
        if self.unit == _MONTH:
            starts = units.astype("datetime64[M]").astype("datetime64[s]").astype(np.int64)
            lengths = (units + 1).astype("datetime64[M]").astype("datetime64[s]").astype(np.int64) - starts
            return (starts + np.minimum(self.remainder, lengths - _DAY)).astype("datetime64[s]")
        return np.busday_offset(np.datetime64("1970-01-01"), units).astype("datetime64[s]")

    @property
    def words(self) -> str:
        """For people: "1 hour", "3 months"."""
        size, unit = self.step, self.unit
        if unit == _NUMBER:
            return str(size)
        if unit == _SECOND:
            for seconds, name in ((7 * _DAY, "week"), (_DAY, "day"), (3600, "hour"), (60, "minute")):
                if size % seconds == 0:
                    size, unit = size // seconds, name
                    break
        return f"{size} {unit}{'' if size == 1 else 's'}"

    def like(self, other: "Frequency") -> bool:
        """Whether the steps are of the same size."""
        return (self.unit, self.step) == (other.unit, other.step)

    def to_json(self) -> dict[str, Any]:
        """The frequency as plain values."""
        return {"unit": self.unit, "step": self.step, "anchor": self.anchor, "remainder": self.remainder}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Frequency":
        """The frequency that `to_json` described; ConfigError if it is none."""
        try:
            return cls(str(data["unit"]), *(int(data[name]) for name in ("step", "anchor", "remainder")))
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"a frequency must have unit, step, anchor and remainder; got {data!r:.80}") from error


def parse_times(values: Sequence[Any] | NDArray[Any], what: str = "the column of times") -> NDArray[Any]:
    """A column of times as int64 numbers or datetime64[s]; times with an offset become UTC.

    Args:
        values: whole numbers, dates ("2016-07", "2016-07-01", "2016/07/01 13:00"), or what Python holds for them.
        what: what messages call it.

    Raises:
        DataError: something in it is neither, or is missing; offsets in some rows only, or parts of seconds.
    """
    if isinstance(values, np.ndarray) and values.dtype.kind in "iuM":
        if values.dtype.kind == "M" and np.isnat(values).any():
            raise DataError(f"{what} must have no gaps; row {int(np.flatnonzero(np.isnat(values))[0]) + 1} is empty")
        return _seconds(values, what) if values.dtype.kind == "M" else _numbers(values.astype(np.int64), what)
    words = [_word(value) for value in values]
    if "" in words:
        raise DataError(f"{what} must have no gaps; row {words.index('') + 1} is empty. Leave such rows out.")
    if all(re.fullmatch(r"[+-]?\d{1,18}", word) for word in words):
        return _numbers(np.array([int(word) for word in words], np.int64), what)
    offsets = [bool(_OFFSET.search(word)) for word in words]
    if len(set(offsets)) > 1:
        row = offsets.index(not offsets[0])
        raise DataError(
            f"{what} must have an offset from UTC in all rows or in none; row 1 is {words[0]!r:.40}, "
            f"row {row + 1} {words[row]!r:.40}"
        )
    return _seconds(np.array([_date(word, row, what) for row, word in enumerate(words, start=1)]), what)


def find_frequency(several: Sequence[NDArray[Any]]) -> Frequency | None:
    """The grid of the times of several series, each rising; None if there are no times.

    Where no series has two of them, the size of a step is not known: it is 1, or 1 second.
    """
    times = np.concatenate(several) if several else np.zeros(0, np.int64)
    if not len(times):
        return None
    if times.dtype.kind != "M":
        return _commonest(several, _NUMBER)
    seconds = times.astype(np.int64)
    days = times.astype("datetime64[D]")
    spacing = _commonest(several, _SECOND).step
    if spacing >= 28 * _DAY and (remainder := _month_remainder(times)) is not None:
        found = _commonest(several, _MONTH)
        return Frequency(_MONTH, found.step, found.anchor, remainder)
    weekday = (days.astype(np.int64) + 3) % 7
    if spacing == _DAY and (weekday < 5).all() and not (seconds % _DAY).any() and any(map(_spans_weekend, several)):
        return _commonest(several, _WEEKDAY)
    return _commonest(several, _SECOND)


def words_of(time: Any) -> str:
    """A time as people write it: a date without hours where it has none."""
    if not isinstance(time, np.datetime64):
        return str(int(time))
    text = str(time.astype("datetime64[s]")).replace("T", " ")
    return text.removesuffix(" 00:00:00")


def _commonest(several: Sequence[NDArray[Any]], unit: str) -> Frequency:
    units = [_units(each, unit)[0] for each in several if len(each)]
    gaps = np.concatenate([np.diff(each) for each in units])
    sizes, counts = np.unique(gaps[gaps > 0], return_counts=True)
    step = int(sizes[counts.argmax()]) if len(sizes) else 1
    return Frequency(unit, step, int(units[0][0]))


def _units(times: NDArray[Any], unit: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Each time's unit, as a number, and what is left of the time."""
    if (times.dtype.kind == "M") == (unit == _NUMBER):
        raise DataError(f"times must be {'numbers' if unit == _NUMBER else 'dates'} as in training; got the other kind")
    whole = times.astype(np.int64)
    if unit in (_NUMBER, _SECOND):
        return whole, np.zeros(len(times), np.int64)
    if unit == _MONTH:
        months = times.astype("datetime64[M]")
        return months.astype(np.int64), whole - months.astype("datetime64[s]").astype(np.int64)
    days = times.astype("datetime64[D]")
    left = np.where(np.is_busday(days), whole - days.astype("datetime64[s]").astype(np.int64), _NEVER)
    return np.busday_count(np.datetime64("1970-01-01"), days).astype(np.int64), left


def _spans_weekend(times: NDArray[Any]) -> bool:
    days = times.astype("datetime64[D]")
    return len(days) > 0 and np.busday_count(days[0], days[-1]) < (days[-1] - days[0]).astype(np.int64)


def _month_remainder(times: NDArray[Any]) -> int | None:
    """Seconds into the month, if they are the same for all times or each is of its month's last day; else None."""
    _, remainders = _units(times, _MONTH)
    if (remainders == remainders[0]).all():
        return int(remainders[0])
    months = times.astype("datetime64[M]")
    last = (months + 1).astype("datetime64[s]").astype(np.int64) - times.astype(np.int64)
    return 30 * _DAY if (last == last[0]).all() and last[0] == _DAY else None


def is_missing(value: Any) -> bool:
    """Whether a cell that is no text says that nothing is there: None, NaN, NaT, or NA of pandas."""
    return value is None or (not isinstance(value, str) and str(value) in ("nan", "NaN", "sNaN", "NaT", "<NA>"))


def _word(value: Any) -> str:
    if is_missing(value):
        return ""
    if isinstance(value, datetime.datetime | datetime.date):
        return value.isoformat()
    return str(value).strip()


def _date(word: str, row: int, what: str) -> np.datetime64:
    try:
        if _OFFSET.search(word):
            return np.datetime64(
                datetime.datetime.fromisoformat(word).astimezone(datetime.UTC).replace(tzinfo=None), "us"
            )
        plain = word.replace("/", "-")
        if not _DATE.fullmatch(plain):
            raise ValueError(word)
        return np.datetime64(plain, "us")
    except ValueError as error:
        raise DataError(
            f"{what} must hold dates like 2016-07-01 or 2016-07-01 13:00:00, or whole numbers; row {row} is "
            f"{word!r:.40}"
        ) from error


def _numbers(numbers: NDArray[np.int64], what: str) -> NDArray[np.int64]:
    """Whole numbers as they are; DataError where they are dates like 20240131 or 202401: some are further apart."""
    months = numbers if numbers.max(initial=0) < 10**6 else numbers // 100
    days = numbers % 100 if numbers is not months else np.ones_like(numbers)
    years, months = np.divmod(months, 100)
    likely = (years >= 1600) & (years < 2200) & (months > 0) & (months <= 12) & (days > 0) & (days <= 31)
    if likely.all() and len(np.unique(np.diff(np.unique(numbers)))) > 1:
        raise DataError(
            f"{what} must hold dates like 2016-07-01, or whole numbers that count steps; row 1 is {numbers[0]}, a date "
            "without its hyphens"
        )
    return numbers


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
