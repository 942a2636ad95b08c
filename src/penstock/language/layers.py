"""Heads of language models as PyTorch modules; the counterparts of `language.head`."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional
from torch.nn.parameter import Parameter

from penstock.language.spec import TAIL_FACTOR, BernoulliHead, NextTokenHead
from penstock.nn.heads import linear_parameters
from penstock.nn.threads import for_each_part

__all__ = ["BernoulliHeadModule", "NextTokenHeadModule"]


_SCORES, _FEWEST_ROWS, _PART = 1 << 23, 128, 1 << 20
"""Scores that training has in memory at once, however many tokens there are; and those of a thread's part."""


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

    def mean_loss(self, y: Tensor, targets: Tensor, table: Tensor | None = None) -> Tensor:
        """Return the mean of `losses`, as training needs it: quicker, and without all rows' scores at once."""
        if self.head.cutoffs:
            return self.losses(y, targets).mean()
        loss: Tensor = _MeanCrossEntropy.apply(*self._linear(y, table), targets)
        return loss

    def _scores(self, y: Tensor, table: Tensor | None) -> Tensor:
        return functional.linear(*self._linear(y, table))

    def _linear(self, y: Tensor, table: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """What the layer of the scores reads, its weight, and its bias."""
        if not self.head.tied:
            return y, self.weight, self.bias
        assert table is not None, "a tied head needs the embedding's table"
        return (functional.linear(y, self.projection) if hasattr(self, "projection") else y), table, self.bias


class _MeanCrossEntropy(torch.autograd.Function):
    """The mean cross-entropy of a linear layer's softmax, whose gradients are computed with it, some rows at a time.

    Scores of many tokens are large: here they are never kept for the way back, and they are computed in parts on the
    engine's threads, because training gives PyTorch only one.
    """

    @staticmethod
    def forward(ctx: Any, y: Tensor, weight: Tensor, bias: Tensor, targets: Tensor) -> Tensor:
        """y (rows, features), weight (tokens, features), bias (tokens,), targets (rows,) -> the mean, ()."""
        losses, step = y.new_empty(len(y)), max(_FEWEST_ROWS, _SCORES // len(weight))
        gradients = torch.empty_like(y), torch.zeros_like(weight), torch.zeros_like(bias)
        for start in range(0, len(y), step):
            some = slice(start, start + step)
            _add_block(y[some], weight, bias, targets[some, None], losses[some], (gradients[0][some], *gradients[1:]))
        ctx.save_for_backward(*gradients)
        return losses.mean()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Scale the gradients."""
        found = ctx.saved_tensors
        return (*(each * (gradient / len(found[0])) for each in found), None)


def _add_block(
    x: Tensor, weight: Tensor, bias: Tensor, targets: Tensor, losses: Tensor, gradients: tuple[Tensor, Tensor, Tensor]
) -> None:
    """Compute the losses of some rows, and the gradients of their sum; those of weight and bias are added.

    Rows are divided for what belongs to a row, and tokens for what belongs to a token, so that no part adds to
    another's: x (rows, features), targets (rows, 1), losses (rows,).
    """
    shares = x.new_empty(len(x), len(weight))

    def rows(part: slice) -> None:
        scores, target = torch.addmm(bias, x[part], weight.t()), targets[part]
        share = torch.softmax(scores, 1, out=shares[part])
        # log p = score - greatest + log(greatest's share): exact also where p is too small for a float.
        log_p = scores.gather(1, target)[:, 0] - scores.amax(1) + share.amax(1).log()
        losses[part] = -log_p
        share.scatter_add_(1, target, share.new_full(target.shape, -1.0))
        torch.mm(share, weight, out=gradients[0][part])

    def tokens(part: slice) -> None:
        gradients[1][part].addmm_(shares[:, part].t(), x)
        gradients[2][part].add_(shares[:, part].sum(0))

    for_each_part(rows, len(x), max(1, _PART // len(weight)))
    for_each_part(tokens, len(weight), max(1, _PART // len(x)))


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

    def mean_loss(self, y: Tensor, targets: Tensor, table: Tensor | None = None) -> Tensor:
        """Return the mean of `losses`."""
        return self.losses(y, targets).mean()
