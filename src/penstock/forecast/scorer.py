"""Forecasting networks on the engine: one carries its state over the whole series, the other reads a look-back.

The engine computes every matrix product, and all other operations are elementwise. A forecast's bits therefore depend
only on its own series: not on the batch, and not on whether the series arrives at once or step by step.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock import engine
from penstock.forecast.wiring import look_back, windowed
from penstock.network import Network
from penstock.runtime.scorer import Scorer, State

__all__ = ["CarriedScorer", "WindowScorer", "step_features"]

Floats = NDArray[np.float32]


class CarriedScorer(Scorer):
    """Forecasts from a state that has read the whole series: `forecast.wiring.carried` in two parts.

    `fold` reads the series, and `head` makes forecasts after the requested steps.
    """

    carries = True

    def fold(self, features: Floats, identity: NDArray[np.int64], state: State | None = None) -> tuple[Floats, State]:
        """Read steps (steps, rows, features) of series (rows,): outputs (steps, rows, size), and the final state."""
        everywhere = np.broadcast_to(identity, features.shape[:2])
        return self.encoder(self.vectors(features, everywhere), state)


class WindowScorer(Scorer):
    """Forecasts from the last `context` steps."""

    def __init__(self, network: Network, tensors: Mapping[str, Floats]) -> None:
        super().__init__(network, tensors)
        context = network.head.context
        self._mean = engine.Linear(np.full((1, context), 1 / context, np.float32))

    def __call__(self, *window: Any) -> Floats:
        """Forecasts (rows, horizon, targets, quantiles) in units of each series.

        Args:
            window: values, covariates, known, identity, as for `forecast.wiring.windowed`.
        """
        return windowed(self, self.network.head, *window)[0]

    def look_back(self, values: Floats, covariates: Floats, identity: NDArray[np.int64]) -> Floats:
        """The encoder's input for look-backs, (segments, rows, size); arguments as for a call."""
        return look_back(self, self.network.head, values, covariates, identity).x.swapaxes(0, 1)

    def means(self, values: Floats) -> Floats:
        """Means over time, by the engine's matrix product: the bits of NumPy's sums depend on the array's shape."""
        rows, context, targets = values.shape
        flat = np.ascontiguousarray(values.swapaxes(1, 2)).reshape(rows * targets, context)
        return self._mean(flat).reshape(rows, 1, targets)


def step_features(values: Floats, before: Floats, covariates: Floats) -> Floats:
    """The input of a network with a carried state: values, their change and covariates, concatenated.

    Args:
        values: (..., targets).
        before: (..., targets), the values of the previous steps.
        covariates: (..., covariates).

    Returns:
        The features, (..., 2 * targets + covariates).
    """
    return np.concatenate([values, values - before, covariates], axis=-1)
