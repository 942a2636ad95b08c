"""Finds the time grid of series: of all grids that contain every time, the one with the fewest gaps."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import DataError
from penstock.panels.frequency import (
    BUSINESS_DAY,
    DAY,
    MONTH,
    NUMBER,
    SECOND,
    WEEKDAYS,
    Frequency,
    weekday_words,
)
from penstock.panels.months import BUSINESS_RULES, WEEKDAY_RULES, month_starts_and_ends, months_and_rest
from penstock.panels.times import Times

__all__ = ["find_frequency"]

Several = Sequence[NDArray[Any]]

_BY_CHANCE = 1e-3
"""The largest probability at which a day or hour that never occurs is taken to be outside the timetable."""
_SELDOM = 0.1
"""Share of weeks below which a weekday is an exception, like a market's session on one Saturday."""
_LEAST_FULL = 0.5
"""The smallest share of a timetable's steps that must be present."""
_MOST_HOURS = DAY // 60
_LAST_DAY = 30
_MOST_DAYS, _LEAST_APART = 6, 5
"""The most days of a month on a grid, and the fewest days between them: pentads have six, five days apart."""


def find_frequency(several: Sequence[Times]) -> Frequency | None:
    """Find the time grid of several series.

    If no series has two times, the step size is unknown: it is set to 1, or to 1 second. Times with an offset from UTC
    are read in local time if steps are days or longer or follow a weekly timetable (opening hours follow local time),
    and otherwise in UTC (sensors measure at fixed intervals).

    Args:
        several: the times of each series, in ascending order.

    Returns:
        The grid; None if there are no times.

    Raises:
        DataError: a weekly timetable with a few additional days outside it.
    """
    several = [each for each in several if len(each)]
    if not several:
        return None
    first = several[0]
    if not first.are_dates:
        return _commonest([each.moments for each in several], NUMBER)
    clock, gaps = _best([each.by_clock for each in several])
    if first.offsets is None:
        _check_exceptions([each.moments for each in several], clock)
        return replace(clock, offset=None)
    offsets = np.unique(np.concatenate([each.offsets for each in several if each.offsets is not None]))
    clock = replace(clock, offset=int(offsets[0]) if len(offsets) == 1 else None)
    utc, utc_gaps = _best([each.moments for each in several])
    alone = max(map(len, several)) == 1
    by_days = alone or clock.unit != SECOND or clock.step >= DAY
    by_clock = by_days and gaps <= utc_gaps and (alone or gaps < np.inf)
    found = clock if by_clock else utc
    _check_exceptions([each.by_clock if by_clock else each.moments for each in several], found)
    return found


def _best(several: Several) -> tuple[Frequency, float]:
    """The grid with the fewest gaps, and their number; infinity if no grid contains all times."""
    equal = _commonest(several, SECOND)
    by_months = equal.step >= 28 * DAY
    candidates = [*(_months(several) if by_months else ()), equal, *_timetables(several)]
    if by_months:  # behind equal steps: the first Sundays of two months may just be four weeks apart
        candidates += _months(several, WEEKDAY_RULES)
    if _LEAST_APART * DAY <= equal.step < 28 * DAY:
        candidates += _days_of_months(several)
    gaps = [_gaps(each, several) for each in candidates]
    least = min(range(len(gaps)), key=gaps.__getitem__)
    return (candidates[least], gaps[least]) if gaps[least] < np.inf else (equal, np.inf)


def _gaps(frequency: Frequency, several: Several) -> float:
    """The number of steps without a time between each series' first and last; infinity if a time is off the grid."""
    try:
        places = [frequency.places(times) for times in several]
    except DataError:
        return np.inf
    if any((np.diff(each) < 1).any() for each in places):
        return np.inf
    return float(sum(each[-1] - each[0] + 1 - len(each) for each in places))


def _commonest(several: Several, unit: str) -> Frequency:
    """The grid of equal steps in a unit, with the most common step size."""
    units = [months_and_rest(each)[0] if unit == MONTH else each.astype(np.int64) for each in several]
    gaps = np.concatenate([np.diff(each) for each in units])
    sizes, counts = np.unique(gaps[gaps > 0], return_counts=True)
    step = int(sizes[counts.argmax()]) if len(sizes) else 1
    return Frequency(unit, step, int(units[0][0]))


def _months(several: Several, rules: Sequence[str] = ()) -> Iterable[Frequency]:
    """The monthly grid by one of the rules; without rules, on the same day, the last one or a business day."""
    times = np.concatenate(several)
    _, rest = months_and_rest(times)
    day, seconds = np.divmod(rest, DAY)
    if (seconds != seconds[0]).any():
        return
    found, clock = _commonest(several, MONTH), int(seconds[0])
    last = (times.astype("datetime64[M]") + 1).astype("datetime64[D]") - 1
    is_end = (times.astype("datetime64[D]") == last).all()
    ways = [] if rules else [replace(found, remainder=(_LAST_DAY if is_end else int(day.max())) * DAY + clock)]
    ways += [replace(found, remainder=clock, day_rule=rule) for rule in rules or BUSINESS_RULES]
    for way in ways:
        months = (months_and_rest(times)[0] - way.anchor) / way.step
        if (months == np.rint(months)).all() and (way.times(months.astype(np.int64)) == times).all():
            yield way
            return


