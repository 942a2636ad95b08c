"""The head of detectors on the engine, and the logistic distribution that its scores stand for."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock import engine
from penstock.detect.spec import DistributionHead

__all__ = ["LOG_SCALE", "DistributionReadout", "logistic", "tail"]

Floats = NDArray[np.float32]
Array = NDArray[np.float64]
LOG_SCALE = 7.0
"""The largest absolute logarithm of a distribution's scale, in units of the series' spread."""
_LN_2, _LN_10 = float(np.log(2)), float(np.log(10))


class DistributionReadout:
    """Scores of a step: (targets) locations relative to the last values, then (targets) log scales.

    Args:
        spec: `detect.spec.DistributionHead`.
        tensors: `weight` and `bias`, float32.
        features: the encoder's output size.
        bidirectional: must be False, because a value is judged when it arrives.

    Attributes:
        outputs: twice the number of targets.
    """

    def __init__(
        self, spec: DistributionHead, tensors: Mapping[str, Floats], *, features: int, bidirectional: bool = False
    ) -> None:
        self.outputs = 2 * spec.targets
        self._linear = engine.Linear(tensors["weight"], tensors["bias"])

    def __call__(self, y: Floats) -> Floats:
        """y (rows, features) -> scores (rows, 2 * targets); a row's bits do not depend on other rows."""
        return self._linear(y)


def logistic(scores: Floats, last: Array) -> tuple[Array, Array]:
    """Return location and scale of each value's distribution, both (rows, targets).

    Args:
        scores: (rows, 2 * targets), of the head.
        last: (rows, targets), the values before.
    """
    targets = last.shape[1]
    both = scores.astype(np.float64)
    return last + both[:, :targets], np.exp(np.clip(both[:, targets:], -LOG_SCALE, LOG_SCALE))


def tail(values: Any, location: Array, scale: Array) -> Array:
    """Return -log10 of the probability of a value at least as far from the location; 0 at the location itself.

    Of a logistic distribution that is 2 / (1 + exp(d)) for a distance of d scales.
    """
    distance = np.abs(values - location) / scale
    return (distance + np.log1p(np.exp(-distance)) - _LN_2) / _LN_10
