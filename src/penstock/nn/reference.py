"""One layer by the reference equations: any dtype and device, differentiable as often as one likes."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from penstock import cells
from penstock.nn.layer_spec import BATCH_FIRST, PACKED, LayerSpec, Layout
from penstock.nn.lengths import sorted_lengths

__all__ = ["layer", "own_precision"]


def own_precision(x: Tensor) -> AbstractContextManager[object]:
    """No autocast while the equations run; some devices, "meta" say, have none to switch off."""
    device = x.device.type
    return torch.autocast(device, enabled=False) if torch.amp.is_autocast_available(device) else nullcontext()


def layer(
    kind: LayerSpec, layout: Layout, x: Tensor, state: tuple[Tensor, ...], weights: Sequence[Tensor]
) -> tuple[Tensor, ...]:
    """One layer in its one or two directions, in PyTorch operations.

    Args:
        x: in the order of `layout`, input_size features.
        state: none, or each (directions, batch, size).
        weights: by `kind.parameter_shapes`, then again for the reverse direction.

    Returns:
        y in the order of `layout`, directions * output features, and the final states, each like `state`.
    """
    if layout.order == PACKED:
        return _packed(kind, layout, x, state, weights)
    if layout.order == BATCH_FIRST:
        y, *final = _time_major(kind, layout.lengths, x.transpose(0, 1), state, weights)
        return y.transpose(0, 1), *final
    return _time_major(kind, layout.lengths, x, state, weights)


def _time_major(
    kind: LayerSpec, lengths: Tensor | None, x: Tensor, state: tuple[Tensor, ...], weights: Sequence[Tensor]
) -> tuple[Tensor, ...]:
    names, outputs, finals = tuple(kind.parameter_shapes), [], []
    for direction in range(kind.directions):
        own = weights[direction * len(names) : (direction + 1) * len(names)]
        start = tuple(each[direction] for each in state) or None
        parameters = dict(zip(names, own, strict=True))
        y, final = cells.sweep(kind.declaration, x, start, parameters, lengths, reverse=direction == 1, **kind.options)
        outputs.append(y)
        finals.append(final)
    return torch.cat(outputs, -1), *(torch.stack(each) for each in zip(*finals, strict=True))


def _packed(
    kind: LayerSpec, layout: Layout, x: Tensor, state: tuple[Tensor, ...], weights: Sequence[Tensor]
) -> tuple[Tensor, ...]:
    assert layout.batch_sizes is not None
    inside = torch.arange(layout.batch) < layout.batch_sizes[:, None]  # (steps, batch), in packed order
    rows = inside.flatten().nonzero().squeeze(1).to(x.device)
    padded = x.new_zeros(inside.numel(), x.shape[-1]).index_copy(0, rows, x)
    lengths = sorted_lengths(layout.batch_sizes, layout.batch)
    y, *final = _time_major(kind, lengths, padded.view(*inside.shape, -1), state, weights)
    return y.flatten(0, 1)[rows], *final
