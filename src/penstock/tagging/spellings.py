"""Distinct spellings of the words of a batch, so that each is read once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["distinct"]


def distinct(spellings: NDArray[np.integer[Any]]) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int64]]:
    """Return the distinct rows, the length of each, and which of them each row is.

    Args:
        spellings: (rows, characters), ids with 0 past a word's end.

    Returns:
        (distinct, characters) int32, the shortest first; (distinct,) int64; (rows,) int64.
    """
    spellings = np.ascontiguousarray(spellings, np.int32)
    rows, width = spellings.shape
    if not width:
        return np.zeros((min(rows, 1), 0), np.int32), np.zeros(min(rows, 1), np.int64), np.zeros(rows, np.int64)
    numbers: dict[bytes, int] = {}
    keys = spellings.view(f"V{4 * width}")[:, 0].tolist()
    which = np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int64)
    found = np.frombuffer(b"".join(numbers), np.int32).reshape(-1, width)
    lengths = np.count_nonzero(found, axis=1)
    order = np.argsort(lengths, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return found[order], lengths[order], place[which]
