"""The likelihood of linear chains of labels, for training; `penstock.heads.chain` decodes them."""

from typing import Any

import torch
from torch import Tensor

__all__ = ["log_partition", "path_scores"]


def path_scores(
    scores: Tensor, labels: Tensor, lengths: Tensor, transitions: Tensor, start: Tensor, end: Tensor
) -> Tensor:
    """Return the score of each sequence's path of labels, (batch,), as `penstock.heads.chain` defines it.

    Args:
        scores: (batch, time, labels).
        labels: (batch, time) int64; those past a sequence's end mean nothing, but must be numbers of labels.
        lengths: (batch,) int64.
        transitions: (labels, labels), from a label to the next one.
        start, end: (labels,), of the first and the last label.
    """
    inside = torch.arange(scores.shape[1]) < lengths[:, None]
    unary = torch.where(inside, scores.gather(2, labels[..., None])[..., 0], 0).sum(1)
    pairs = torch.where(inside[:, 1:], transitions[labels[:, :-1], labels[:, 1:]], 0).sum(1)
    last = labels.gather(1, (lengths - 1).clamp(min=0)[:, None])[:, 0]
    return unary + pairs + torch.where(lengths > 0, start[labels[:, 0]] + end[last], 0)


def log_partition(scores: Tensor, lengths: Tensor, transitions: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Return the logarithm of the sum of exp(score) over all paths, (batch,): the forward algorithm, in log space.

    The gradient is computed by the backward algorithm: the probabilities of labels and of pairs of labels.

    Args:
        scores: (batch, time, labels), at least one step.
        lengths: (batch,) int64; 0 gives 0.
        transitions, start, end: as for `path_scores`.
    """
    return _LogPartition.apply(scores, lengths, transitions, start, end)


class _Steps:
    """Steps along the chains of a batch, in log space.

    A sum over labels is a product of matrices, of exponentials less the largest; where one of these could be lost to
    underflow, it is taken one by one.
    """

    def __init__(self, transitions: Tensor) -> None:
        self.transitions = transitions
        self._top = transitions.max()
        self._shares = (transitions - self._top).exp()
        self._least = torch.finfo(transitions.dtype).tiny * 1e8

    def onward(self, before: Tensor) -> Tensor:
        """log(sum over i of exp(before[i] + transitions[i, j])): (batch, labels) -> (batch, labels)."""
        most = before.amax(1, keepdim=True)
        sums = (before - most).exp_() @ self._shares
        if sums.min() < self._least:
            return (before[:, :, None] + self.transitions).logsumexp(1)
        return sums.log_().add_(most + self._top)

    def back(self, after: Tensor) -> Tensor:
        """log(sum over j of exp(transitions[i, j] + after[j])): (batch, labels) -> (batch, labels)."""
        most = after.amax(1, keepdim=True)
        sums = (after - most).exp_() @ self._shares.T
        if sums.min() < self._least:
            return (self.transitions + after[:, None, :]).logsumexp(2)
        return sums.log_().add_(most + self._top)

    def pairs(self, before: Tensor, after: Tensor, weight: Tensor) -> Tensor:
        """Sum over the batch of weight * exp(before[i] + transitions[i, j] + after[j]), (labels, labels).

        Args:
            before, after: (batch, labels), less the logarithm of what the shares are of.
            weight: (batch, 1).
        """
        first, last = before.amax(1, keepdim=True), after.amax(1, keepdim=True)
        factor = first + last + self._top
        if factor.max() > _FAR:
            each = (before[:, :, None] + self.transitions + after[:, None, :]).exp_()
            return torch.where(weight[:, :, None] != 0, each * weight[:, :, None], 0).sum(0)
        return ((before - first).exp_().T @ ((after - last).exp_() * (weight * factor.exp()))) * self._shares


# The likeliest pair of labels, one by one, may be this much likelier than any real pair, before exponentials are lost.
_FAR = 40.0


class _LogPartition(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, scores: Tensor, lengths: Tensor, transitions: Tensor, start: Tensor, end: Tensor) -> Tensor:
        steps = scores.detach().transpose(0, 1).contiguous()  # (time, batch, labels)
        chain, forward = _Steps(transitions), torch.empty_like(steps)
        forward[0] = start + steps[0]
        for time in range(1, len(steps)):
            before = forward[time - 1]
            after = chain.onward(before) + steps[time]
            forward[time] = torch.where((lengths > time)[:, None], after, before)
        total = torch.where(lengths > 0, (forward[-1] + end).logsumexp(1), 0)
        ctx.save_for_backward(steps, forward, total, lengths, transitions, end)
        return total

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        steps, forward, total, lengths, transitions, end = ctx.saved_tensors
        chain = _Steps(transitions)
        of_scores, of_transitions = torch.empty_like(steps), torch.zeros_like(transitions)
        weight = torch.where(lengths > 0, gradient, 0)[:, None]
        forward = forward - total[:, None]  # with `backward`, logarithms of probabilities
        backward = end.expand_as(steps[0])
        last = (forward[-1] + end).exp() * weight
        for time in range(len(steps) - 1, 0, -1):
            active = (lengths > time)[:, None]
            counts = torch.where(active, weight, 0)
            of_scores[time] = (forward[time] + backward).exp_() * counts
            after = steps[time] + backward
            of_transitions += chain.pairs(forward[time - 1], after, counts)
            backward = torch.where(active, chain.back(after), backward)
        of_scores[0] = (forward[0] + backward).exp_() * weight
        return of_scores.transpose(0, 1), None, of_transitions, of_scores[0].sum(0), last.sum(0)
