"""Values and times of series as the numbers that a detector's network reads."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "FARTHEST",
    "forward_filled",
    "lateness",
    "log_gap",
    "log_gaps",
    "moments",
    "shifted",
    "spread_of",
    "step_inputs",
]

Array = NDArray[np.float64]
FARTHEST = 30.0
"""Limit of the numbers that the network reads, in units of their series; scores are of the values themselves."""
_ROUNDING = 1e-14
"""Relative spread that rounding can give a constant series."""


def step_inputs(
    last: Array, change: Array, there: Array, covariates: NDArray[np.float32], timed: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return what the network reads of steps, (rows, size).

    Args:
        last, change, there: (rows, targets): the values before, their change, and 1 where they were there, not filled.
        covariates: (rows, covariates), scaled.
        timed: as `DetectFeatures.timed` returns it.
    """
    own = np.concatenate([last, change, there], axis=1)
    own = np.minimum(np.maximum(own, -FARTHEST), FARTHEST).astype(np.float32)
    return np.concatenate([own, covariates, timed], axis=1)


def spread_of(variance: Array) -> Array:
    """Return standard deviations; 1 where a series does not vary."""
    return np.where(variance > 0, np.sqrt(variance), 1.0)


def forward_filled(values: Array) -> Array:
    """Return values (steps, targets) with each missing one replaced by the one before it; 0 where there is none."""
    places = np.maximum.accumulate(np.where(np.isnan(values), -1, np.arange(len(values))[:, None]), axis=0)
    return np.where(places < 0, 0.0, np.take_along_axis(values, np.maximum(places, 0), axis=0))


def shifted(values: Array) -> Array:
    """Return each step's values before it; 0 at the first."""
    return np.concatenate([np.zeros((1, values.shape[1])), values[:-1]])


def moments(values: Array) -> tuple[Array, Array]:
    """Return mean and variance of each column (steps, targets); 0 for one without values, or without change."""
    columns = [column[~np.isnan(column)] for column in values.T]
    location = np.array([column.mean() if len(column) else 0.0 for column in columns])
    spread = np.array([column.std() if len(column) else 0.0 for column in columns])
    return location, np.where(spread > _ROUNDING * np.abs(location), spread, 0.0) ** 2


def log_gaps(times: NDArray[Any] | None, steps: int) -> Array:
    """Return the logarithm of the time before each row (steps,), in seconds or steps, at least 1; 0 without times."""
    if times is None:
        return np.zeros(steps)
    whole = times.astype(np.int64)
    return log_gap(np.diff(whole, prepend=whole[:1]))


def lateness(times: NDArray[Any] | None, steps: int, gap: Array) -> Array:
    """Return how long ago the last row was beside the usual (steps,): the difference of logarithms; 0 for the first."""
    if times is None:
        return np.zeros(steps)
    late = log_gaps(times, steps) - gap
    late[:1] = 0.0
    return late


def log_gap(gaps: NDArray[np.int64]) -> Array:
    """Return the logarithm of times between rows, at least 1."""
    return np.log(np.maximum(gaps, 1).astype(np.float64))
