"""Where the tensors of a graph are among the constants of an ONNX model, so that they can be read back.

Constants are the tensors themselves, or transposed or in parts; of ONNX's recurrent operators they have another order
of gates, see `importing.onnx_own`. A piece is a constant's name, and the place of its first number and the distances
between its numbers along each axis, all in numbers of the tensor.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Piece", "assembled", "pieces_of"]

Piece = tuple[str, int, Sequence[int]]


def pieces_of(
    tensors: Mapping[str, NDArray[np.float32]], constants: Iterable[tuple[NDArray[np.float32], str]]
) -> dict[str, list[Piece]]:
    """Return the pieces of each tensor.

    Args:
        tensors: by name, contiguous.
        constants: arrays and their names; those that are views of a tensor are its pieces.
    """
    found: dict[str, dict[Any, Piece]] = {}
    for array, constant in constants:
        for name, tensor in tensors.items():
            if array.size and array.dtype == tensor.dtype and np.may_share_memory(array, tensor):
                first = (array.ctypes.data - tensor.ctypes.data) // tensor.itemsize
                strides = [stride // tensor.itemsize for stride in array.strides]
                # Two constants may hold the same numbers, as of a table that is also the weight of a layer.
                numbers = first, frozenset(zip(array.shape, strides, strict=True))
                found.setdefault(name, {})[numbers] = (constant, first, strides)
    return {name: list(each.values()) for name, each in found.items()}


def assembled(
    shape: tuple[int, ...], pieces: Sequence[Piece], constants: Mapping[str, NDArray[np.float32]]
) -> NDArray[np.float32]:
    """Return the tensor of this shape that the pieces make up.

    Raises:
        KeyError, ValueError: a constant is missing, or the pieces are not those of such a tensor.
    """
    if sum(constants[name].size for name, _, _ in pieces) != np.prod(shape, dtype=np.int64):
        raise ValueError("the pieces have another number of numbers")
    flat = np.full(shape, np.nan, np.float32)
    for name, first, strides in pieces:
        array = constants[name]
        # NumPy refuses places outside of the buffer.
        place = np.ndarray(array.shape, np.float32, flat.data, 4 * first, [4 * each for each in strides])
        place[...] = array
    if np.isnan(flat).any():
        raise ValueError("the pieces overlap, or hold what is no number")
    return flat
