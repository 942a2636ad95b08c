"""Finds how a training series repeats: its season, the times of its points, and the profile to start with."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.detect.memory import NEVER
from penstock.detect.season import MOST_POINTS, PROFILE, PROFILE_NEAR, new_profile, points, walk
from penstock.detect.timelines import Timeline

__all__ = [
    "empty_profiles",
    "fitted_profiles",
    "fitted_seasons",
    "lag_errors",
    "last_times",
    "near_spreads",
    "no_seasons",
]

Array = NDArray[np.float64]
_PEAKS, _FEWEST, _NEARLY = 5, 8, 1.1
_BETTER = 0.5
"""A season must have at most this share of the mean difference between values any time apart."""
_SMALLEST = 1e-3
"""The least spread of a season, in units of the series' spread."""
_BESIDE, _SHRINKING = 12, 10.0
"""The points on each side that are beside a point; the spread of all points counts as so many values at these."""
_DIGITS = 4  # of a saved profile, in units of the series' spread


def lag_errors(values: Array) -> dict[int, float]:
    """Return the mean difference of values (steps, targets) from those some steps before, for the likeliest seasons.

    These are the highest peaks of the autocorrelation, up to half the series' length.
    """
    steps, there = len(values), ~np.isnan(values)
    rest = np.where(there, values - np.where(there, values, 0).sum(axis=0) / np.maximum(there.sum(axis=0), 1), 0)
    power = (np.abs(np.fft.rfft(rest, 2 * steps, axis=0)) ** 2).sum(axis=1)
    correlation = np.fft.irfft(power)[: steps // 2 + 1]
    inside = correlation[1:-1]
    peaks = np.flatnonzero((inside > correlation[:-2]) & (inside >= correlation[2:]) & (inside > 0)) + 1
    candidates = sorted(peaks[np.argsort(-correlation[peaks], kind="stable")][:_PEAKS].tolist())
    both = {lag: np.abs(values[lag:] - values[:-lag]) for lag in candidates}
    return {lag: float(found[~np.isnan(found)].mean()) for lag, found in both.items() if not np.isnan(found).all()}


def fitted_seasons(series: Sequence[Timeline], spreads: Array) -> dict[str, Array]:
    """Return of each series `points`, of its season, its `span` in time, or rows, and the `origin` of a first point.

    Also `season_share`, (series, targets): the spread of the season's residuals in units of the series' spread.

    Args:
        series: the training series.
        spreads: (series, targets).
    """
    found: dict[str, list[Any]] = {"points": [], "span": [], "origin": [], "season_share": []}
    for each, spread in zip(series, spreads, strict=True):
        values = each.values / spread
        lag = _season(values)
        count, span = _span(each.times, lag)
        found["points"].append(count)
        found["span"].append(span)
        found["origin"].append(0 if each.times is None else each.times.astype(np.int64)[0])
        found["season_share"].append(_residuals(values, lag))
    return {name: np.array(several, np.float64) for name, several in found.items()}


def no_seasons(series: int, targets: int) -> dict[str, Array]:
    """Return what `fitted_seasons` and `last_times` return of series without a season, of which nothing was seen."""
    one, until = np.ones(series), np.full(series, float(NEVER))
    share = np.ones((series, targets))
    return {"points": one, "span": one, "origin": np.zeros(series), "until": until, "season_share": share}


def last_times(series: Sequence[Timeline]) -> Array:
    """Return the time of each training series' last row, (series,), up to which its values are in the profiles."""
    last = [NEVER if each.times is None else each.times.astype(np.int64)[-1] for each in series]
    return np.array(last, np.float64)


def empty_profiles(series: Sequence[Timeline], scales: dict[str, Array], spreads: Array) -> dict[str, Array]:
    """Return the profiles before the training series: nothing was seen, but the spread beside each point is known.

    Args:
        series: the training series.
        scales: `location` and what `fitted_seasons` returns.
        spreads: (series, targets).
    """
    found = new_profile(len(series), int(scales["points"].max()), spreads.shape[1])
    for place, each in enumerate(series):
        period = int(scales["points"][place])
        if each.times is not None and period > 1:
            at, share = _points_of(each, scales, place), scales["season_share"][place]
            near = np.maximum(near_spreads(at, each.values / spreads[place], period, share), _SMALLEST)
            found[PROFILE_NEAR][place, :period] = (near / share).round(_DIGITS)
    return found


def near_spreads(at: NDArray[np.int64], values: Array, period: int, spread: Array) -> Array:
    """Return the spread of the season's residuals at the points beside each point, (period, targets).

    A point's own values are left out, because they are compared with what this returns.

    Args:
        at: (steps,), points.
        values: (steps, targets), NaN where missing.
        period: the points of the season, at least 2.
        spread: (targets,), of all points together.
    """
    found = np.empty((period, values.shape[1]))
    reach = min(_BESIDE, (period - 1) // 2)
    beside = [shift for step in range(1, reach + 1) for shift in (-step, step)]
    for target, column in enumerate(values.T):
        there = np.flatnonzero(~np.isnan(column))
        order = there[np.argsort(at[there], kind="stable")]
        later, same = order[1:], at[order][1:] == at[order][:-1]
        squares = (column[order][1:] - column[order][:-1]) ** 2 / 2
        sums, counts = (np.bincount(at[later][same], each[same], period) for each in (squares, np.ones(len(later))))
        near, several = (sum((np.roll(each, shift) for shift in beside), np.zeros(period)) for each in (sums, counts))
        found[:, target] = np.sqrt((near + _SHRINKING * spread[target] ** 2) / (several + _SHRINKING))
    return found


def fitted_profiles(series: Sequence[Timeline], scales: dict[str, Array], spreads: Array) -> dict[str, Array]:
    """Return the profiles after the training series, (series, points, targets), in units of the series.

    Without times a season has no known phase in other data, so that its profile is left empty.

    Args:
        series: the training series.
        scales: `location` and what `fitted_seasons` returns.
        spreads: (series, targets).
    """
    found = empty_profiles(series, scales, spreads)
    for place, each in enumerate(series):
        period = int(scales["points"][place])
        if each.times is not None or period == 1:
            values = (each.values - scales["location"][place]) / spreads[place]
            walk(found, place, _points_of(each, scales, place), values, scales["season_share"][place], period)
    return {name: array.round(_DIGITS if name != PROFILE[1] else 2 * _DIGITS) for name, array in found.items()}


def _points_of(series: Timeline, scales: dict[str, Array], place: int) -> NDArray[np.int64]:
    at = np.arange(len(series)) if series.times is None else series.times.astype(np.int64)
    origin, span, count = (int(scales[name][place]) for name in ("origin", "span", "points"))
    return points(at, np.array(origin), np.array(span), np.array(count))


def _season(values: Array) -> int:
    """The lag at which a series repeats, the shortest of those that are nearly the best; 1 without a season."""
    if len(values) <= _FEWEST:
        return 1
    errors = {lag: error for lag, error in lag_errors(values).items() if 1 < lag <= MOST_POINTS}
    if not errors or min(errors.values()) > _BETTER * _difference(values):
        return 1
    return min(lag for lag, error in errors.items() if error <= _NEARLY * min(errors.values()))


def _difference(values: Array) -> float:
    """The mean difference between two values any time apart (Gini 1912), over all targets."""
    found = []
    for column in values.T:
        ordered = np.sort(column[~np.isnan(column)])
        count = len(ordered)
        if count > 1:
            found.append(2 * ((2 * np.arange(1, count + 1) - count - 1) * ordered).sum() / (count * (count - 1)))
    return float(np.mean(found)) if found else 0.0


def _span(times: NDArray[Any] | None, lag: int) -> tuple[int, int]:
    """The points of a season of so many rows, and its length in time; gaps between rows change neither."""
    if lag == 1:
        return 1, 1
    if times is None:
        return lag, lag
    whole = times.astype(np.int64)
    span, step = float(np.median(whole[lag:] - whole[:-lag])), float(np.median(np.diff(whole)))
    if step < 1 or span < 2 * step:  # rows of the same time
        return 1, 1
    return min(round(span / step), MOST_POINTS), round(span)


def _residuals(values: Array, lag: int) -> Array:
    """The spread of each target's residuals from its season, (targets,)."""
    if lag == 1:
        return np.ones(values.shape[1])
    squares = (values[lag:] - values[:-lag]) ** 2
    there = ~np.isnan(squares)
    mean = np.where(there, squares, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    return np.maximum(np.sqrt(mean / 2), _SMALLEST)
