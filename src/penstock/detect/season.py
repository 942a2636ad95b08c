"""What is usual at each point of a season, by the seasons before: it does not read the latest values.

What comes as a jump is no surprise a row later to a network that reads the row; it still is one here. A profile has a
mean and a mean square deviation for each point, which follow the values as they arrive. Of a few seasons a point has a
few values; how far they lie apart is then what it is at the points beside it, as nights may be quieter than days. A
series without a season has one point, its long-run level.
"""

from math import nan, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["MOST_POINTS", "PROFILE", "PROFILE_NEAR", "follow", "new_profile", "points", "usual", "walk"]

Array = NDArray[np.float64]
Memory = dict[str, NDArray[Any]]

_FOLLOWING = ("season_mean", "season_square", "season_count")
PROFILE_NEAR = "season_near"
PROFILE = (*_FOLLOWING, PROFILE_NEAR)
"""What is kept of each point, (series, points, targets): the mean, the mean square deviation, and values seen; and the
spread at the points beside it, in units of that of all points together, which stays as training found it."""
MOST_POINTS = 2016
"""The most points of a season: a week in steps of five minutes."""
_PRIOR = 25.0
"""The spread at the points beside a point counts as so many of its own values: it is taken from about as many."""
_FEWEST, _ROWS = 8, 1000
"""Older values fade: at so many seasons, or so many rows if that is more, a new value counts as one of these."""
_FARTHEST = 5.0
"""The most by which a value changes a profile, in spreads."""


def new_profile(series: int, points: int, targets: int) -> Memory:
    """Return the profiles of series of which nothing was seen."""
    shape = (series, points, targets)
    return {**{name: np.zeros(shape) for name in _FOLLOWING}, PROFILE_NEAR: np.ones(shape)}


def points(at: NDArray[np.int64], origin: NDArray[Any], span: NDArray[Any], count: NDArray[Any]) -> NDArray[np.int64]:
    """Return the point of the season nearest to each time, (rows,), from 0 to `count` - 1.

    Args:
        at: times, or numbers of rows; `origin` is that of a first point.
        span: the season in the unit of `at`.
        count: the points of the season.
    """
    phase = (at - origin) % span
    nearest: NDArray[np.int64] = (2 * phase * count + span) // (2 * span) % count
    return nearest


def usual(memory: Memory, places: NDArray[np.int64], at: NDArray[np.int64], spread: Array) -> tuple[Array, Array]:
    """Return the mean of points, NaN where nothing was seen, and the standard deviation of the next value there.

    Args:
        memory: with `PROFILE`.
        places, at: (rows,), the series' places in the memory, and the points.
        spread: (rows, targets), the standard deviation of all points together.
    """
    mean, square, count, share = (memory[name][places, at] for name in PROFILE)
    own, near = np.maximum(count - 1.0, 0.0), share * spread
    variance = (own * square + _PRIOR * near * near) / (own + _PRIOR)
    return np.where(count > 0, mean, np.nan), np.sqrt(variance * (1.0 + 1.0 / np.maximum(count, 1.0)))


def follow(
    memory: Memory,
    places: NDArray[np.int64],
    at: NDArray[np.int64],
    values: Array,
    spread: Array,
    period: NDArray[np.int64],
) -> None:
    """Add values (rows, targets), NaN where missing, to the profiles, in place.

    Args:
        memory, places, at: as for `usual`; no point twice.
        spread: (rows, targets), as `usual` returned it.
        period: (rows,), the points of the season.
    """
    mean, square, count = (memory[name][places, at] for name in _FOLLOWING)
    there, first = ~np.isnan(values), count == 0
    most = np.maximum(_FEWEST, _ROWS // period)[:, None]
    error = np.where(there, values, 0.0) - mean
    error = np.where(first, error, np.minimum(np.maximum(error, -_FARTHEST * spread), _FARTHEST * spread))
    seen = np.minimum(count + 1.0, most)
    follows = there & ~first
    step = (error * error * count / (count + 1.0) - square) / np.maximum(count, 1.0)
    found = (
        np.where(there, mean + error / seen, mean),
        np.where(follows, square + step, square),
        np.where(there, seen, count),
    )
    for name, each in zip(_FOLLOWING, found, strict=True):
        memory[name][places, at] = each


def walk(
    memory: Memory, place: int, at: NDArray[np.int64], values: Array, spread: Array, period: int
) -> tuple[Array, Array]:
    """Return what `usual` returns for the rows of one series, (steps, targets), each followed before the next one.

    The bits are those of `usual` and `follow`; one value at a time, plain numbers are ten times as fast.

    Args:
        memory, values: as for `follow`.
        place: of the series.
        at: (steps,), points.
        spread: (targets,).
        period: the points of the season.
    """
    means, deviations = np.empty(values.shape), np.empty(values.shape)
    for target, column in enumerate(values.T):
        own = [memory[name][place, :, target].tolist() for name in PROFILE]
        means[:, target], deviations[:, target] = _walk(
            own, at.tolist(), column.tolist(), float(spread[target]), period
        )
        for name, each in zip(_FOLLOWING, own[:-1], strict=True):
            memory[name][place, :, target] = each
    return means, deviations


def _walk(
    profile: list[list[float]], at: list[int], values: list[float], spread: float, period: int
) -> tuple[list[float], list[float]]:
    """Mean and deviation before each value of one target, whose profile is changed."""
    mean, square, count, shares = profile
    near, most = [share * spread for share in shares], float(max(_FEWEST, _ROWS // period))
    prior = [_PRIOR * each * each for each in near]
    means, deviations = [], []
    for point, value in zip(at, values, strict=True):
        seen = count[point]
        own = max(seen - 1.0, 0.0)
        deviation = sqrt((own * square[point] + prior[point]) / (own + _PRIOR) * (1.0 + 1.0 / max(seen, 1.0)))
        means.append(mean[point] if seen else nan)
        deviations.append(deviation)
        if value != value:
            continue
        error = value - mean[point]
        if seen:
            error = min(max(error, -_FARTHEST * deviation), _FARTHEST * deviation)
            square[point] += (error * error * seen / (seen + 1.0) - square[point]) / seen
        count[point] = min(seen + 1.0, most)
        mean[point] += error / count[point]
    return means, deviations
