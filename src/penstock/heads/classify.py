"""One probability per class for a whole sequence: pooling over time, a linear layer, softmax."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from penstock import engine, network
from penstock.heads.pooled import PooledHead

__all__ = ["ClassHead"]


class ClassHead(PooledHead):
    """Class probabilities from an encoder's outputs; see `PooledHead`.

    Args:
        spec: `network.ClassHead` with `classes` and `pooling`.
        tensors: `head.weight` (classes, pooled features) and `head.bias` (classes,), float32.
        features: the encoder's output size.
        bidirectional: whether the second half of the features runs backward.

    Raises:
        ConfigError: an unknown pooling.
        ShapeError: the parameters do not fit.
    """

    def __init__(
        self, spec: network.ClassHead, tensors: Mapping[str, np.ndarray], *, features: int, bidirectional: bool = False
    ) -> None:
        super().__init__(spec.pooling, tensors, outputs=spec.classes, features=features, bidirectional=bidirectional)
        self.classes = spec.classes

    def spoken(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """The softmax, by the engine."""
        return engine.softmax(scores)
