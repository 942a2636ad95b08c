"""Times of a month: its days, its first and last business day, and weekdays such as its third Friday."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "BUSINESS_RULES",
    "DAY_RULES",
    "WEEKDAY_NAMES",
    "WEEKDAY_RULES",
    "day_words",
    "month_days_units",
    "month_starts_and_ends",
    "months_and_rest",
    "rule_days",
]

_DAY = 86_400
WEEKDAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NTH = ("first", "second", "third", "fourth", "last")
BUSINESS_RULES = ("first business day", "last business day")
WEEKDAY_RULES = tuple(f"{nth} {day}" for nth in _NTH for day in WEEKDAY_NAMES)
DAY_RULES = (*BUSINESS_RULES, *WEEKDAY_RULES)
"""Rules for the day of a month, by their names in `Frequency.day_rule`."""
_LAST = 30


def months_and_rest(times: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The month of each time, counted from January 1970, and its seconds into that month."""
    months = times.astype("datetime64[M]")
    return months.astype(np.int64), times.astype(np.int64) - months.astype("datetime64[s]").astype(np.int64)


def month_starts_and_ends(months: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The first day of each month, counted from January 1970, and of the month after it, datetime64[D]."""
    starts = months.astype("datetime64[M]").astype("datetime64[D]")
    return starts, (months + 1).astype("datetime64[M]").astype("datetime64[D]")


def rule_days(rule: str, months: NDArray[np.int64]) -> NDArray[Any]:
    """The day that a rule chooses in each month, counted from January 1970, datetime64[D]."""
    starts, ends = month_starts_and_ends(months)
    nth, _, name = rule.partition(" ")
    mask = [day == name for day in WEEKDAY_NAMES] if name in WEEKDAY_NAMES else [True] * 5 + [False] * 2
    if nth == "last":
        return np.busday_offset(ends - 1, 0, roll="backward", weekmask=mask)
    return np.busday_offset(starts, _NTH.index(nth), roll="forward", weekmask=mask)


def month_days_units(
    times: NDArray[Any], days: Sequence[int], seconds: int
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Number the times of a grid of several days in each month.

    Args:
        times: datetime64[s].
        days: the days of a month, ascending, 0 for the first; the last day of a month counts as any later day.
        seconds: the time of day.

    Returns:
        The number of each time, counted from January 1970, and whether the time is on the grid.
    """
    months, rest = months_and_rest(times)
    starts, ends = month_starts_and_ends(months)
    day, second = np.divmod(rest, _DAY)
    there = np.minimum(np.array(days), (ends - starts).astype(np.int64)[:, None] - 1) == day[:, None]
    return months * len(days) + there.argmax(axis=1), there.any(axis=1) & (second == seconds)


def day_words(days: Sequence[int]) -> str:
    """Days of a month as text, such as "1st, 15th" or "15th, last"."""
    return ", ".join("last" if day == _LAST else _ordinal(day + 1) for day in days)


def _ordinal(number: int) -> str:
    ending = "th" if 10 < number < 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
