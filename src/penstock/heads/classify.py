"""Classification heads: probabilities for a whole sequence, or logits for each step."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from penstock import engine, network
from penstock.heads.pooled import PooledReadout

__all__ = ["ClassReadout", "StepClassReadout"]

Floats = NDArray[np.float32]


class ClassReadout(PooledReadout):
    """One probability per class for a whole sequence; see `PooledReadout`. The description is `network.ClassHead`."""

    def activation(self, scores: Floats) -> Floats:
        """Softmax, computed by the engine."""
        return engine.softmax(scores)


class StepClassReadout:
    """Logits of the classes for each step.

    Args:
        spec: `network.StepClassHead`.
        tensors: `weight` (classes, features) and `bias` (classes,), float32.
        features: the encoder's output size.
        bidirectional: ignored; accepted because all heads take it.

    Attributes:
        outputs: the number of classes.
    """

    def __init__(
        self,
        spec: network.StepClassHead,
        tensors: Mapping[str, Floats],
        *,
        features: int,
        bidirectional: bool = False,
    ) -> None:
        self.outputs = spec.classes
        self._linear = engine.Linear(tensors["weight"], tensors["bias"])

    def __call__(self, y: Floats) -> Floats:
        """y (steps, features) -> logits (steps, classes); a row's bits do not depend on other rows."""
        return self._linear(y)
