"""The engine as a registered operator, which torch.compile puts into its graphs; eager mode uses `autograd`."""

import functools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from penstock.cells import Draw
from penstock.nn import autograd
from penstock.nn.layer_spec import LayerSpec, Layout
from penstock.nn.lengths import check_range
from penstock.nn.memory import ReusableMemory

__all__ = ["memory", "sweep"]

memory = ReusableMemory()  # one for all layers in `_bound`'s cache, which outlive their modules


@functools.lru_cache(maxsize=256)
def _bound(spec: str, address: int) -> autograd.Bound:
    """Return an engine layer for a module's layer, identified by the address of its weights, so that packs are reused.

    The address only saves time: the engine compares a pack with every weight at each call.
    """
    bound = autograd.Bound(LayerSpec.read(spec))
    bound.memory = memory
    return bound


def _find(spec: str, weights: Sequence[Tensor]) -> autograd.Bound:
    return _bound(spec, weights[0].data_ptr())


def sweep(
    spec: str,
    layout: Layout,
    x: Tensor,
    state: Sequence[Tensor],
    weights: Sequence[Tensor],
    draw: Draw | None,
    training: bool,
) -> tuple[Tensor, ...]:
    """Run one layer on the engine like `autograd.run`; return y and the final states."""
    order, steps, batch, lengths, batch_sizes = layout
    masks = (None, None, 0) if draw is None else (draw.seed, draw.numbers, draw.layer)
    results = _sweep(x, list(state), list(weights), lengths, batch_sizes, order, steps, batch, spec, training, *masks)
    return tuple(results[:-1])


def _draw(seed: Tensor | None, numbers: Tensor | None, number: int) -> Draw | None:
    return None if seed is None else Draw(seed, number, numbers=numbers)


@torch.library.custom_op("penstock::sweep", mutates_args=())
def _sweep(
    x: Tensor,
    state: list[Tensor],
    weights: list[Tensor],
    lengths: Tensor | None,
    batch_sizes: Tensor | None,
    order: int,
    steps: int,
    batch: int,
    spec: str,
    training: bool,
    seed: Tensor | None = None,
    numbers: Tensor | None = None,
    number: int = 0,
) -> list[Tensor]:
    """Return y, the final states, and what the backward pass needs (empty if not training).

    The masks of zoneout have a seed, numbers of the sequences, and the number of the layer.
    """
    if lengths is not None:
        check_range(lengths, steps)  # here, because a tracer could not read the values
    bound, layout = _find(spec, weights), Layout(order, steps, batch, lengths, batch_sizes)
    draw = _draw(seed, numbers, number)
    results = autograd.run(bound, layout, x, tuple(state), weights, training=training, draw=draw)
    return [*results] if training else [*results, x.new_empty(0)]


@_sweep.register_fake
def _(
    x: Tensor,
    state: list[Tensor],
    weights: list[Tensor],
    lengths: Tensor | None,
    batch_sizes: Tensor | None,
    order: int,
    steps: int,
    batch: int,
    spec: str,
    training: bool,
    seed: Tensor | None = None,
    numbers: Tensor | None = None,
    number: int = 0,
) -> list[Tensor]:
    bound = _bound(spec, 0)
    y = x.new_empty((*x.shape[:-1], bound.directions * bound.state_sizes[0]))
    final = [x.new_empty((bound.directions, batch, size)) for size in bound.state_sizes]
    return [y, *final, x.new_empty(bound.saved_size(x) if training else 0)]


@torch.library.custom_op("penstock::sweep_backward", mutates_args=())
def _sweep_backward(
    x: Tensor,
    state: list[Tensor],
    weights: list[Tensor],
    lengths: Tensor | None,
    batch_sizes: Tensor | None,
    order: int,
    steps: int,
    batch: int,
    spec: str,
    y: Tensor,
    saved: Tensor,
    gradients: list[Tensor],
    wanted: list[bool],
    seed: Tensor | None = None,
    numbers: Tensor | None = None,
    number: int = 0,
) -> list[Tensor]:
    bound, layout = _find(spec, weights), Layout(order, steps, batch, lengths, batch_sizes)
    draw = _draw(seed, numbers, number)
    results = autograd.run_backward(bound, layout, x, tuple(state), weights, y, saved, gradients, wanted, draw)
    return [x.new_empty(0) if each is None else each for each in results]


@_sweep_backward.register_fake
def _(
    x: Tensor,
    state: list[Tensor],
    weights: list[Tensor],
    lengths: Tensor | None,
    batch_sizes: Tensor | None,
    order: int,
    steps: int,
    batch: int,
    spec: str,
    y: Tensor,
    saved: Tensor,
    gradients: list[Tensor],
    wanted: list[bool],
    seed: Tensor | None = None,
    numbers: Tensor | None = None,
    number: int = 0,
) -> list[Tensor]:
    inputs = (x, *state, *weights)
    return [each.new_empty(each.shape) if want else x.new_empty(0) for each, want in zip(inputs, wanted, strict=True)]


def _keep(ctx: Any, inputs: tuple[Any, ...], output: list[Tensor]) -> None:
    x, state, weights, ctx.lengths, ctx.batch_sizes, *ctx.settings, _, seed, numbers, number = inputs
    ctx.masks = seed, numbers, number
    ctx.save_for_backward(x, *state, *weights, output[0], output[-1])
    ctx.states = len(state)


def _differentiate(ctx: Any, gradients: list[Tensor]) -> tuple[Any, ...]:
    x, *tensors, y, saved = ctx.saved_tensors
    state, weights = tensors[: ctx.states], tensors[ctx.states :]
    wants_x, wants_state, wants_weights, *none = ctx.needs_input_grad
    wanted = [wants_x, *wants_state, *wants_weights]
    computed = _sweep_backward(
        x, state, weights, ctx.lengths, ctx.batch_sizes, *ctx.settings, y, saved, gradients[:-1], wanted, *ctx.masks
    )
    dx, *rest = [each if want else None for each, want in zip(computed, wanted, strict=True)]
    return dx, rest[: ctx.states], rest[ctx.states :], *([None] * len(none))


_sweep.register_autograd(_differentiate, setup_context=_keep)


def _one_by_one(info: Any, axes: tuple[Any, ...], *arguments: Any) -> tuple[list[Tensor], list[int]]:
    """torch.vmap inside torch.compile: call the operator for each element, because batches may not share weights."""
    results = []
    for k in range(info.batch_size):
        results.append(_sweep(*[_pick(k, each, axis) for each, axis in zip(arguments, axes, strict=True)]))
    stacked = [torch.stack(each) for each in zip(*results, strict=True)]
    return stacked, [0] * len(stacked)


def _pick(k: int, argument: Any, axis: Any) -> Any:
    if isinstance(argument, list):
        return [_pick(k, each, each_axis) for each, each_axis in zip(argument, axis, strict=True)]
    return argument if axis is None else argument.select(axis, k).contiguous()


_sweep.register_vmap(_one_by_one)
