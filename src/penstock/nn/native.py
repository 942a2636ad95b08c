"""One layer by the engine, in whichever of its forms the call needs: without a graph, with one, or compiled."""

from collections.abc import Sequence

import torch
from torch import Tensor

from penstock.nn import autograd, operator
from penstock.nn.autograd import Bound
from penstock.nn.plan import Layout

__all__ = ["layer"]


def layer(
    bound: Bound, layout: Layout, x: Tensor, state: tuple[Tensor, ...], weights: Sequence[Tensor]
) -> tuple[Tensor, ...]:
    """One layer in its one or two directions; arguments and results as in `reference.layer`, on float32 and CPU."""
    x, state = x.contiguous(), tuple([each.contiguous() for each in state])
    needs_graph = torch.is_grad_enabled() and any(each.requires_grad for each in (x, *state, *weights))
    if torch.compiler.is_compiling():
        weights = [each.contiguous() for each in weights]
        return operator.sweep(bound.spec, layout, x, state, weights, needs_graph)
    if not all(map(Tensor.is_contiguous, weights)):
        weights = [each.contiguous() for each in weights]
        bound.stale = True  # a copy's address says nothing about what it holds
    if needs_graph:
        return autograd.Sweep.apply(bound, layout, len(state), x, *state, *weights)
    return autograd.run(bound, layout, x, state, weights, training=False)
