"""How a step comes in at run time: the vector that the first layer reads of an id, of numbers, or of a stretch."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock import engine, network
from penstock.heads.forecasts import relu

__all__ = ["EmbeddingInputs", "NumberInputs", "SegmentInputs"]

Floats = NDArray[np.float32]


class EmbeddingInputs:
    """Ids to rows of a table.

    Args:
        spec: `network.Embedding`.
        tensors: `weight` (vocabulary_size, size).
    """

    def __init__(self, spec: network.Embedding, tensors: Mapping[str, Floats]) -> None:
        self._table = tensors["weight"]

    def __call__(self, ids: NDArray[np.integer[Any]]) -> Floats:
        """The vectors (..., size) of ids (...)."""
        return self._table[ids]


class NumberInputs:
    """Vectors of numbers, passed on as they are.

    Args:
        spec: `network.Numbers`.
        tensors: none.
    """

    def __init__(self, spec: network.Numbers, tensors: Mapping[str, Floats]) -> None:
        pass

    def __call__(self, values: Floats) -> Floats:
        """The same vectors (..., size)."""
        return values


class SegmentInputs:
    """Stretches of a series to vectors: a product, the vector of the series, ReLU.

    Args:
        spec: `network.Segments`.
        tensors: `weight` (size, length * features), `bias` (size,), and `identities` (identities + 1, size) where the
            description has identities.
    """

    def __init__(self, spec: network.Segments, tensors: Mapping[str, Floats]) -> None:
        self._linear = engine.Linear(tensors["weight"], tensors["bias"])
        self._identities = tensors["identities"] if spec.identities else None

    def __call__(self, x: Floats, identity: NDArray[np.int64]) -> Floats:
        """x (..., length * features) -> (..., size); the axes of `identity` are the first of x, or stretch to them."""
        y = self._linear(x.reshape(-1, x.shape[-1])).reshape(*x.shape[:-1], self._linear.outputs)
        if self._identities is not None:
            own = self._identities[identity]
            y = y + own.reshape(*identity.shape, *[1] * (x.ndim - 1 - identity.ndim), own.shape[-1])
        return relu(y)
