"""One layer by the engine, in whichever of its forms the call needs: without a graph, with one, or compiled."""

from collections.abc import Sequence

import torch
from torch import Tensor

from penstock.nn import autograd, operator
from penstock.nn.autograd import Bound
from penstock.nn.plan import TIME_MAJOR, Layout

__all__ = ["layer", "step"]


def layer(
    bound: Bound, layout: Layout, x: Tensor, state: tuple[Tensor, ...], weights: Sequence[Tensor]
) -> tuple[Tensor, ...]:
    """One layer in its one or two directions; arguments and results as in `reference.layer`, on float32 and CPU."""
    x, state = x.contiguous(), tuple([each.contiguous() for each in state])
    needs_graph = torch.is_grad_enabled() and _any_wants_gradient(x, *state, *weights)
    if torch.compiler.is_compiling():
        return operator.sweep(bound.spec, layout, x, state, [each.contiguous() for each in weights], needs_graph)
    weights = _contiguous(bound, weights)
    if needs_graph:
        return autograd.Sweep.apply(bound, layout, len(state), x, *state, *weights)
    return autograd.run(bound, layout, x, state, weights, training=False)


def step(bound: Bound, x: Tensor, state: tuple[Tensor, ...], weights: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """One step: x (batch, input), states (batch, size) each -> the new states."""
    if torch.compiler.is_compiling() or (torch.is_grad_enabled() and _any_wants_gradient(x, *state, *weights)):
        over_time = Layout(TIME_MAJOR, 1, len(x))
        batched = tuple([each.unsqueeze(0) for each in state])
        _, *final = layer(bound, over_time, x.unsqueeze(0), batched, weights)
        return tuple([each.squeeze(0) for each in final])
    return autograd.step(bound, x.contiguous(), [each.contiguous() for each in state], _contiguous(bound, weights))


def _any_wants_gradient(*tensors: Tensor) -> bool:
    return any(each.requires_grad for each in tensors)


def _contiguous(bound: Bound, weights: Sequence[Tensor]) -> Sequence[Tensor]:
    if not all(map(Tensor.is_contiguous, weights)):
        weights = [each.contiguous() for each in weights]
        bound.stale = True  # a copy's address says nothing about what it holds
    return weights
