"""The head of speech recognition in PyTorch."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.parameter import Parameter

from penstock.nn.heads import linear_parameters
from penstock.speech.spec import CtcHead

__all__ = ["CtcHeadModule"]


class CtcHeadModule(torch.nn.Module):
    """Log-probabilities of the blank and of all tokens at each step; PyTorch's side of `speech.head.CtcReadout`.

    Args:
        spec: the description.
        features: the encoder's output size.
        bidirectional: ignored; accepted because all heads take it.
    """

    def __init__(self, spec: CtcHead, *, features: int, bidirectional: bool = False) -> None:
        super().__init__()
        self.weight, self.bias = linear_parameters((spec.tokens, features))
        if spec.lookahead:  # starts as the step itself
            self.lookahead = Parameter(torch.zeros(spec.lookahead + 1, features).index_fill_(0, torch.tensor([0]), 1.0))
        self.steps_ahead = spec.lookahead

    def forward(self, y: Tensor, lengths: Any = None) -> Tensor:
        """y (batch, time, features) -> (batch, time, tokens); ignore those past a sequence's length."""
        return functional.linear(self.ahead(y, lengths), self.weight, self.bias).log_softmax(-1)

    def ahead(self, y: Tensor, lengths: Any = None) -> Tensor:
        """Return the outputs y (batch, time, features) after the look-ahead convolution; y itself without one."""
        if not self.steps_ahead:
            return y
        if lengths is not None:
            inside = torch.arange(y.shape[1]) < torch.as_tensor(lengths)[:, None]
            y = y * inside[..., None]
        padded = functional.pad(y, (0, 0, 0, self.steps_ahead))
        windows = (padded[:, step : step + y.shape[1]] * weight for step, weight in enumerate(self.lookahead))
        return torch.stack(list(windows)).sum(0)
