"""A forecaster with a look-back for export: the wiring of its parts on arrays of any library that traces them."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from array_api_compat import array_namespace
from numpy.typing import NDArray

from penstock.cells.arithmetic import affine, relu
from penstock.forecast.wiring import windowed
from penstock.network import Network

__all__ = ["WindowFunction"]

Tensors = Mapping[str, NDArray[np.float32]]


class WindowFunction:
    """Forecasts from a look-back as a function of arrays.

    Args:
        network: a network with the wiring `WINDOWED`.
        tensors: float32 arrays as in `model.safetensors`.

    Attributes:
        inputs: the size of each input after the batch, by name, without those that the network does not have: `values`
            (context, targets), `covariates` (context, covariates), `known` (horizon, known), and `identity`, (), the
            whole number of the series.
        output: the name of the result.
        shape: the size of the result after the batch: (horizon, targets, quantiles).
    """

    output = "forecasts"

    def __init__(self, network: Network, tensors: Tensors) -> None:
        head, inputs = network.head, network.inputs
        self.network, self.tensors = network, tensors
        covariates = inputs.features - head.targets
        shapes = {"values": (head.context, head.targets), "covariates": (head.context, covariates)}
        shapes["known"] = (head.horizon, head.known)
        self.inputs: dict[str, tuple[int, ...]] = {name: shape for name, shape in shapes.items() if shape[1]}
        if inputs.identities:
            self.inputs["identity"] = ()
        self.shape = (head.horizon, head.targets, head.quantiles)

    def __call__(self, encode: Callable[..., Any], **inputs: Any) -> Any:
        """Return the forecasts (batch, horizon, targets, quantiles).

        Args:
            encode: (x (batch, time, size), state or None) -> (outputs, state): the recurrent layers.
            inputs: arrays by the names of `inputs`.
        """
        values = inputs["values"]
        parts = _Parts(self.network, self.tensors, encode, values[:, :1, :1] * 0)
        covariates = inputs.get("covariates", values[:, :, :0])
        others = inputs.get("known"), inputs.get("identity")
        return windowed(parts, self.network.head, values, covariates, *others)[0]


class _Parts:
    """The parts of a network in the array API; the counterpart of those in `forecast.head`.

    Args:
        network, tensors: as for `WindowFunction`.
        encode: the recurrent layers.
        zeros: (batch, 1, 1), to spread what is the same for all sequences.
    """

    def __init__(self, network: Network, tensors: Tensors, encode: Callable[..., Any], zeros: Any) -> None:
        self.head, self._spec, self._tensors = self, network.head, tensors
        self._encode, self._zeros = encode, zeros

    def vectors(self, values: Any, *identity: Any) -> Any:
        """Segments (batch, segments, features) -> (batch, segments, size)."""
        y = affine(values, self._tensors["inputs.weight"], self._tensors["inputs.bias"])
        table = self._tensors.get("inputs.identities")
        if table is not None:
            xp = array_namespace(values)
            y = y + xp.reshape(xp.take(table, identity[0], axis=0), (values.shape[0], 1, table.shape[1]))
        return relu(y)

    def encode(self, x: Any, state: Any = None, lengths: Any = None) -> tuple[Any, Any]:
        """See `network.wiring.Parts`."""
        return self._encode(x, state)

    def means(self, values: Any) -> Any:
        """Means over time, by a product with a row of equal weights."""
        context = values.shape[1]
        return np.full((1, context), 1 / context, np.float32) @ values

    def questions(self, known: Any) -> Any:
        """See `forecast.head.SegmentForecastReadout.questions`."""
        spec, positions = self._spec, self._tensors["head.positions"]
        asked = positions + self._zeros
        if not spec.known:
            return asked
        # Zeros behind the horizon, where the last segment is cut.
        padded = np.eye(spec.stretches * spec.length, spec.horizon, dtype=np.float32) @ known
        flat = (known.shape[0], spec.stretches, spec.length * spec.known)
        return asked + affine(array_namespace(known).reshape(padded, flat), self._tensors["head.known_weight"], None)

    def answers(self, y: Any, values: Any) -> Any:
        """See `forecast.head.SegmentForecastReadout.answers`."""
        xp, spec, batch = array_namespace(y), self._spec, y.shape[0]
        found = affine(y, self._tensors["head.weight"], self._tensors["head.bias"])
        found = xp.reshape(found, (batch, spec.stretches * spec.length, spec.targets, spec.quantiles))
        found = found[:, : spec.horizon]
        if not spec.highway:
            return found
        last = xp.permute_dims(values[:, -spec.highway :], (0, 2, 1))
        straight = affine(last, self._tensors["head.highway"], None)
        straight = xp.reshape(straight, (batch, spec.targets, spec.horizon, spec.quantiles))
        return found + xp.permute_dims(straight, (0, 2, 1, 3))
