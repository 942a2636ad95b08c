"""Regular time grids with numbered steps: seconds, months, days of each month, weekly timetables, plain numbers.

A place on the grid is a whole number, so consecutive months are one step apart although they differ in length, and
so are Friday and Monday on a grid of business days. `panels.frequency_search` finds the grid of given times.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from penstock.errors import ConfigError, DataError
from penstock.panels.months import (
    DAY_RULES,
    WEEKDAY_NAMES,
    WEEKDAY_RULES,
    day_words,
    month_days_units,
    month_starts_and_ends,
    months_and_rest,
    rule_days,
)
from penstock.panels.times import Times, words_of

__all__ = [
    "BUSINESS_DAY",
    "DAY",
    "MONTH",
    "NUMBER",
    "SECOND",
    "WEEKDAYS",
    "Frequency",
    "weekday_words",
]

NUMBER, SECOND, MONTH, BUSINESS_DAY = "number", "second", "month", "business day"
DAY = 86_400
WEEKDAYS = (0, 1, 2, 3, 4)
"""Monday to Friday; weekdays are numbered from 0 for Monday."""
_HOUR = 3600
_THURSDAY = 3  # the weekday of 1970-01-01
_LARGEST = 2**53


@dataclass(frozen=True)
class Frequency:
    """A regular time grid.

    unit: "number", "second", "month" or "business day" (one time of a weekly timetable)
    step: units per step
    anchor: the unit number of one step; all steps are anchor + k * step
    remainder: the rest of a time within its unit: seconds into the month, or into the day. If a month is too short for
        that day, its last day is used.
    offset: the offset of the times from UTC in seconds, 0 for UTC; None if it is unknown or changes
    weekdays: the weekdays of the timetable, 0 for Monday
    hours: the times of day of the timetable, in seconds; empty for one time a day, given by `remainder`
    day_rule: the rule for the day of the month if it isn't fixed, one of `months.DAY_RULES`
    month_days: the days of the month if a month has several steps, 0 for the first; then the time of day is `remainder`
    """

    kind: ClassVar[str] = "frequency"
    unit: str
    step: int
    anchor: int
    remainder: int = 0
    offset: int | None = 0
    weekdays: tuple[int, ...] = WEEKDAYS
    hours: tuple[int, ...] = ()
    day_rule: str = ""
    month_days: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        known = self.unit in (NUMBER, SECOND, MONTH, BUSINESS_DAY) and self.day_rule in ("", *DAY_RULES)
        small = all(abs(each) <= _LARGEST for each in (self.step, self.anchor, self.remainder, self.offset or 0))
        timetable = (
            self.weekdays and _rises(self.weekdays, 7) and _rises(self.hours, DAY) and _rises(self.month_days, 31)
        )
        if not (known and small and timetable and self.step >= 1):
            raise ConfigError(f"a frequency must be a known unit and a step of at least 1; got {self!s:.200}")

    def places(self, times: NDArray[Any]) -> NDArray[np.int64]:
        """The place of each time on the grid; times are in the grid's local time.

        Raises:
            DataError: some times are not on the grid.
        """
        units, right = self._units(times)
        places, rest = np.divmod(units - self.anchor, self.step)
        wrong = (rest != 0) | ~right
        if wrong.any():
            first = int(np.flatnonzero(wrong)[0])
            raise DataError(
                f"times must lie a whole number of steps of {self.words} apart; {words_of(times[first])} does not "
                f"({int(wrong.sum())} of {len(times)} rows). {self._advice(rest)}"
            )
        return places

    def _advice(self, rest: NDArray[np.int64]) -> str:
        if self.unit == SECOND and self.step % DAY == 0 and np.isin(rest, (0, _HOUR, self.step - _HOUR)).all():
            return "Are they days by a clock that knows daylight saving time? Write dates alone, or with their offset."
        if self.unit == SECOND and 26 * DAY <= self.step <= 33 * DAY:
            return "Are they months, on different days of each? Write the month alone: 2016-07."
        if self.unit == NUMBER or (self.unit == SECOND and self.step < DAY):
            return "Resample the data to regular steps first."
        return "Correct that time, or leave its row out."

    def times(self, places: NDArray[np.int64]) -> NDArray[Any]:
        """The times at these places, in the grid's local time: int64, or datetime64[s]."""
        units = self.anchor + np.asarray(places, np.int64) * self.step
        if self.unit == NUMBER:
            return units
        if self.unit == SECOND:
            return units.astype("datetime64[s]")
        return self._month_times(units) if self.unit == MONTH else self._timetable(units)

    def read(self, times: Times) -> NDArray[Any]:
        """Times converted to the grid's local time, as `places` takes them."""
        if self.offset is None or times.offsets is None:
            return times.by_clock
        if self.offset == 0:
            return times.moments
        return times.by_clock if times.offsets.any() else times.moments + np.timedelta64(self.offset, "s")

    def from_other(self, times: NDArray[Any], other: "Frequency") -> NDArray[Any]:
        """Times converted from another grid's local time to this one's; they differ if only one of the two is UTC."""
        return times + np.timedelta64(self._ahead_of(other), "s") if self._ahead_of(other) else times

    def like(self, other: "Frequency") -> bool:
        """Whether both grids have the same steps, and local times that need no conversion."""
        same = all(
            getattr(self, name) == getattr(other, name) for name in ("unit", "step", "weekdays", "hours", "month_days")
        )
        return same and not self._ahead_of(other)

    @property
    def words(self) -> str:
        """The step size as text: "1 hour", "3 months", "1 day (Sunday to Thursday)"."""
        size, unit = self.step, self.unit
        if unit == NUMBER:
            return str(size)
        if unit == BUSINESS_DAY and (self.hours or self.weekdays != WEEKDAYS):
            return self._timetable_words()
        if self.month_days:
            return f"1 time of the month ({day_words(self.month_days)})"
        if unit == SECOND:
            size, unit = _duration(size)
        rule = f" ({self.day_rule})" if self.day_rule in WEEKDAY_RULES else ""
        return f"{size} {unit}{'' if size == 1 else 's'}{rule}"

    @property
    def per_day(self) -> int:
        """Steps per day of a timetable."""
        return max(len(self.hours), 1)

    def to_json(self) -> dict[str, Any]:
        """The frequency as plain values; fields that older bundles lack are included only if not at their default."""
        plain: dict[str, Any] = {name: getattr(self, name) for name in ("unit", "step", "anchor", "remainder")}
        for name in ("offset", "weekdays", "hours", "day_rule", "month_days"):
            value, usual = getattr(self, name), type(self).__dataclass_fields__[name].default
            if value != usual:
                plain[name] = list(value) if isinstance(value, tuple) else value
        return plain

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Frequency":
        """The inverse of `to_json`; ConfigError if the data does not describe a frequency."""
        try:
            plain: dict[str, Any] = {name: int(data[name]) for name in ("step", "anchor", "remainder")}
            plain |= {name: tuple(map(int, data[name])) for name in ("weekdays", "hours", "month_days") if name in data}
            plain |= {"unit": str(data["unit"]), "day_rule": str(data.get("day_rule", ""))}
            offset = data.get("offset", 0)
            plain["offset"] = None if offset is None else int(offset)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise ConfigError(f"a frequency must have unit, step, anchor and remainder; got {data!r:.80}") from error
        return cls(**plain)

    def _ahead_of(self, other: "Frequency") -> int:
        """Seconds by which this grid's local time is ahead of another's, if one of them is UTC and the other is not."""
        if self.offset is None or other.offset is None or (self.offset and other.offset):
            return 0
        return self.offset - other.offset

    def _units(self, times: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The unit number of each time, and whether the time is valid within that unit."""
        if (times.dtype.kind == "M") == (self.unit == NUMBER):
            wanted = "numbers" if self.unit == NUMBER else "dates"
            raise DataError(f"times must be {wanted} as in training; got the other kind")
        whole = times.astype(np.int64)
        if self.unit in (NUMBER, SECOND):
            return whole, np.ones(len(times), bool)
        if self.month_days:
            return month_days_units(times, self.month_days, self.remainder)
        if self.unit == MONTH:  # any day is accepted: only the month matters
            return months_and_rest(times)[0], np.ones(len(times), bool)
        days, seconds = np.divmod(whole, DAY)
        weeks, weekday = np.divmod(days + _THURSDAY, 7)
        (on_days, day), (on_hours, hour) = _index(self.weekdays, weekday), _index(self._hours, seconds)
        units = (weeks * len(self.weekdays) + day - self._before) * len(self._hours) + hour
        return units, on_days & on_hours

    def _timetable(self, units: NDArray[np.int64]) -> NDArray[Any]:
        """The inverse of `_units` for a weekly timetable."""
        days, hour = np.divmod(units, len(self._hours))
        weeks, day = np.divmod(days + self._before, len(self.weekdays))
        days = weeks * 7 + np.array(self.weekdays)[day] - _THURSDAY
        return (days * DAY + np.array(self._hours)[hour]).astype("datetime64[s]")

    def _month_times(self, units: NDArray[np.int64]) -> NDArray[Any]:
        day, seconds = divmod(self.remainder, DAY)
        if self.day_rule:
            return rule_days(self.day_rule, units).astype("datetime64[s]") + seconds
        months, which = np.divmod(units, max(len(self.month_days), 1))
        starts, ends = month_starts_and_ends(months)
        days = np.array(self.month_days or (day,))[which]
        return (starts + np.minimum(days, (ends - starts).astype(np.int64) - 1)).astype("datetime64[s]") + seconds

    @property
    def _hours(self) -> tuple[int, ...]:
        return self.hours or (self.remainder,)

    @property
    def _before(self) -> int:
        """The number of timetable days before 1970-01-01 in its week, so that days are counted from that date."""
        return sum(day < _THURSDAY for day in self.weekdays)

    def _timetable_words(self) -> str:
        days, gaps = weekday_words(self.weekdays), set(np.diff(self.hours).tolist())
        if not self.hours:
            return f"1 day ({days})"
        hours = [f"{each // _HOUR:02d}:{each // 60 % 60:02d}" for each in self.hours]
        if len(hours) < 3 or len(gaps) > 1:
            return f"1 time of day ({days}, {', '.join(hours):.60})"
        size, unit = _duration(gaps.pop())
        return f"{size} {unit}{'' if size == 1 else 's'} ({days}, {hours[0]} to {hours[-1]})"


def _rises(values: tuple[int, ...], end: int) -> bool:
    """Whether values are strictly ascending, at least 0 and below `end`."""
    return all(0 <= each < end for each in values) and all(np.diff(values) > 0)


def _index(rising: tuple[int, ...], values: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Whether each value is one of the ascending values, and its index among them."""
    among = np.array(rising)
    found = np.minimum(np.searchsorted(among, values), len(among) - 1)
    return among[found] == values, found


def _duration(seconds: int) -> tuple[int, str]:
    for size, name in ((7 * DAY, "week"), (DAY, "day"), (_HOUR, "hour"), (60, "minute")):
        if seconds % size == 0:
            return seconds // size, name
    return seconds, "second"


def weekday_words(weekdays: Sequence[int]) -> str:
    """Weekdays as text: a range such as "Sunday to Thursday", or a list of names if they are not consecutive."""
    if len(weekdays) == 7:
        return "every day"
    starts = [day for day in weekdays if (day - 1) % 7 not in weekdays]
    if len(starts) == 1 and len(weekdays) > 1:
        return f"{WEEKDAY_NAMES[starts[0]]} to {WEEKDAY_NAMES[(starts[0] + len(weekdays) - 1) % 7]}"
    return ", ".join(WEEKDAY_NAMES[day] for day in weekdays)
