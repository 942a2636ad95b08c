"""Arrays as text: quantised to 16 bits where they are only drawn, 32-bit floats where the page computes with them.

`page/arrays.js` reads the same form.
"""

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["drawn", "exact", "unpacked"]

_LEVELS = 65535


def drawn(values: ArrayLike, *, log: bool = False) -> dict[str, Any]:
    """Quantise an array to 65536 levels between its extremes.

    Args:
        values: finite numbers, any shape; above 0 with `log`.
        log: whether the levels are evenly spaced in the logarithm, for values that span decades.

    Returns:
        `shape`, `low` and `high` (of the logarithms with `log`), `log`, and `uint16`, the levels in base 64.

    Examples:
        >>> from penstock.lab.arrays import drawn, unpacked
        >>> unpacked(drawn([0.0, 0.5, 1.0])).round(4).tolist()
        [0.0, 0.5, 1.0]
    """
    array = np.asarray(values, dtype=np.float64)
    scaled = np.log(array) if log else array
    low, high = float(scaled.min()), float(scaled.max())
    levels = np.rint((scaled - low) / ((high - low) or 1.0) * _LEVELS).astype("<u2")
    return {"shape": list(array.shape), "low": low, "high": high, "log": log, "uint16": _text(levels)}


def exact(values: ArrayLike) -> dict[str, Any]:
    """Keep an array as 32-bit floats: `shape`, and `float32` in base 64."""
    array = np.asarray(values, dtype="<f4")
    return {"shape": list(array.shape), "float32": _text(array)}


def unpacked(packed: Mapping[str, Any]) -> NDArray[np.float64]:
    """Return the array that `drawn` or `exact` packed."""
    if "float32" in packed:
        return np.frombuffer(base64.b64decode(packed["float32"]), "<f4").reshape(packed["shape"]).astype(np.float64)
    levels = np.frombuffer(base64.b64decode(packed["uint16"]), "<u2").reshape(packed["shape"])
    scaled = packed["low"] + levels / _LEVELS * (packed["high"] - packed["low"])
    return np.exp(scaled) if packed["log"] else scaled


def _text(array: NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