def _days_of_months(several: Several) -> Iterable[Frequency]:
    """Grids of several days of each month, each of which occurs at least twice; the last one may be the last day."""
    times = np.concatenate(several)
    months, rest = months_and_rest(times)
    day, seconds = np.divmod(rest, DAY)
    starts, ends = month_starts_and_ends(months)
    is_last = day == (ends - starts).astype(np.int64) - 1
    usual = set(day[~is_last].tolist())
    for days in (set(day.tolist()), usual, usual | {_LAST_DAY}):
        rising = sorted(days)
        apart = np.diff([*rising, rising[0] + 28]) if rising else np.zeros(1)
        if not 1 < len(rising) <= _MOST_DAYS or apart.min() < _LEAST_APART or len(times) < 2 * len(rising):
            continue
        found = Frequency(MONTH, 1, 0, int(seconds[0]), month_days=tuple(rising))
        if _gaps(found, several) < np.inf:
            yield replace(found, anchor=int(found.places(several[0][:1])[0]))


def _timetables(several: Several) -> Iterable[Frequency]:
    """A weekly timetable of the weekdays and times of day that occur, if the others are absent too often for chance."""
    hours = np.unique(np.concatenate([each.astype(np.int64) % DAY for each in several]))
    if len(hours) > _MOST_HOURS:
        return
    days = [np.unique(each.astype(np.int64) // DAY) for each in several]
    seen = np.unique((np.concatenate(days) + 3) % 7)
    passed = np.max([_passes(each) for each in days], axis=0)
    rows, expected = sum(map(len, several)), sum(int(_passes(each)[seen].sum()) for each in days) * len(hours)
    chance = 1 - (rows + 1) / (expected + 2)  # that a timetable step is missing, by Laplace's rule of succession
    weekdays = _open_days(set(seen.tolist()), passed, chance)
    around = len(hours) == DAY // int(np.gcd.reduce([DAY, *np.diff(hours)]))
    kept = around or len(hours) == 1 or chance ** max(map(len, days)) < _BY_CHANCE
    if not kept or rows < _LEAST_FULL * expected or (len(weekdays) == 7 and (around or len(hours) == 1)):
        return
    found = Frequency(
        BUSINESS_DAY,
        1,
        0,
        int(hours[0]) if len(hours) == 1 else 0,
        weekdays=weekdays,
        hours=() if len(hours) == 1 else tuple(hours.tolist()),
    )
    yield replace(found, anchor=int(found.places(several[0][:1])[0]))


def _check_exceptions(several: Several, found: Frequency) -> None:
    """Raise DataError if a weekday is so rare that it is an exception to a timetable, not a part of it."""
    if found.unit == MONTH:
        return
    days = [np.unique(each.astype(np.int64) // DAY) for each in several]
    passed = np.sum([_passes(each) for each in days], axis=0)
    weekday = (np.concatenate(days) + 3) % 7
    there = np.bincount(weekday, minlength=7)
    seldom = (there > 0) & (there <= _SELDOM * passed)
    usual = there > _LEAST_FULL * passed
    if not seldom.any() or not usual.any() or not (seldom | usual | (there == 0)).all():
        return
    rows = np.flatnonzero(seldom[weekday])
    dates = np.concatenate(days)[rows].astype("datetime64[D]")
    raise DataError(
        f"times must follow one weekly timetable; they do on {weekday_words(np.flatnonzero(usual).tolist())}, but for "
        f"{len(rows)} of {len(weekday)} days, such as {dates[0]}, a {weekday_words([int(weekday[rows[0]])])}. Leave "
        "the rows of such days out, or join them to the day before."
    )


def _passes(days: NDArray[np.int64]) -> NDArray[np.int64]:
    """How often each weekday occurs between the first and the last of ascending days, (7,)."""
    weekday = np.arange(7)
    return (days[-1] + 3 - weekday) // 7 - (days[0] + 2 - weekday) // 7


def _open_days(seen: set[int], passed: NDArray[np.int64], chance: float) -> tuple[int, ...]:
    """The weekdays of a timetable: those seen, and those whose absence may be due to chance."""
    office = seen <= set(WEEKDAYS)  # Monday to Friday is so common that one weekend is enough evidence
    closed = {
        day
        for day in set(range(7)) - seen
        if (passed[day] if office and day not in WEEKDAYS else chance ** passed[day] < _BY_CHANCE)
    }
    return tuple(sorted(set(range(7)) - closed))
