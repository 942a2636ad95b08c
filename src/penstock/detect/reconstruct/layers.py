"""The reproducing decoder as a PyTorch module; the counterpart of `detect.reconstruct.head`."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.parameter import Parameter

from penstock.detect.reconstruct.spec import ReconstructionHead
from penstock.nn.heads import linear_parameters
from penstock.nn.lengths import int64_lengths
from penstock.nn.network import recurrent_layers

__all__ = ["ReconstructionHeadModule"]


class ReconstructionHeadModule(torch.nn.Module):
    """Scores of the distribution of each step of an example, from the encoder's output at its end.

    Args:
        head: the head's description.
        features: the size of the encoder's output.
        bidirectional: must be False.
    """

    def __init__(self, head: ReconstructionHead, *, features: int, bidirectional: bool = False) -> None:
        super().__init__()
        self.head = head
        self.decoder = recurrent_layers(head.decoder, init="orthogonal")
        self.weight, self.bias = linear_parameters(head.parameter_shapes(features)["weight"])
        self.log_scale = Parameter(torch.zeros(head.targets))

    def forward(self, y: Tensor, lengths: Any = None) -> Tensor:
        """y (batch, time, features) -> scores (batch, time, 2 * targets); those past an example's end mean nothing."""
        batch, steps, _ = y.shape
        counts = int64_lengths([steps] * batch if lengths is None else lengths, batch).to(y.device)
        ends = y[torch.arange(batch, device=y.device), (counts - 1).clamp(min=0)]
        backward, _ = self.decoder(ends[:, None].expand(-1, steps, -1), lengths=counts)
        places = (counts[:, None] - 1 - torch.arange(steps, device=y.device)).clamp(min=0)
        written = backward.gather(1, places[:, :, None].expand(-1, -1, backward.shape[-1]))
        location = functional.linear(written, self.weight, self.bias)
        return torch.cat([location, self.log_scale.expand_as(location)], dim=-1)
