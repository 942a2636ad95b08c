"""A stack computed by PyTorch's own function, which uses cuDNN on a GPU that has it, with support for lengths."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from penstock.nn.layer_spec import BATCH_FIRST, PACKED, Layout

if TYPE_CHECKING:
    from penstock.nn.layer import RecurrentLayers

__all__ = ["run"]


def run(
    module: "RecurrentLayers", x: Tensor, state: tuple[Tensor, ...], layout: Layout
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Run all layers of `module` as PyTorch does; return y in the order of `layout`, and the final states."""
    if layout.order == PACKED:
        y, final = _call(module, PackedSequence(x, layout.batch_sizes), state)
        return y.data, final
    if layout.lengths is None:
        return _call(module, x, state)
    return _with_lengths(module, x, state, layout)


def _call(
    module: "RecurrentLayers", x: Tensor | PackedSequence, state: tuple[Tensor, ...]
) -> tuple[Any, tuple[Tensor, ...]]:
    hx = None if not state else state if len(state) > 1 else state[0]
    y, final = module.torch_forward(x, hx)
    return y, (final,) if isinstance(final, Tensor) else final


def _with_lengths(
    module: "RecurrentLayers", x: Tensor, state: tuple[Tensor, ...], layout: Layout
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Run on packed data. PyTorch cannot pack an empty sequence: it gets one step, whose results are then discarded."""
    assert layout.lengths is not None
    batch_first = layout.order == BATCH_FIRST
    packed = pack_padded_sequence(x, layout.lengths.clamp(min=1), batch_first, enforce_sorted=False)
    y, final = _call(module, packed, state)
    padded, _ = pad_packed_sequence(y, batch_first, total_length=layout.steps)
    lengths = layout.lengths.to(x.device)
    valid = torch.arange(layout.steps, device=x.device)[:, None] < lengths
    valid = (valid.T if batch_first else valid)[..., None]
    initial = state or tuple([torch.zeros_like(each) for each in final])
    not_empty = lengths[:, None] > 0
    final = tuple([torch.where(not_empty, each, start) for each, start in zip(final, initial, strict=True)])
    return torch.where(valid, padded, torch.zeros_like(padded)), final
