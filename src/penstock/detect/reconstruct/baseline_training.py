"""Fits the baselines of detectors that reproduce examples: training examples to compare with, and all others."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.detect.baseline_training import fit_baselines
from penstock.detect.reconstruct.baselines import NEAREST, NearestExample

__all__ = ["fit_example_baselines"]

Array = NDArray[np.float64]
_MOST_EXAMPLES, _MOST_NUMBERS = 2000, 500_000
"""Limits of what is kept, so that a bundle grows by at most 2 MB."""


def fit_example_baselines(values: Sequence[Array], window: int) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the arrays of `reconstruct.baselines.ExampleBaselines`, and the settings for reports.

    Args:
        values: (steps, targets) of each training series, standardised; NaN for missing values.
        window: the most steps of an example. A longer series has one at each step, as many as fit; of all, some are
            drawn at random if there are too many.
    """
    arrays, settings = fit_baselines(values)
    begins = np.array([(row, begin) for row, own in enumerate(values) for begin in _begins(own, window)])
    most = min(_MOST_EXAMPLES, max(1, _MOST_NUMBERS // (window * values[0].shape[1])))
    if most < len(begins):
        begins = begins[np.sort(np.random.default_rng(0).choice(len(begins), most, replace=False))]
    pieces = [values[row][begin : begin + window] for row, begin in begins.tolist()]
    examples = np.zeros((len(pieces), window, values[0].shape[1]), np.float32)
    for example, piece in zip(examples, pieces, strict=True):
        example[: len(piece)] = np.nan_to_num(piece)
    arrays |= {"nearest.examples": examples, "nearest.threshold": np.array([_threshold(examples, pieces, begins)])}
    return arrays, {NEAREST: {"examples": len(examples)}} | settings


def _begins(values: Array, window: int) -> NDArray[np.int64]:
    """The first steps of all examples of a series that have a value."""
    there = np.concatenate([[0], np.cumsum(~np.isnan(values).all(axis=1))])
    begins = np.arange(max(len(values) - window, 0) + 1)
    return begins[there[np.minimum(begins + window, len(values))] > there[begins]]


def _threshold(examples: NDArray[np.float32], pieces: Sequence[Array], begins: NDArray[np.int64]) -> float:
    """The largest score of a step by the examples that share no step with its own; infinite if there are none."""
    rows, firsts = begins.T
    but = (rows[:, None] == rows) & (np.abs(firsts[:, None] - firsts) < examples.shape[1])
    compared = np.flatnonzero(~but.all(axis=1))
    if not len(compared):
        return float("inf")
    own = [pieces[place] for place in compared.tolist()]
    scores = NearestExample(examples).scores(np.concatenate(own), np.cumsum([0, *map(len, own)]), but[compared])
    return float(np.nanmax(scores))
