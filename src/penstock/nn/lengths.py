"""Lengths of sequences, as they come from outside and as they hide in a packed batch."""

from typing import Any

import torch
from torch import Tensor

from penstock.errors import LengthsError
from penstock.nn.checks import check_memory

__all__ = ["check_range", "own_lengths", "sorted_lengths"]

_WHOLE = (
    torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.uint16, torch.uint32, torch.uint64,
)  # fmt: skip


def own_lengths(lengths: Any, batch: int) -> Tensor:
    """A copy of `lengths` as (batch,) int64 on the CPU; given as tensor, array or list. Values are not looked at.

    Raises:
        LengthsError: they aren't whole numbers, one for each sequence.
    """
    try:
        given = lengths if isinstance(lengths, Tensor) else torch.as_tensor(lengths)
    except (TypeError, ValueError, RuntimeError) as error:
        raise LengthsError(f"lengths must be whole numbers; got {lengths!r:.80}.") from error
    if given.dtype not in _WHOLE:
        raise LengthsError(f"lengths must be whole numbers; got {given.dtype}. Convert them to int64.")
    if given.shape != (batch,):
        raise LengthsError(
            f"lengths must be (batch={batch},), one for each sequence; got {tuple(given.shape)}."
            " Is batch_first as it should be?"
        )
    check_memory(given)
    return given.to(device="cpu", dtype=torch.int64, copy=True)


def check_range(lengths: Tensor, steps: int) -> None:
    """Is each length from 0 to `steps`?

    Raises:
        LengthsError: one is not.
    """
    if lengths.numel() and not 0 <= int(lengths.min()) <= int(lengths.max()) <= steps:
        raise LengthsError(
            f"each length must be from 0 to the {steps} steps of the input; got {int(lengths.min())} to"
            f" {int(lengths.max())}."
        )


def sorted_lengths(batch_sizes: Tensor, batch: int) -> Tensor:
    """The lengths, falling, of the sequences of a packed batch: batch_sizes (steps,) -> (batch,)."""
    return (torch.arange(batch)[:, None] < batch_sizes).sum(1)
