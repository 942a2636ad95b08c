"""One layer by the reference equations: any dtype and device, differentiable any number of times."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import torch
from torch import Tensor

from penstock import cells
from penstock.nn.layer_spec import BATCH_FIRST, PACKED, LayerSpec, Layout
from penstock.nn.lengths import sorted_lengths

__all__ = ["layer", "no_autocast"]


def no_autocast(x: Tensor) -> AbstractContextManager[object]:
    """Switch autocast off while the equations run; devices such as "meta" have no autocast."""
    device = x.device.type
    return torch.autocast(device, enabled=False) if torch.amp.is_autocast_available(device) else nullcontext()


def layer(
    kind: LayerSpec,
    layout: Layout,
    x: Tensor,
    state: tuple[Tensor, ...],
    weights: Sequence[Tensor],
    draw: cells.Draw | None = None,
) -> tuple[Tensor, ...]:
    """Run one layer in one or two directions, in PyTorch operations.

    Args:
        x: in the order of `layout`, input_size features.
        state: empty for zeros, or one tensor (directions, batch, size) per state.
        weights: in the order of `kind.parameter_shapes`, then again for the reverse direction.
        draw: the masks of zoneout; None for its expectation.

    Returns:
        y in the order of `layout`, directions * output features, and the final states, shaped like `state`.
    """
    if draw is not None and draw.numbers is not None:
        draw = replace(draw, numbers=draw.numbers.to(x.device))
    if layout.order == PACKED:
        return _packed(kind, layout, x, state, weights, draw)
    if layout.order == BATCH_FIRST:
        y, *final = _time_major(kind, layout.lengths, x.transpose(0, 1), state, weights, draw)
        return y.transpose(0, 1), *final
    return _time_major(kind, layout.lengths, x, state, weights, draw)


def _time_major(
    kind: LayerSpec,
    lengths: Tensor | None,
    x: Tensor,
    state: tuple[Tensor, ...],
    weights: Sequence[Tensor],
    draw: cells.Draw | None,
) -> tuple[Tensor, ...]:
    names, outputs, finals = tuple(kind.parameter_shapes), [], []
    for direction in range(kind.directions):
        direction_weights = weights[direction * len(names) : (direction + 1) * len(names)]
        start = tuple(each[direction] for each in state) or None
        parameters = dict(zip(names, direction_weights, strict=True))
        y, final = cells.sweep(
            kind.declaration, x, start, parameters, lengths, reverse=direction == 1, draw=draw, **kind.options
        )
        outputs.append(y)
        finals.append(final)
    return torch.cat(outputs, -1), *(torch.stack(each) for each in zip(*finals, strict=True))


def _packed(
    kind: LayerSpec,
    layout: Layout,
    x: Tensor,
    state: tuple[Tensor, ...],
    weights: Sequence[Tensor],
    draw: cells.Draw | None,
) -> tuple[Tensor, ...]:
    assert layout.batch_sizes is not None
    valid = torch.arange(layout.batch) < layout.batch_sizes[:, None]  # (steps, batch), in packed order
    rows = valid.flatten().nonzero().squeeze(1).to(x.device)
    padded = x.new_zeros(valid.numel(), x.shape[-1]).index_copy(0, rows, x)
    lengths = sorted_lengths(layout.batch_sizes, layout.batch)
    y, *final = _time_major(kind, lengths, padded.view(*valid.shape, -1), state, weights, draw)
    return y.flatten(0, 1)[rows], *final
