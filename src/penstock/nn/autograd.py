"""One layer by the engine: without a graph, or as the one autograd function of all cells.

The engine reads and writes tensors through their addresses; the callers here have checked shapes, dtypes and
devices before (`layer.py`, `cell.py`).
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from penstock import engine
from penstock.nn import reference
from penstock.nn.paths import is_plain
from penstock.nn.plan import TIME_MAJOR, Kind, Layout
from penstock.nn.threads import engine_threads

__all__ = ["Bound", "Sweep", "run", "run_backward", "step"]

_address = torch.Tensor.data_ptr


def _pointer(tensor: Tensor | None) -> int:
    return 0 if tensor is None else tensor.data_ptr()


def _is_batched(gradient: Tensor | None) -> bool:
    """Whether this is many gradients in one, from torch.autograd.grad(is_grads_batched=True)."""
    return gradient is not None and torch._C._functorch.is_legacy_batchedtensor(gradient)


class Bound:
    """An engine layer of one kind, and whether its packed weights must be made anew at the next call.

    Copies and pickles start afresh: the engine's layer is a cache, and tied to its process.
    """

    __slots__ = ("directions", "kind", "layer", "spec", "stale", "state_sizes")

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.directions, self.state_sizes = kind.directions, kind.state_sizes
        self.spec = kind.spell()
        self.layer = engine.Layer(
            kind.cell,
            kind.input_size,
            kind.hidden_size,
            bias=kind.bias,
            bidirectional=kind.bidirectional,
            **kind.options,
        )
        self.stale = True

    def __reduce__(self) -> tuple[type["Bound"], tuple[Kind]]:
        return Bound, (self.kind,)

    def saved_size(self, x: Tensor) -> int:
        """Floats that the backward pass needs of a forward pass over x; room for padding too, so lengths don't matter.

        Linear in the rows, and written so that they may be a tracer's symbol.
        """
        none, one = self.layer.saved_size(0), self.layer.saved_size(1)
        return none + (one - none) * x.shape[:-1].numel()

    def version(self, weights: Sequence[Tensor]) -> int:
        """A number that grows with every in-place change of the weights."""
        try:
            return sum([weight._version for weight in weights])
        except RuntimeError:  # inference tensors count none, so nothing tells when to pack anew
            self.stale = True
            return 0


def run(
    bound: Bound,
    layout: Layout,
    x: Tensor,
    state: tuple[Tensor, ...],
    weights: Sequence[Tensor],
    *,
    training: bool,
) -> tuple[Tensor, ...]:
    """One layer by the engine: y, the final states and, for training, what the backward pass needs.

    Args:
        layout: where each step of x lies.
        x: in that order, contiguous float32 on the CPU, as all tensors here.
        state: none (zeros), or each (directions, batch, size).
        weights: by `kind.parameter_shapes`, then again for the reverse direction.
    """
    order, steps, batch, *_ = layout
    directions, sizes = bound.directions, bound.state_sizes
    # Sizes one by one: PyTorch takes twice as long over a tuple of them.
    if order == TIME_MAJOR:
        y = x.new_empty(steps, batch, directions * sizes[0])
    else:
        y = x.new_empty(*x.shape[:-1], directions * sizes[0])
    final = [x.new_empty(directions, batch, size) for size in sizes]
    saved = x.new_empty(bound.saved_size(x)) if training else None
    _call(bound, layout, x, state, weights, y, final, saved)
    return (y, *final) if saved is None else (y, *final, saved)


def step(bound: Bound, x: Tensor, state: Sequence[Tensor], weights: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """One step of one direction without a graph: x (batch, input), states (batch, size) -> the new states."""
    batch = len(x)
    final = [x.new_empty(batch, size) for size in bound.state_sizes]
    # Of a single step the output is the state, and the engine takes one memory for both.
    _call(bound, Layout(TIME_MAJOR, 1, batch), x, state, weights, final[0], final, None)
    return tuple(final)


def _call(
    bound: Bound,
    layout: Layout,
    x: Tensor,
    state: Sequence[Tensor],
    weights: Sequence[Tensor],
    y: Tensor,
    final: Sequence[Tensor],
    saved: Tensor | None,
) -> None:
    order, steps, batch, lengths, batch_sizes = layout
    version = bound.version(weights)
    repack, bound.stale = saved is not None or bound.stale, False
    bound.layer.run(  # positions, not names, because a single step takes only a few microseconds
        x.data_ptr(),
        tuple(map(_address, weights)),
        version,
        repack,
        steps,
        batch,
        order,
        _pointer(lengths),
        _pointer(batch_sizes),
        state[0].data_ptr() if state else 0,
        state[1].data_ptr() if len(state) > 1 else 0,
        y.data_ptr(),
        final[0].data_ptr(),
        final[1].data_ptr() if len(final) > 1 else 0,
        _pointer(saved),
        engine_threads(),
    )


def run_backward(
    bound: Bound,
    layout: Layout,
    x: Tensor,
    state: tuple[Tensor, ...],
    weights: Sequence[Tensor],
    y: Tensor,
    saved: Tensor,
    gradients: Sequence[Tensor | None],
    wanted: Sequence[bool],
) -> list[Tensor | None]:
    """Gradients of x, the initial states (as many as there are in `state`) and the weights, by the engine.

    Args:
        y, saved: what `run` gave.
        gradients: of y and of each final state; None for zeros.
        wanted: which gradients to compute, in the order of the result.
    """
    order, steps, batch, lengths, batch_sizes = layout
    dy, *dfinal = [None if each is None else each.contiguous() for each in gradients]
    inputs = (x, *state, *weights)
    results = [torch.empty_like(each) if want else None for each, want in zip(inputs, wanted, strict=True)]
    dstate = results[1 : 1 + len(state)]
    bound.layer.run_backward(
        x=x.data_ptr(),
        weights=tuple(map(_address, weights)),
        steps=steps,
        batch=batch,
        layout=order,
        lengths=_pointer(lengths),
        batch_sizes=_pointer(batch_sizes),
        h0=state[0].data_ptr() if state else 0,
        c0=state[1].data_ptr() if len(state) > 1 else 0,
        y=y.data_ptr(),
        saved=saved.data_ptr(),
        dy=_pointer(dy),
        dhn=_pointer(dfinal[0]),
        dcn=_pointer(dfinal[1]) if len(dfinal) > 1 else 0,
        dx=_pointer(results[0]),
        dh0=_pointer(dstate[0]) if dstate else 0,
        dc0=_pointer(dstate[1]) if len(dstate) > 1 else 0,
        dweights=tuple([_pointer(each) for each in results[1 + len(state) :]]),
        threads=engine_threads(),
    )
    return results


class Sweep(torch.autograd.Function):
    """One layer, all its directions and steps: `apply(bound, layout, number of states, x, *state, *weights)`."""

    @staticmethod
    def forward(ctx: Any, bound: Bound, layout: Layout, states: int, *tensors: Tensor) -> tuple[Tensor, ...]:
        x, state, weights = tensors[0], tensors[1 : 1 + states], tensors[1 + states :]
        y, *final, saved = run(bound, layout, x, state, weights, training=True)
        ctx.bound, ctx.layout, ctx.states = bound, layout, states
        ctx.save_for_backward(y, saved, *tensors)
        ctx.set_materialize_grads(False)
        return y, *final

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        y, saved, *tensors = ctx.saved_tensors
        wanted = ctx.needs_input_grad[3:]
        none = (None, None, None)
        if torch.is_grad_enabled() or not is_plain() or any(map(_is_batched, gradients)):
            return none + _differentiable(ctx.bound.kind, ctx.layout, ctx.states, tensors, gradients, wanted)
        x, state, weights = tensors[0], tuple(tensors[1 : 1 + ctx.states]), tensors[1 + ctx.states :]
        return none + tuple(run_backward(ctx.bound, ctx.layout, x, state, weights, y, saved, gradients, wanted))


def _differentiable(
    kind: Kind,
    layout: Layout,
    states: int,
    tensors: Sequence[Tensor],
    gradients: Sequence[Tensor | None],
    wanted: Sequence[bool],
) -> tuple[Tensor | None, ...]:
    """The gradients by the reference equations, for a graph of them (double backward) or a batch (vmap)."""
    create_graph = torch.is_grad_enabled()
    with torch.enable_grad():
        # An alias each: x may itself depend on a state, and only the direct way from each input counts here.
        inputs = [each.view_as(each) if each.requires_grad else each for each in tensors]
        outputs = reference.layer(kind, layout, inputs[0], tuple(inputs[1 : 1 + states]), inputs[1 + states :])
        pairs = [(out, g) for out, g in zip(outputs, gradients, strict=True) if g is not None]
        found = torch.autograd.grad(
            [out for out, _ in pairs],
            [each for each, want in zip(inputs, wanted, strict=True) if want],
            [g for _, g in pairs],
            create_graph=create_graph,
            allow_unused=True,
        )
    remaining = iter(found)
    return tuple([next(remaining) if want else None for want in wanted])
