"""Sequence lengths: conversion, range check, and lengths of a packed batch."""

from typing import Any

import torch
from torch import Tensor

from penstock.errors import LengthsError
from penstock.nn.checks import check_memory

__all__ = ["check_range", "int64_lengths", "sorted_lengths"]

_INTEGERS = (
    torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.uint16, torch.uint32, torch.uint64,
)  # fmt: skip


def int64_lengths(lengths: Any, batch: int) -> Tensor:
    """Copy `lengths` (a tensor, array or list) to an int64 tensor (batch,) on the CPU. Values are not checked.

    Raises:
        LengthsError: they are not whole numbers, one for each sequence.
    """
    try:
        tensor = lengths if isinstance(lengths, Tensor) else torch.as_tensor(lengths)
    except (TypeError, ValueError, RuntimeError) as error:
        raise LengthsError(f"lengths must be whole numbers; got {lengths!r:.80}.") from error
    if tensor.dtype not in _INTEGERS:
        raise LengthsError(f"lengths must be whole numbers; got {tensor.dtype}. Convert them to int64.")
    if tensor.shape != (batch,):
        raise LengthsError(
            f"lengths must be (batch={batch},), one for each sequence; got {tuple(tensor.shape)}. Check batch_first."
        )
    check_memory(tensor)
    return tensor.to(device="cpu", dtype=torch.int64, copy=True)


def check_range(lengths: Tensor, steps: int) -> None:
    """Check that each length is from 0 to `steps`.

    Raises:
        LengthsError: a length is out of range.
    """
    if lengths.numel() and not 0 <= int(lengths.min()) <= int(lengths.max()) <= steps:
        raise LengthsError(
            f"each length must be from 0 to the {steps} steps of the input; got {int(lengths.min())} to"
            f" {int(lengths.max())}."
        )


def sorted_lengths(batch_sizes: Tensor, batch: int) -> Tensor:
    """Return the lengths, in descending order, of a packed batch's sequences: batch_sizes (steps,) -> (batch,)."""
    return (torch.arange(batch)[:, None] < batch_sizes).sum(1)
