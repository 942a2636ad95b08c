"""How a step comes in at run time: the vector that the first layer reads of an id, or of numbers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock import network

__all__ = ["EmbeddingInputs", "NumberInputs"]

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
