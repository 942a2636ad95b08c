"""Numbers for a whole sequence: pooling over time, a linear layer, the scale of what is foretold."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from penstock import network
from penstock.errors import ShapeError
from penstock.heads.pooled import PooledHead

__all__ = ["RegressionHead"]


class RegressionHead(PooledHead):
    """Numbers from an encoder's outputs; see `PooledHead`.

    Args:
        spec: `network.RegressionHead` with `outputs` and `pooling`.
        tensors: `head.weight` (outputs, pooled features) and `head.bias` (outputs,), float32, and what brings their
            scores to the unit of the data: score * `head.scale` + `head.offset`, (outputs,) each.
        features: the encoder's output size.
        bidirectional: whether the second half of the features runs backward.

    Raises:
        ConfigError: an unknown pooling.
        ShapeError: the parameters do not fit.
    """

    def __init__(
        self,
        spec: network.RegressionHead,
        tensors: Mapping[str, np.ndarray],
        *,
        features: int,
        bidirectional: bool = False,
    ) -> None:
        super().__init__(spec.pooling, tensors, outputs=spec.outputs, features=features, bidirectional=bidirectional)
        self._scale, self._offset = tensors["head.scale"], tensors["head.offset"]
        if self._scale.shape != (spec.outputs,) or self._offset.shape != (spec.outputs,):
            raise ShapeError(
                f"head.scale and head.offset must be (outputs={spec.outputs},); "
                f"got {self._scale.shape} and {self._offset.shape}"
            )

    def spoken(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """The scores in the unit of the data."""
        return scores * self._scale + self._offset
