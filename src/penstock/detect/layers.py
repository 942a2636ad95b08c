"""The head of detectors as a PyTorch module; the counterpart of `detect.head`."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from penstock.detect.head import LOG_SCALE
from penstock.detect.spec import DistributionHead
from penstock.nn.heads import linear_parameters

__all__ = ["DistributionHeadModule", "logistic_losses"]


class DistributionHeadModule(torch.nn.Module):
    """Scores of each step's distribution.

    Args:
        head: the head's description.
        features: the size of the encoder's output.
        bidirectional: must be False, because a value is judged when it arrives.
    """

    def __init__(self, head: DistributionHead, *, features: int, bidirectional: bool = False) -> None:
        super().__init__()
        self.head = head
        self.weight, self.bias = linear_parameters(head.parameter_shapes(features)["weight"])

    def forward(self, y: Tensor, lengths: Any = None) -> Tensor:
        """y (..., features) -> scores (..., 2 * targets)."""
        return functional.linear(y, self.weight, self.bias)

    def losses(self, y: Tensor, last: Tensor, values: Tensor) -> Tensor:
        """Return minus the logarithm of each value's density, in units of its series.

        y (..., features), last (..., targets), the values before, values (..., targets) -> (..., targets).
        """
        return logistic_losses(self(y), last, values)


def logistic_losses(scores: Tensor, last: Tensor, values: Tensor) -> Tensor:
    """Return minus the logarithm of each value's density, (..., targets), for a distribution of `detect.head.logistic`.

    scores (..., 2 * targets), last and values (..., targets).
    """
    shift, log_scale = scores.chunk(2, dim=-1)
    log_scale = log_scale.clamp(-LOG_SCALE, LOG_SCALE)
    distance = (values - last - shift) / log_scale.exp()
    return distance + 2 * functional.softplus(-distance) + log_scale
