"""Conversion of arrays to the layout that the compiled module requires."""

from typing import Any

import numpy as np

__all__ = ["dense"]


def dense(array: Any, dtype: type[np.generic]) -> np.ndarray:
    """Return `array` as C-contiguous, aligned, native-endian `dtype`; copies only if necessary."""
    return np.require(np.asarray(array, dtype=dtype), requirements=("C_CONTIGUOUS", "ALIGNED"))
