"""Baselines of detectors, from arrays alone: isolation forest on windows, seasonal residual, rolling z-score.

All are causal: the score of a step depends on it and on earlier ones.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.errors import BundleError

__all__ = ["BASELINES", "DetectionBaselines", "path_constant", "windows_of"]

Array = NDArray[np.float64]
BASELINES = ("isolation_forest", "seasonal_residual", "rolling_z")
_NEEDED = ("seasons", "rolling", "residual_scale", "thresholds")
_FOREST = ("trees", "features", "splits", "left", "right", "depths", "samples", "window")
_SMALLEST = 1e-3
"""The least spread that deviations are divided by, in units of the series' spread in training."""
_FEWEST = 10  # values that a mean and a spread are taken from
_ROWS = 4096  # windows that walk through the forest at once


class DetectionBaselines:
    """The baselines saved with a detector.

    Args:
        arrays: as in `baseline.safetensors`: `seasons` int64 (1 + series,), steps, of series that training did not know
            and of those it knew; `residual_scale` (1 + series, targets), the spread of their seasonal residuals;
            `rolling` int64 (1,), steps of the rolling z-score; `thresholds` (3,), the largest score of each baseline in
            training, above which it raises an alarm. Of the forest, all or none:
            `trees` int64 (trees,), the root of each; for each node `features` int64, the place in the window, `splits`,
            `left` and `right` int64, the next node up to and above the split, a leaf's are itself; `depths`, of leaves
            (Liu et al. 2008); `samples` int64 (1,), that each tree was grown from; `window` int64 (1,), steps.

    Raises:
        BundleError: arrays are missing or do not match.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        forest = any(name in arrays for name in _FOREST)
        if missing := [name for name in (*_NEEDED, *(_FOREST if forest else ())) if name not in arrays]:
            raise BundleError(
                f"the baseline lacks {', '.join(missing)}. Train the model again, or copy its folder again."
            )
        self.names: tuple[str, ...] = BASELINES if forest else BASELINES[1:]
        self._seasons, self._rolling = arrays["seasons"].astype(np.int64), int(arrays["rolling"][0])
        self._scale = arrays["residual_scale"].astype(np.float64)
        self._thresholds = dict(zip(BASELINES, arrays["thresholds"].astype(np.float64).tolist(), strict=True))
        self._forest = {name: arrays[name] for name in _FOREST} if forest else {}
        if self._scale.ndim != 2 or len(self._scale) != len(self._seasons) or self._seasons.min() < 1:
            raise BundleError("seasons and residual_scale of the baseline do not match. Train the model again.")
        if forest:
            self._check()

    def scores(self, name: str, values: Array, identity: int = 0, cuts: NDArray[np.int64] | None = None) -> Array:
        """Return a baseline's score of each step (steps,), NaN where it has none: of a missing value, or too early.

        Args:
            name: one of `names`.
            values: (steps, targets) of a series, standardised as in training; NaN for missing ones. The score is that
                of the target that deviates most; the forest looks at all targets together.
            identity: the number of the training series, from 1; 0 for one that training did not know.
            cuts: of a series that was cut into examples, the first step of each, and the number of steps; these
                baselines judge a step by those before it, wherever an example begins.
        """
        if name == "isolation_forest":
            return self._isolation(values)
        found = self._residuals(values, identity) if name == "seasonal_residual" else _rolling_z(values, self._rolling)
        return _highest(found)

    def flags(self, name: str, scores: Array) -> NDArray[np.bool_]:
        """Return which steps exceed all scores of the training data, (steps,)."""
        return scores > self._thresholds[name]

    def _residuals(self, values: Array, identity: int) -> Array:
        found, season = np.full(values.shape, np.nan), int(self._seasons[identity])
        found[season:] = np.abs(values[season:] - values[:-season]) / self._scale[identity]
        return found

    def _isolation(self, values: Array) -> Array:
        forest, size = self._forest, int(self._forest["window"][0])
        found = np.full(len(values), np.nan)
        steps = np.flatnonzero(~np.isnan(values).all(axis=1))
        steps = steps[steps >= size - 1]
        windows = windows_of(values, size)
        normal = path_constant(int(forest["samples"][0]))
        for some in (steps[start : start + _ROWS] for start in range(0, len(steps), _ROWS)):
            found[some] = 2 ** (-self._depths(windows[some - size + 1]) / normal)
        return found

    def _depths(self, windows: NDArray[np.float32]) -> Array:
        """The mean depth at which windows (rows, places) end up, (rows,)."""
        forest, rows = self._forest, np.arange(len(windows))[:, None]
        nodes = np.broadcast_to(forest["trees"], (len(windows), len(forest["trees"])))
        while True:
            below = windows[rows, forest["features"][nodes]] <= forest["splits"][nodes]
            following = np.where(below, forest["left"][nodes], forest["right"][nodes])
            if (following == nodes).all():
                return forest["depths"][nodes].mean(axis=1)
            nodes = following

    def _check(self) -> None:
        """Raise BundleError unless every walk through the forest stays inside it and ends."""
        forest, nodes = self._forest, len(self._forest["depths"])
        if any(len(forest[name]) != nodes for name in ("features", "splits", "left", "right")):
            raise BundleError("the forest's arrays must have the same number of nodes. Train the model again.")
        own, places = np.arange(nodes), int(forest["window"][0]) * self._scale.shape[1]
        leaves = (forest["left"] == own) & (forest["right"] == own)
        onward = (forest["left"] > own) & (forest["right"] > own)
        inside = all((forest[name] >= 0).all() and (forest[name] < nodes).all() for name in ("trees", "left", "right"))
        places_fit = (forest["features"] >= 0).all() and (forest["features"] < places).all()
        if not inside or not places_fit or not (leaves | onward).all():
            raise BundleError("the forest of the baseline is damaged. Train the model again, or copy its folder again.")


def windows_of(values: Array, size: int) -> NDArray[np.float32]:
    """Return the windows that end at each step from the `size`-th on, (steps - size + 1, size * targets).

    A missing value is replaced by the one before it, and by 0, the mean, if there is none.
    """
    steps, targets = values.shape
    if steps < size:
        return np.zeros((0, size * targets), np.float32)
    last = np.maximum.accumulate(np.where(np.isnan(values), -1, np.arange(steps)[:, None]), axis=0)
    whole = np.where(last < 0, 0.0, np.take_along_axis(values, np.maximum(last, 0), axis=0))
    windows = np.lib.stride_tricks.sliding_window_view(whole, size, axis=0)
    return windows.reshape(len(windows), -1).astype(np.float32)


def path_constant(samples: int) -> float:
    """Return the mean depth of an unsuccessful search in a binary tree of samples, c(n) of Liu et al. (2008)."""
    if samples < 3:
        return float(samples == 2)
    return 2 * (np.log(samples - 1) + np.euler_gamma) - 2 * (samples - 1) / samples


def _rolling_z(values: Array, size: int) -> Array:
    """How far each value is from the mean of those up to `size` steps before it, in units of their spread."""
    there = ~np.isnan(values)
    sums = [np.cumsum(np.where(there, each, 0.0), axis=0) for each in (np.ones(values.shape), values, values**2)]
    # What lies before each step, less what lies before the steps that count.
    before = [np.concatenate([np.zeros((1, values.shape[1])), each]) for each in sums]
    first = np.maximum(np.arange(len(values)) - size, 0)
    count, total, squares = (each[:-1] - each[first] for each in before)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = total / count
        spread = np.sqrt(np.maximum(squares / count - mean**2, 0))
        return np.where(count >= _FEWEST, np.abs(values - mean) / np.maximum(spread, _SMALLEST), np.nan)


def _highest(found: Array) -> Array:
    """The largest of the targets, NaN if all are missing."""
    return np.where(np.isnan(found).all(axis=1), np.nan, np.where(np.isnan(found), -np.inf, found).max(axis=1))
