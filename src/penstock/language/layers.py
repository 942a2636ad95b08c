"""Heads of language models as PyTorch modules; the counterparts of `language.head`."""

import torch
from torch import Tensor
from torch.nn import functional
from torch.nn.parameter import Parameter

from penstock.language.spec import TAIL_FACTOR, BernoulliHead, NextTokenHead
from penstock.nn.heads import linear_parameters

__all__ = ["BernoulliHeadModule", "NextTokenHeadModule"]


class NextTokenHeadModule(torch.nn.Module):
    """Log-probabilities of the next token.

    Args:
        head: the head's description.
        features: the size of the encoder's output.
        bidirectional: must be False, because what comes next is unknown.

    Examples:
        >>> import torch
        >>> from penstock.language.spec import NextTokenHead
        >>> head = NextTokenHeadModule(NextTokenHead(tokens=9), features=4)
        >>> head.losses(torch.ones(5, 4), torch.arange(5)).shape
        torch.Size([5])
    """

    def __init__(self, head: NextTokenHead, *, features: int, bidirectional: bool = False) -> None:
        super().__init__()
        self.head = head
        shapes = head.parameter_shapes(features)
        if head.cutoffs:
            self.adaptive = torch.nn.AdaptiveLogSoftmaxWithLoss(
                features, head.tokens, list(head.cutoffs), div_value=TAIL_FACTOR, head_bias=True
            )
            return
        if not head.tied:
            self.weight, self.bias = linear_parameters(shapes["weight"])
            return
        self.bias = Parameter(torch.zeros(head.tokens))
        if "projection" in shapes:
            self.projection, _ = linear_parameters(shapes["projection"])

    def forward(self, y: Tensor, table: Tensor | None = None) -> Tensor:
        """y (rows, features) -> log-probabilities (rows, tokens); a tied head needs the embedding's table."""
        if self.head.cutoffs:
            return self.adaptive.log_prob(y)
        return self._scores(y, table).log_softmax(-1)

    def losses(self, y: Tensor, targets: Tensor, table: Tensor | None = None) -> Tensor:
        """Return minus the log-probability of each target: y (rows, features), targets (rows,) -> (rows,)."""
        if self.head.cutoffs:
            return -self.adaptive(y, targets).output
        return functional.cross_entropy(self._scores(y, table), targets, reduction="none")

    def _scores(self, y: Tensor, table: Tensor | None) -> Tensor:
        if not self.head.tied:
            return functional.linear(y, self.weight, self.bias)
        assert table is not None, "a tied head needs the embedding's table"
        if hasattr(self, "projection"):
            y = functional.linear(y, self.projection)
        return functional.linear(y, table, self.bias)


class BernoulliHeadModule(torch.nn.Module):
    """Log-odds of each note in the next frame.

    Args:
        head: the head's description.
        features: the size of the encoder's output.
        bidirectional: must be False, because what comes next is unknown.
    """

    def __init__(self, head: BernoulliHead, *, features: int, bidirectional: bool = False) -> None:
        super().__init__()
        self.weight, self.bias = linear_parameters(head.parameter_shapes(features)["weight"])

    def forward(self, y: Tensor, table: Tensor | None = None) -> Tensor:
        """y (rows, features) -> log-odds (rows, notes)."""
        return functional.linear(y, self.weight, self.bias)

    def losses(self, y: Tensor, targets: Tensor, table: Tensor | None = None) -> Tensor:
        """Return minus the log-probability of each frame: targets (rows, notes) of 0 and 1 -> (rows,)."""
        return functional.binary_cross_entropy_with_logits(self(y), targets, reduction="none").sum(-1)
