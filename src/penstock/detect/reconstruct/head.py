"""The reproducing decoder on the engine; the counterpart of `detect.reconstruct.layers`."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from penstock import engine
from penstock.detect.reconstruct.spec import ReconstructionHead
from penstock.runtime.stack import Stack

__all__ = ["ReconstructionReadout"]

Floats = NDArray[np.float32]


class ReconstructionReadout:
    """Scores of the steps of an example: (targets) locations, then (targets) log scales.

    Args:
        spec: `detect.reconstruct.spec.ReconstructionHead`.
        tensors: those of `spec.parameter_shapes`.
        features: the encoder's output size.
        bidirectional: must be False.

    Attributes:
        outputs: twice the number of targets.
    """

    def __init__(
        self, spec: ReconstructionHead, tensors: Mapping[str, Floats], *, features: int, bidirectional: bool = False
    ) -> None:
        self.outputs = 2 * spec.targets
        below = {name.removeprefix("decoder."): array for name, array in tensors.items() if name.startswith("decoder.")}
        self._decoder = Stack(spec.decoder, below)
        self._linear = engine.Linear(tensors["weight"], tensors["bias"])
        self._log_scale = tensors["log_scale"]

    def __call__(self, ends: Floats, lengths: NDArray[np.int64]) -> list[Floats]:
        """Return the scores of each example's steps, each (steps, outputs), in the order of the steps.

        Args:
            ends: (examples, features), the encoder's output at the last step of each.
            lengths: (examples,), their steps; an example's bits do not depend on others.
        """
        steps = int(lengths.max(initial=0))
        y, _ = self._decoder(np.repeat(ends[None], steps, axis=0), None, lengths)
        rows = zip(y.swapaxes(0, 1), lengths.tolist(), strict=True)
        located = [self._linear(np.ascontiguousarray(row[:length][::-1])) for row, length in rows]
        return [np.concatenate([each, np.broadcast_to(self._log_scale, each.shape)], axis=1) for each in located]
