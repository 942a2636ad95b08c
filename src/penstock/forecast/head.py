"""Forecast heads on the engine; a row's bits do not depend on other rows."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from penstock import engine
from penstock.forecast.spec import ForecastHead, SegmentForecastHead, Segments

__all__ = ["ForecastReadout", "SegmentForecastReadout", "SegmentInputs"]

Floats = NDArray[np.float32]


class ForecastReadout:
    """Forecasts all steps ahead from one step's output, relative to the last value.

    Args:
        spec: `forecast.spec.ForecastHead`.
        tensors: `weight` and the others of `spec.parameter_shapes`.
        features: the encoder's output size.
        bidirectional: must be False, because future values are unknown.
    """

    def __init__(
        self, spec: ForecastHead, tensors: Mapping[str, Floats], *, features: int, bidirectional: bool = False
    ) -> None:
        self.spec = spec
        self._linear = engine.Linear(tensors["weight"], tensors["bias"])
        if spec.known:
            self._known = engine.Linear(tensors["known_weight"], tensors["known_bias"])
            self._known_output = engine.Linear(tensors["known_output"])

    def __call__(self, y: Floats, last: Floats, known: Floats) -> Floats:
        """Return forecasts (rows, horizon, targets, quantiles).

        Args:
            y: (rows, features).
            last: (rows, targets).
            known: (rows, horizon, known).
        """
        spec, rows = self.spec, len(y)
        found = self._linear(y)
        if spec.known:
            flat = known.reshape(rows * spec.horizon, spec.known)
            found = found + self._known_output(relu(self._known(flat))).reshape(found.shape)
        return found.reshape(rows, spec.horizon, spec.targets, spec.quantiles) + last[:, None, :, None]


class SegmentForecastReadout:
    """Makes the encoder's inputs for each segment ahead, and forecasts from its outputs.

    Args:
        spec: `forecast.spec.SegmentForecastHead`.
        tensors, features, bidirectional: as for `ForecastHead`.
    """

    def __init__(
        self,
        spec: SegmentForecastHead,
        tensors: Mapping[str, Floats],
        *,
        features: int,
        bidirectional: bool = False,
    ) -> None:
        self.spec = spec
        self._positions = tensors["positions"]
        self._linear = engine.Linear(tensors["weight"], tensors["bias"])
        self._known = engine.Linear(tensors["known_weight"]) if spec.known else None
        self._highway = engine.Linear(tensors["highway"]) if spec.highway else None

    def questions(self, known: Floats) -> Floats:
        """Return the encoder's inputs: known (rows, horizon, known) -> (rows, segments, size)."""
        spec, rows = self.spec, len(known)
        asked = np.broadcast_to(self._positions, (rows, *self._positions.shape))
        if self._known is None:
            return np.ascontiguousarray(asked)
        padded = np.zeros((rows, spec.stretches * spec.length, spec.known), np.float32)
        padded[:, : spec.horizon] = known
        return asked + self._known(padded.reshape(rows * spec.stretches, spec.length * spec.known)).reshape(asked.shape)

    def answers(self, y: Floats, values: Floats) -> Floats:
        """y (rows, stretches, features), values (rows, context, targets) -> (rows, horizon, targets, quantiles)."""
        spec, rows = self.spec, len(values)
        found = self._linear(y.reshape(rows * spec.stretches, y.shape[2]))
        found = found.reshape(rows, spec.stretches * spec.length, spec.targets, spec.quantiles)[:, : spec.horizon]
        if self._highway is None:
            return found
        flat = values[:, -spec.highway :].swapaxes(1, 2).reshape(rows * spec.targets, spec.highway)
        straight = self._highway(flat).reshape(rows, spec.targets, spec.horizon, spec.quantiles)
        return found + straight.swapaxes(1, 2)


def relu(x: Floats) -> Floats:
    """max(x, 0); -0 becomes 0 first, because otherwise either of two zeros may be returned."""
    return np.maximum(x + np.float32(0), np.float32(0))


class SegmentInputs:
    """Converts segments of a series to vectors: linear layer, plus the series' vector, then ReLU.

    Args:
        spec: `Segments`.
        tensors: `weight` (size, length * features), `bias` (size,), and `identities` (identities + 1, size) where the
            description has identities.
    """

    def __init__(self, spec: Segments, tensors: Mapping[str, Floats]) -> None:
        self._linear = engine.Linear(tensors["weight"], tensors["bias"])
        self._identities = tensors["identities"] if spec.identities else None

    def __call__(self, x: Floats, identity: NDArray[np.int64]) -> Floats:
        """x (..., length * features) -> (..., size); the axes of `identity` are the first of x, or stretch to them."""
        y = self._linear(x.reshape(-1, x.shape[-1])).reshape(*x.shape[:-1], self._linear.outputs)
        if self._identities is not None:
            own = self._identities[identity]
            y = y + own.reshape(*identity.shape, *[1] * (x.ndim - 1 - identity.ndim), own.shape[-1])
        return relu(y)
