"""Baselines of detectors that reproduce examples, from arrays alone: the nearest training example, beside the others.

It judges an example when that is complete, as the network does; the others judge a row by earlier ones alone.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.detect.baselines import DetectionBaselines
from penstock.errors import BundleError

__all__ = ["NEAREST", "ExampleBaselines", "NearestExample"]

Array = NDArray[np.float64]
NEAREST = "nearest_example"
_ARRAYS = ("nearest.examples", "nearest.threshold")
_TOGETHER = 1024  # examples whose distances to all known ones are in memory at once


class ExampleBaselines(DetectionBaselines):
    """The baselines saved with a detector that reproduces examples.

    Args:
        arrays: those of `DetectionBaselines`; `nearest.examples` float32 (examples, window, targets), standardised
            training examples, 0 where a value is missing or the example has ended; `nearest.threshold` (1,), the
            largest score of a training example's step by the others, above which it raises an alarm.
        window: the most steps of an example.

    Raises:
        BundleError: arrays are missing or do not match.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], window: int) -> None:
        super().__init__(arrays)
        if missing := [name for name in _ARRAYS if name not in arrays]:
            raise BundleError(
                f"the baseline lacks {', '.join(missing)}. Train the model again, or copy its folder again."
            )
        examples, shape = arrays["nearest.examples"], (window, arrays["residual_scale"].shape[1])
        if not len(examples) or examples.shape[1:] != shape or not np.isfinite(examples).all():
            raise BundleError(
                f"nearest.examples of the baseline must be numbers (examples, {shape[0]}, {shape[1]}); got "
                f"{examples.shape}. Train the model again, or copy its folder again."
            )
        self.names = (NEAREST, *self.names)
        self._nearest, self._threshold = NearestExample(examples), float(arrays["nearest.threshold"][0])

    def scores(self, name: str, values: Array, identity: int = 0, cuts: NDArray[np.int64] | None = None) -> Array:
        """Return a baseline's score of each step (steps,); see `DetectionBaselines.scores`."""
        if name != NEAREST:
            return super().scores(name, values, identity)
        return self._nearest.scores(values, np.array([0, len(values)]) if cuts is None else cuts)

    def flags(self, name: str, scores: Array) -> NDArray[np.bool_]:
        """Return which steps exceed all scores of the training data, (steps,)."""
        return scores > self._threshold if name == NEAREST else super().flags(name, scores)


class NearestExample:
    """Known examples, and how far others are from the nearest of them.

    The distance of an example is the mean of its steps' scores, and a step's score is the mean squared difference of
    the targets that it has. What the example lacks does not count; what a known one lacks counts as 0, the mean of the
    training data, as the network reads it.

    Args:
        examples: (examples, window, targets), 0 where a value is missing or the example has ended.
    """

    def __init__(self, examples: NDArray[Any]) -> None:
        self._known = examples.astype(np.float64)
        self._flat = self._known.reshape(len(examples), -1).T
        self._squares = self._flat**2

    def scores(self, values: Array, cuts: NDArray[np.int64], but: NDArray[np.bool_] | None = None) -> Array:
        """Return the score of each step (steps,), by the known example that is nearest to its own; NaN without values.

        Args:
            values: (steps, targets), standardised; NaN for missing values.
            cuts: the first step of each example, of at most `window` steps, and the number of steps, (examples + 1,).
            but: (examples, known), known ones that an example is not compared with, at most all but one; None for none.
        """
        inside = np.arange(self._known.shape[1]) < np.diff(cuts)[:, None]
        padded = np.full((*inside.shape, values.shape[1]), np.nan)
        padded[inside] = values
        there = ~np.isnan(padded)
        weights = there / np.maximum(there.sum(axis=2, keepdims=True), 1)
        padded = np.where(there, padded, 0.0)
        several = [slice(start, start + _TOGETHER) for start in range(0, len(padded), _TOGETHER)]
        found = [self._nearest(padded[some], weights[some], None if but is None else but[some]) for some in several]
        squares = (weights * (padded - self._known[np.concatenate(found)]) ** 2).sum(axis=2)
        return np.where(there.any(axis=2), squares, np.nan)[inside]

    def _nearest(self, values: Array, weights: Array, but: NDArray[np.bool_] | None) -> NDArray[np.int64]:
        """The places of the nearest known examples, (examples,): of squared differences without what all share."""
        own, share = (each.reshape(len(each), -1) for each in (weights * values, weights))
        apart = share @ self._squares - 2 * own @ self._flat
        return (apart if but is None else np.where(but, np.inf, apart)).argmin(axis=1)
