"""Recursive least squares: corrects the expected values of many series at once as they arrive, in constant memory.

The correction is linear in the encoder's outputs, and starts as none. Older values fade, but not below what is needed
to know the correction as well as at the start, which keeps the memory finite where the outputs hardly change.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["correction", "follow_errors", "output_memory"]

Array = NDArray[np.float64]
_RIDGE = 10.0
"""Values against which the correction is held at 0 in the beginning."""
_FADING = 0.999
"""What a value counts beside the one after it."""


def output_memory(rows: int, targets: int, features: int) -> dict[str, NDArray[Any]]:
    """Return the memory of new series: the weights (rows, targets, features + 1), and their gain."""
    size = features + 1
    return {
        "output": np.zeros((rows, targets, size)),
        "gain": np.broadcast_to(np.eye(size) / _RIDGE, (rows, size, size)).copy(),
    }


def correction(memory: dict[str, NDArray[Any]], read: Array) -> Array:
    """Return what is added to expected values, (rows, targets), for read (rows, features + 1), whose last is 1."""
    return (memory["output"] * read[:, None]).sum(axis=2)


def follow_errors(memory: dict[str, NDArray[Any]], read: Array, errors: Array) -> None:
    """Learn from errors (rows, targets), 0 where a value was missing, in place."""
    gain = memory["gain"]
    gained = (gain * read[:, None]).sum(axis=2)
    step = gained / (1.0 + (read * gained).sum(axis=1))[:, None]
    memory["output"] = memory["output"] + errors[:, :, None] * step[:, None]
    gain = gain - step[:, :, None] * gained[:, None]
    known = np.trace(gain, axis1=1, axis2=2) < gain.shape[1] / _RIDGE * _FADING
    memory["gain"] = np.where(known[:, None, None], gain / _FADING, gain)
