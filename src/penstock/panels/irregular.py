"""Calendars that are regular to people but aren't grids: what dates that lie on no grid look like, and what to do."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.panels.months import months_and_rest

__all__ = ["irregular_words"]

_DAY = 86_400
_RETAIL = {
    (4, 5): "the months of a retail calendar (4-4-5), or periods of 4 weeks with a longer one in some years",
    (13, 14): "the quarters of a retail calendar",
    (52, 53): "the years of a retail calendar",
}
"""Weeks in a short and in a long period -> what such periods are."""
_PERIODS = (
    (80, 102, "once a quarter", "the quarter alone, such as 2024Q1"),
    (355, 376, "once a year", "the year alone, such as 2024"),
)
"""The fewest and most days between the times of a period, how often they come, and how to write the period."""
_NUMBER = (
    "Number the steps (0, 1, 2 and so on) in the column of times, or take each row for the step after the one before "
    "it: --time '' (time='')"
)


def irregular_words(several: Sequence[NDArray[Any]]) -> str:
    """Describe the calendar that dates seem to follow, for an error message; empty if none is recognised.

    Args:
        several: the dates of each series, datetime64[s], ascending.
    """
    gaps = np.concatenate([np.diff(each) for each in several]).astype(np.int64)
    if not len(gaps) or (gaps % _DAY).any():
        return ""
    sizes, counts = np.unique(gaps // _DAY, return_counts=True)
    weeks = tuple((sizes // 7).tolist())
    if not (sizes % 7).any() and weeks in _RETAIL:
        return (
            f"times must lie on a regular grid; these are {weeks[0]} or {weeks[1]} weeks apart ({counts[0]} and "
            f"{counts[1]} times), like {_RETAIL[weeks]}. When the next long one comes can't be told from the dates. "
            f"{_NUMBER}"
        )
    for least, most, often, example in _PERIODS:
        if sizes.min() >= least and sizes.max() <= most:
            return (
                f"times must lie on a regular grid; these come {often}, but on different days, {sizes.min()} to "
                f"{sizes.max()} days apart. Write {example}, if the exact day doesn't matter. {_NUMBER}"
            )
    if sizes.min() >= 10 and sizes.max() <= 21 and all(map(_is_twice_a_month, several)):
        return (
            f"times must lie on a regular grid; these come twice a month, but on different days of it, {sizes.min()} "
            f"to {sizes.max()} days apart. Write the same two days in each month, such as the 1st and the 15th, if the "
            f"exact day doesn't matter. {_NUMBER}"
        )
    return ""


def _is_twice_a_month(times: NDArray[Any]) -> bool:
    """Whether there are two times in each month, but perhaps one in the first and in the last month."""
    _, counts = np.unique(months_and_rest(times)[0], return_counts=True)
    return bool((counts[1:-1] == 2).all() and counts.max() == 2)
