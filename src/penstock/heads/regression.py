"""Regression head: pooling over time, a linear layer, and scaling to the unit of the data."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from penstock import network
from penstock.heads.pooled import PooledReadout

__all__ = ["RegressionReadout"]


class RegressionReadout(PooledReadout):
    """Predicts numbers for a whole sequence; see `PooledReadout`. The description is `network.RegressionHead`.

    `tensors` also holds `scale` and `offset`, (outputs,) each: score * scale + offset is in the unit of the data.
    """

    def __init__(
        self,
        spec: network.RegressionHead,
        tensors: Mapping[str, NDArray[np.float32]],
        *,
        features: int,
        bidirectional: bool = False,
    ) -> None:
        super().__init__(spec, tensors, features=features, bidirectional=bidirectional)
        self._scale, self._offset = tensors["scale"], tensors["offset"]

    def activation(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scale the scores to the unit of the data."""
        return scores * self._scale + self._offset
