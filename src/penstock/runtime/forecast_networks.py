"""Networks for forecasts on the engine: one that carries its state for ever, one that reads a look-back anew.

Every product is the engine's and everything else goes element by element, so that a forecast's bits depend on its own
series alone: not on the batch, and not on whether the series came at once or step by step.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from penstock import engine
from penstock.network import LEAST_SPREAD, Network
from penstock.runtime.scorer import Scorer
from penstock.runtime.stack import LayerState

__all__ = ["CarriedScorer", "WindowScorer", "step_features"]

Floats = NDArray[np.float32]


class CarriedScorer(Scorer):
    """Forecasts from a state that has seen all of the series; the network has `Segments` and a `ForecastHead`."""

    def fold(
        self, features: Floats, identity: NDArray[np.int64], state: list[LayerState] | None = None
    ) -> tuple[Floats, list[LayerState]]:
        """Read steps (steps, rows, features) of series (rows,): outputs (steps, rows, size), and the state after."""
        steps, rows, width = features.shape
        x = self.vectors(features.reshape(steps * rows, width), np.tile(identity, steps))
        return self.encoder(x.reshape(steps, rows, -1), state)


class WindowScorer(Scorer):
    """Forecasts from the last `context` steps; the network has `Segments` and a `SegmentForecastHead`."""

    def __init__(self, network: Network, tensors: Mapping[str, Floats]) -> None:
        super().__init__(network, tensors)
        context = self.head.spec.context
        self._mean = engine.Linear(np.full((1, context), 1 / context, np.float32))

    def __call__(self, values: Floats, covariates: Floats, known: Floats, identity: NDArray[np.int64]) -> Floats:
        """Forecasts (rows, horizon, targets, quantiles) in units of each series.

        Args:
            values: (rows, context, targets).
            covariates: (rows, context, covariates).
            known: (rows, horizon, known).
            identity: (rows,).
        """
        spec, rows = self.head.spec, len(values)
        level, unit = self._related(values)
        related = (values - level) / unit
        _, state = self.encoder(self._stretches(related, covariates, identity))
        asked = self.head.questions(known)
        before = [tuple(np.repeat(each, spec.stretches, axis=1) for each in layer) for layer in state]
        y, _ = self.encoder(asked.reshape(1, rows * spec.stretches, -1), before)
        found = self.head.answers(y[0], np.ascontiguousarray(related.swapaxes(1, 2)))
        return found * unit[..., None] + level[..., None]

    def look_back(self, values: Floats, covariates: Floats, identity: NDArray[np.int64]) -> Floats:
        """What the encoder reads of look-backs, (stretches, rows, size); arguments as for a call."""
        level, unit = self._related(values)
        return self._stretches((values - level) / unit, covariates, identity)

    def _stretches(self, related: Floats, covariates: Floats, identity: NDArray[np.int64]) -> Floats:
        spec, rows = self.head.spec, len(related)
        stretches = spec.context // spec.length
        x = np.concatenate([related, covariates], axis=2)[:, spec.context - stretches * spec.length :]
        read = self.vectors(x.reshape(rows * stretches, -1), np.repeat(identity, stretches))
        return np.ascontiguousarray(read.reshape(rows, stretches, -1).swapaxes(0, 1))

    def _related(self, values: Floats) -> tuple[Floats, Floats]:
        """What look-backs are related to: level and unit, each (rows, 1, targets)."""
        kind = self.head.spec.normalization
        level, unit = values[:, -1:], np.ones_like(values[:, -1:])
        if kind in ("relative", "instance"):
            mean = self._means(values)
            unit = np.sqrt(self._means(np.square(values - mean))) + np.float32(LEAST_SPREAD)
            level = mean if kind == "instance" else level
        return (np.zeros_like(level) if kind == "none" else level), unit

    def _means(self, values: Floats) -> Floats:
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
