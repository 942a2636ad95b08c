"""Arrays as the compiled module takes them."""

from typing import Any

import numpy as np

__all__ = ["dense"]


def dense(array: Any, dtype: type[np.generic]) -> np.ndarray:
    """C-contiguous, aligned and of this type, in the machine's byte order; `array` itself where it is that already."""
    return np.require(np.asarray(array, dtype=dtype), requirements=("C_CONTIGUOUS", "ALIGNED"))
