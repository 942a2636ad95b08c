"""Steps ahead and their quantiles, by the engine's products: each row's bits are its own, whatever stands beside it."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from penstock import engine, network
from penstock.errors import ShapeError

__all__ = ["ForecastHead", "SegmentForecastHead"]

Floats = NDArray[np.float32]


class ForecastHead:
    """All steps ahead from one step's output, relative to the last value.

    Args:
        spec: `network.ForecastHead`.
        tensors: `head.weight` and the others of `spec.parameter_shapes`.
        features: the encoder's output size.
        bidirectional: must be False: what lies ahead is not known yet.

    Raises:
        ShapeError: the parameters do not fit.
    """

    def __init__(
        self, spec: network.ForecastHead, tensors: Mapping[str, Floats], *, features: int, bidirectional: bool = False
    ) -> None:
        _check(spec, tensors, features)
        self.spec = spec
        self._linear = engine.Linear(tensors["head.weight"], tensors["head.bias"])
        if spec.known:
            self._known = engine.Linear(tensors["head.known_weight"], tensors["head.known_bias"])
            self._known_output = engine.Linear(tensors["head.known_output"])

    def __call__(self, y: Floats, last: Floats, known: Floats) -> Floats:
        """Forecasts (rows, horizon, targets, quantiles).

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


class SegmentForecastHead:
    """What is asked of the encoder for each stretch ahead, and what its answers say.

    Args:
        spec: `network.SegmentForecastHead`.
        tensors, features, bidirectional: as for `ForecastHead`.

    Raises:
        ShapeError: the parameters do not fit.
    """

    def __init__(
        self,
        spec: network.SegmentForecastHead,
        tensors: Mapping[str, Floats],
        *,
        features: int,
        bidirectional: bool = False,
    ) -> None:
        _check(spec, tensors, features)
        self.spec = spec
        self._positions = tensors["head.positions"]
        self._linear = engine.Linear(tensors["head.weight"], tensors["head.bias"])
        self._known = engine.Linear(tensors["head.known_weight"]) if spec.known else None
        self._highway = engine.Linear(tensors["head.highway"]) if spec.highway else None

    def questions(self, known: Floats) -> Floats:
        """What the encoder reads: known (rows, horizon, known) -> (rows, stretches, size)."""
        spec, rows = self.spec, len(known)
        asked = np.broadcast_to(self._positions, (rows, *self._positions.shape))
        if self._known is None:
            return np.ascontiguousarray(asked)
        padded = np.zeros((rows, spec.stretches * spec.length, spec.known), np.float32)
        padded[:, : spec.horizon] = known
        return asked + self._known(padded.reshape(rows * spec.stretches, -1)).reshape(asked.shape)

    def answers(self, y: Floats, values: Floats) -> Floats:
        """y (rows * stretches, features), values (rows, targets, context) -> (rows, horizon, targets, quantiles)."""
        spec, rows = self.spec, len(values)
        found = self._linear(y).reshape(rows, spec.stretches * spec.length, spec.targets, spec.quantiles)
        found = found[:, : spec.horizon]
        if self._highway is None:
            return found
        flat = np.ascontiguousarray(values[..., -spec.highway :]).reshape(rows * spec.targets, spec.highway)
        straight = self._highway(flat).reshape(rows, spec.targets, spec.horizon, spec.quantiles)
        return found + straight.swapaxes(1, 2)


def relu(x: Floats) -> Floats:
    """max(x, 0); -0 becomes 0 first, because of two zeros either may win."""
    return np.maximum(x + np.float32(0), np.float32(0))


def _check(
    spec: network.ForecastHead | network.SegmentForecastHead, tensors: Mapping[str, Floats], features: int
) -> None:
    for name, shape in spec.parameter_shapes(features).items():
        if tensors[f"head.{name}"].shape != shape:
            raise ShapeError(
                f"head.{name} must be {shape} for {features} features; got {tensors[f'head.{name}'].shape}"
            )
