"""One layer computed by the engine: without a graph, or as an autograd function, the same for all cells."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from penstock import engine
from penstock.cells import Draw
from penstock.nn import reference
from penstock.nn.layer_spec import LayerSpec, Layout
from penstock.nn.memory import ReusableMemory
from penstock.nn.paths import is_plain
from penstock.nn.tensors import native_tensors
from penstock.nn.threads import engine_threads

__all__ = ["Bound", "Sweep", "run", "run_backward"]


def _is_batched(gradient: Tensor | None) -> bool:
    """Whether this is a batch of gradients, from torch.autograd.grad(is_grads_batched=True)."""
    return gradient is not None and torch._C._functorch.is_legacy_batchedtensor(gradient)


class Bound:
    """An engine layer of one kind; its `layer` is None, and never used, if the engine has no kernels for the cell.

    Copies and unpickled objects get a new, unfrozen engine layer, because that is a cache tied to its process.
    """

    __slots__ = ("directions", "kind", "layer", "memory", "spec", "state_sizes", "zoned")

    def __init__(self, kind: LayerSpec) -> None:
        self.kind = kind
        self.directions, self.state_sizes = kind.directions, kind.state_sizes
        self.spec, self.zoned = kind.spell(), bool(kind.zoneout)
        self.layer: Any = (
            engine.Layer(
                kind.cell,
                kind.input_size,
                kind.hidden_size,
                bias=kind.bias,
                bidirectional=kind.bidirectional,
                **kind.options,
            )
            if kind.is_native
            else None
        )
        self.memory = ReusableMemory()

    def __reduce__(self) -> tuple[type["Bound"], tuple[LayerSpec]]:
        return Bound, (self.kind,)

    def saved_size(self, x: Tensor) -> int:
        """Number of floats that the backward pass needs from a forward pass over x, with room for padding.

        It is linear in the number of rows, and computed so that this number may be a tracer's symbol.
        """
        base, one = self.layer.saved_size(0), self.layer.saved_size(1)
        return base + (one - base) * math.prod(x.shape[:-1])  # Size.numel() would turn symbols into numbers


def run(
    bound: Bound,
    layout: Layout,
    x: Tensor,
    state: tuple[Tensor, ...],
    weights: list[Tensor],
    *,
    training: bool,
    draw: Draw | None = None,
) -> tuple[Tensor, ...]:
    """Run one layer on the engine; return y, the final states and, for training, what the backward pass needs.

    Args:
        layout: the order of the steps in x.
        x: in that order, contiguous float32 on the CPU, like all tensors here.
        state: empty for zeros, or one tensor (directions, batch, size) per state.
        weights: in the order of `kind.parameter_shapes`, then again for the reverse direction.
        draw: the masks of zoneout; None for its expectation.
    """
    # A training step always packs: its weights have just changed, so comparing them would be wasted.
    order, steps, batch, lengths, batch_sizes = layout
    lend = bound.memory.lend if training else None
    return native_tensors.forward(
        bound.layer, x, state, weights, order, steps, batch, lengths, batch_sizes, lend, engine_threads(), *_masks(draw)
    )


def _masks(draw: Draw | None) -> list[tuple[int, int, int, Tensor | None]]:
    """The last argument of the engine's calls, where there are masks."""
    return [] if draw is None else [(int(draw.seed), draw.layer, draw.first_step, draw.numbers)]


def run_backward(
    bound: Bound,
    layout: Layout,
    x: Tensor,
    state: tuple[Tensor, ...],
    weights: list[Tensor],
    y: Tensor,
    saved: Tensor,
    gradients: Sequence[Tensor | None],
    wanted: Sequence[bool],
    draw: Draw | None = None,
) -> list[Tensor | None]:
    """Compute, on the engine, gradients of x, of the initial states in `state`, and of the weights.

    Args:
        y, saved: results of `run`.
        gradients: gradients of y and of each final state; None for zeros.
        wanted: which gradients to compute, in the order of the result.
        draw: as for `run`.
    """
    order, steps, batch, lengths, batch_sizes = layout
    gradients = [None if each is None else each.contiguous() for each in gradients]
    return native_tensors.backward(
        bound.layer, x, state, weights, order, steps, batch, lengths, batch_sizes, y, saved, gradients, wanted,
        engine_threads(), *_masks(draw),
    )  # fmt: skip


class Sweep(torch.autograd.Function):
    """One layer, all directions and steps: `apply(bound, layout, draw, number of states, x, *state, *weights)`."""

    @staticmethod
    def forward(
        ctx: Any, bound: Bound, layout: Layout, draw: Draw | None, states: int, *tensors: Tensor
    ) -> tuple[Tensor, ...]:
        x, state, weights = tensors[0], tensors[1 : 1 + states], list(tensors[1 + states :])
        y, *final, saved = run(bound, layout, x, state, weights, training=True, draw=draw)
        ctx.bound, ctx.layout, ctx.draw, ctx.states = bound, layout, draw, states
        ctx.save_for_backward(y, saved, *tensors)
        ctx.set_materialize_grads(False)
        return y, *final

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        y, saved, *tensors = ctx.saved_tensors
        wanted = ctx.needs_input_grad[4:]
        none = (None, None, None, None)
        if torch.is_grad_enabled() or not is_plain() or any(map(_is_batched, gradients)):
            return none + _differentiable(ctx.bound.kind, ctx.layout, ctx.draw, ctx.states, tensors, gradients, wanted)
        x, state, weights = tensors[0], tuple(tensors[1 : 1 + ctx.states]), tensors[1 + ctx.states :]
        computed = run_backward(ctx.bound, ctx.layout, x, state, weights, y, saved, gradients, wanted, ctx.draw)
        return none + tuple(computed)


def _differentiable(
    kind: LayerSpec,
    layout: Layout,
    draw: Draw | None,
    states: int,
    tensors: Sequence[Tensor],
    gradients: Sequence[Tensor | None],
    wanted: Sequence[bool],
) -> tuple[Tensor | None, ...]:
    """Compute the gradients by the reference equations, for double backward or a batch of gradients (vmap)."""
    create_graph = torch.is_grad_enabled()
    with torch.enable_grad():
        # An alias of each: x may itself depend on a state, but only the direct path from each input counts here.
        inputs = [each.view_as(each) if each.requires_grad else each for each in tensors]
        outputs = reference.layer(kind, layout, inputs[0], tuple(inputs[1 : 1 + states]), inputs[1 + states :], draw)
        pairs = [(out, g) for out, g in zip(outputs, gradients, strict=True) if g is not None]
        computed = torch.autograd.grad(
            [out for out, _ in pairs],
            [each for each, want in zip(inputs, wanted, strict=True) if want],
            [g for _, g in pairs],
            create_graph=create_graph,
            allow_unused=True,
        )
    remaining = iter(computed)
    return tuple([next(remaining) if want else None for want in wanted])
