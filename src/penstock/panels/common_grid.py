"""The grid of times that all series of a table share, and errors that say which series or times aren't on one."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import DataError
from penstock.panels.frequency import Frequency
from penstock.panels.frequency_search import find_frequency
from penstock.panels.irregular import irregular_words
from penstock.panels.times import Times, words_of

__all__ = ["on_grid"]


def on_grid(
    times: Times | None, groups: Mapping[str, NDArray[np.int64]]
) -> tuple[Frequency | None, dict[str, NDArray[np.int64]]]:
    """Find the grid, and the places of rows on it.

    Args:
        times: the times of all rows; None without times, when rows are one step apart.
        groups: the name of each series, and its rows in the order of their times.

    Returns:
        The grid, None without times; and for each series the place of each of its rows.

    Raises:
        DataError: the times are irregular, or the series lie on different grids.
    """
    if times is None:
        return None, {name: np.arange(len(members)) for name, members in groups.items()}
    frequency = find_frequency([times[members] for members in groups.values()])
    assert frequency is not None  # there are rows
    try:
        places = {name: frequency.places(frequency.read(times[members])) for name, members in groups.items()}
    except DataError as error:
        if differing := _differing(times, groups):
            raise DataError(differing) from error
        by_clock = [times[members].by_clock for members in groups.values()]
        if times.are_dates and (seen := irregular_words(by_clock)):
            raise DataError(seen) from error
        raise
    if _is_nobodys(places, times, groups) and (differing := _differing(times, groups)):
        raise DataError(differing)
    return frequency, places


def _is_nobodys(places: Mapping[str, NDArray[np.int64]], times: Times, groups: Mapping[str, NDArray[np.int64]]) -> bool:
    """Whether every one of several series has gaps on this grid but none on its own: the grid then fits no series."""
    several = [name for name, members in groups.items() if len(members) > 2]
    # Lazy: usually the first series already decides.
    return len(several) > 1 and all(_gaps(places[name]) and not _own_gaps(times[groups[name]]) for name in several)


def _own_gaps(times: Times) -> int:
    grid = find_frequency([times])
    assert grid is not None
    try:
        return _gaps(grid.places(grid.read(times)))
    except DataError:
        return 1


def _gaps(places: NDArray[np.int64]) -> int:
    """The number of steps without a row between the first and the last row."""
    return int(places[-1] - places[0]) + 1 - len(places)


def _differing(times: Times, groups: Mapping[str, NDArray[np.int64]]) -> str:
    """The message if each series is regular by itself but all of them together are not; otherwise empty."""
    grids: list[tuple[str, Frequency, Any]] = []
    for name, members in groups.items():
        grid = find_frequency([times[members]])
        assert grid is not None
        own = grid.read(times[members])
        try:
            grid.places(own)
        except DataError:
            return ""
        if len(own) > 1:
            grids.append((name, grid, own[0]))
    for name, grid, start in grids[1:]:
        first, other, other_start = grids[0]
        try:
            if grid.like(other):
                other.places(other.from_other(np.array([start]), grid))
                continue
        except DataError:
            pass
        return (
            f"all series must share one grid of times; series {first} has steps of {other.words} from "
            f"{words_of(other_start)} on, series {name} of {grid.words} from {words_of(start)} on. "
            "Write the times of one as the other has them, or train a model for each."
        )
    return ""
