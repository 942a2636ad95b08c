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


class _LogPartition(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, scores: Tensor, lengths: Tensor, transitions: Tensor, start: Tensor, end: Tensor) -> Tensor:
        steps = scores.detach().transpose(0, 1).contiguous()  # (time, batch, labels)
        forward = torch.empty_like(steps)
        forward[0] = start + steps[0]
        for time in range(1, len(steps)):
            before = forward[time - 1]
            after = (before[:, :, None] + transitions).logsumexp(1).add_(steps[time])
            forward[time] = torch.where((lengths > time)[:, None], after, before)
        total = torch.where(lengths > 0, (forward[-1] + end).logsumexp(1), 0)
        ctx.save_for_backward(steps, forward, total, lengths, transitions, end)
        return total

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        steps, forward, total, lengths, transitions, end = ctx.saved_tensors
        of_scores, of_transitions = torch.zeros_like(steps), torch.zeros_like(transitions)
        weight = torch.where(lengths > 0, gradient, 0)[:, None]
        backward = end.expand_as(steps[0])
        last = (forward[-1] + end - total[:, None]).exp() * weight
        now = last  # probabilities of the labels at a step, times the gradient
        for time in range(len(steps) - 1, 0, -1):
            active = (lengths > time)[:, None]
            of_scores[time] = torch.where(active, now, 0)
            onward = transitions + (steps[time] + backward)[:, None, :]
            pairs = (onward + (forward[time - 1] - total[:, None])[:, :, None]).exp_()
            pairs *= torch.where(active, weight, 0)[:, :, None]
            of_transitions += pairs.sum(0)
            now = torch.where(active, pairs.sum(2), now)
            backward = torch.where(active, onward.logsumexp(2), backward)
        of_scores[0] = now
        return of_scores.transpose(0, 1), None, of_transitions, now.sum(0), last.sum(0)
