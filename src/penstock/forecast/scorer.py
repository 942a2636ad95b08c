"""Networks for forecasts on the engine: one that carries its state for ever, one that reads a look-back anew.

Every product is the engine's and everything else goes element by element, so that a forecast's bits depend on its own
series alone: not on the batch, and not on whether the series came at once or step by step.
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
    """Forecasts from a state that has seen all of the series: `forecast.wiring.carried`, in two halves.

    `fold` reads, and `head` forecasts after the steps for which that is asked.
    """

    carries = True

    def fold(self, features: Floats, identity: NDArray[np.int64], state: State | None = None) -> tuple[Floats, State]:
        """Read steps (steps, rows, features) of series (rows,): outputs (steps, rows, size), and the state after."""
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
        """What the encoder reads of look-backs, (segments, rows, size); arguments as for a call."""
        return look_back(self, self.network.head, values, covariates, identity).x.swapaxes(0, 1)

    def means(self, values: Floats) -> Floats:
        """Over time, by the engine's product: NumPy's sums depend on what stands beside."""
        rows, context, targets = values.shape
        flat = np.ascontiguousarray(values.swapaxes(1, 2)).reshape(rows * targets, context)
        return self._mean(flat).reshape(rows, 1, targets)


def step_features(values: Floats, before: Floats, covariates: Floats) -> Floats:
    """What a network with carried state reads of steps: values, their change, covariates, beside each other.

    Args:
        values: (..., targets).
        before: (..., targets), the values of the steps before them.
        covariates: (..., covariates).
    """
    return np.concatenate([values, values - before, covariates], axis=-1)
