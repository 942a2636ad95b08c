"""Inputs at run time: the first layer's input vectors, from ids or from numbers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock import network

__all__ = ["EmbeddingInputs", "NumberInputs"]

Floats = NDArray[np.float32]


class EmbeddingInputs:
    """Looks up the vectors of ids in a table.

    Args:
        spec: `network.Embedding`.
        tensors: `weight` (vocabulary_size, size).

    Attributes:
        table: the weight.
    """

    def __init__(self, spec: network.Embedding, tensors: Mapping[str, Floats]) -> None:
        self.table = tensors["weight"]

    def __call__(self, ids: NDArray[np.integer[Any]]) -> Floats:
        """Return the vectors (..., size) of ids (...)."""
        return self.table[ids]


class NumberInputs:
    """Passes vectors of numbers through unchanged.

    Args:
        spec: `network.Numbers`.
        tensors: none.
    """

    def __init__(self, spec: network.Numbers, tensors: Mapping[str, Floats]) -> None:
        pass

    def __call__(self, values: Floats) -> Floats:
        """Return the vectors (..., size) unchanged."""
        return values
