"""Pooled heads: outputs are accumulated over time (a fold), and a linear layer reads the result.

The fold takes the time steps strictly in order and works elementwise in float32; the matrix product is the engine's.
So the bits of a prediction depend neither on the batch, nor on padding, nor on whether the steps arrive together or one
by one: `forward(y, lengths)` is `read(fold(init(batch), y, lengths))`, and `fold` calls `step` repeatedly.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock import engine, network
from penstock.heads.protocols import Carry
from penstock.pauses import pause

__all__ = ["PooledReadout"]

_ACCUMULATORS = {"last": ("last",), "mean": ("total",), "max": ("maximum",), "mean_max": ("total", "maximum")}


class PooledReadout(ABC):
    """Base class: pools an encoder's outputs over time and applies a linear layer; subclasses add the activation.

    Poolings, over the `length` valid steps of a sequence:

    - `last`: the last step's output; for the backward direction the first step's, which it reads last.
    - `mean`, `max`: over time, for each feature.
    - `mean_max`: both, concatenated.

    A sequence of length 0 pools to zeros, so its prediction follows from the bias alone.

    Args:
        spec: the head's description, with its `pooling`.
        tensors: `weight` (outputs, pooled features), `bias` (outputs,) and others that the description names, float32.
        features: the encoder's output size.
        bidirectional: whether the second half of the features belongs to the backward direction.

    Attributes:
        outputs: the number of outputs.
    """

    def __init__(
        self,
        spec: network.ClassHead | network.RegressionHead,
        tensors: Mapping[str, NDArray[np.float32]],
        *,
        features: int,
        bidirectional: bool = False,
    ) -> None:
        self.outputs = len(tensors["bias"])
        self.features = features
        self._backward = slice(features // 2, features) if bidirectional else slice(0, 0)
        self._accumulators = _ACCUMULATORS[spec.pooling]
        self._linear = engine.Linear(tensors["weight"], tensors["bias"])

    @abstractmethod
    def activation(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn the linear layer's scores (batch, outputs) into the head's outputs (batch, outputs)."""

    def init(self, batch: int) -> Carry:
        """Return the accumulators before the first step.

        These are `length`, int64 (batch,), and those of `last`, `total` and `maximum`, float32 (batch, features), that
        the pooling needs.
        """
        carry: Carry = {"length": np.zeros(batch, np.int64)}
        for name in self._accumulators:
            start = -np.inf if name == "maximum" else 0.0
            carry[name] = np.full((batch, self.features), start, np.float32)
        return carry

    def step(self, carry: Carry, y: NDArray[np.float32], active: NDArray[np.bool_] | None = None) -> Carry:
        """Accumulate the outputs of one time step; `carry` is updated in place and returned.

        Args:
            carry: from `init` or an earlier step.
            y: (batch, features).
            active: (batch,), which sequences have this step; all of them if None.
        """
        chosen: Any = True if active is None else active[:, None]
        if "last" in carry:
            forward = slice(0, self.features - (self._backward.stop - self._backward.start))
            np.copyto(carry["last"][:, forward], y[:, forward], where=chosen)
            first = (carry["length"] == 0)[:, None] & chosen
            np.copyto(carry["last"][:, self._backward], y[:, self._backward], where=first)
        if "total" in carry:
            np.add(carry["total"], y, out=carry["total"], where=chosen)
        if "maximum" in carry:
            # + 0 turns -0.0 into 0.0; otherwise the order in memory could decide which of the two zeros wins.
            np.maximum(carry["maximum"], y + np.float32(0), out=carry["maximum"], where=chosen)
        carry["length"] += 1 if active is None else active
        return carry

    def fold(self, carry: Carry, y: NDArray[np.float32], lengths: NDArray[np.int64] | None = None) -> Carry:
        """Accumulate the steps of y (time, batch, features) in order, `lengths` (batch,) steps of each sequence."""
        if lengths is None or not len(lengths):
            lengths = np.full(y.shape[1], len(y), np.int64)
        shortest, longest = int(lengths.min(initial=len(y))), int(lengths.max(initial=0))
        for time in range(longest):
            pause()
            self.step(carry, y[time], None if time < shortest else lengths > time)
        return carry

    def read(self, carry: Carry) -> NDArray[np.float32]:
        """Return the predictions (batch, outputs) after the steps so far; `carry` does not change."""
        length = carry["length"][:, None]
        pooled = []
        for name in self._accumulators:
            value = carry[name]
            if name == "total":
                value = value / np.maximum(length, 1).astype(np.float32)
            pooled.append(np.where(length > 0, value, np.float32(0)))
        return self.activation(self._linear(np.ascontiguousarray(np.concatenate(pooled, axis=1))))

    def forward(self, y: NDArray[np.float32], lengths: NDArray[np.int64] | None = None) -> NDArray[np.float32]:
        """Return the predictions (batch, outputs) for whole sequences, y (time, batch, features)."""
        return self.read(self.fold(self.init(y.shape[1]), y, lengths))
