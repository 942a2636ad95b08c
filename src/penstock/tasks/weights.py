"""Weights of rows: checked, and scaled to mean 1."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.datasets.columns import plain_column
from penstock.errors import DataError

__all__ = ["in_units_of_mean", "sample_weights"]

Weights = NDArray[np.float64]


def sample_weights(given: Any, rows: int) -> Weights:
    """Check the weights of rows and return them, (rows,).

    Args:
        given: a list, an array, or a column of pandas, Polars or Arrow.
        rows: the expected number of weights.

    Raises:
        DataError: the number of weights is wrong, or weights are missing, infinite, below 0, or all 0.
    """
    values = plain_column(given, "sample_weight")
    if len(values) != rows:
        raise DataError(f"sample_weight must have one number for each row: {rows}; got {len(values)}")
    for row, value in enumerate(values):
        if not isinstance(value, int | float) or not 0 <= value < np.inf:
            raise DataError(f"sample_weight must hold finite numbers, at least 0; number {row} is {value!r:.40}")
    weights = np.array(values, np.float64)
    if not weights.any():
        raise DataError("sample_weight must not be all zero: no row would count")
    return weights


def in_units_of_mean(weights: Weights | None) -> Weights | None:
    """Scale the weights to mean 1, so that their unit has no effect; None, as without weights, if all are equal."""
    if weights is None or weights.min() == weights.max():
        return None
    # Divide by the largest first: the sum of very large weights overflows float64.
    shares = weights / weights.max()
    return shares / shares.mean()
