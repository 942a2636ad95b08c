"""The functions of a graph's `Pointwise` operation: a number's bits depend on that number, or its row, alone."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from penstock import engine

__all__ = ["FUNCTIONS"]

Floats = NDArray[np.float32]


def _rows(function: Callable[[Floats], Floats]) -> Callable[[Floats], Floats]:
    """A function of rows (rows, size) as one of (..., size)."""
    return lambda x: function(x.reshape(-1, x.shape[-1])).reshape(x.shape)


def _double(function: Callable[..., NDArray[np.float64]]) -> Callable[..., Floats]:
    """A function computed in float64 and rounded once."""
    return lambda x, **constants: function(x.astype(np.float64), **constants).astype(np.float32)


def _log_softmax(x: NDArray[np.float64]) -> NDArray[np.float64]:
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _error_function(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([math.erf(value) for value in x.ravel()]).reshape(x.shape)


def _elu(x: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772  # Klambauer et al. 2017, arXiv:1706.02515

FUNCTIONS: dict[str, Callable[..., Floats]] = {
    "abs": np.abs,
    "clip": lambda x, low, high: np.clip(x, np.float32(low), np.float32(high)),
    "elu": _double(_elu),
    "exp": _double(np.exp),
    "gelu": _double(lambda x: 0.5 * x * (1 + _error_function(x / math.sqrt(2)))),
    "gelu_tanh": _double(lambda x: 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))),
    "hard_sigmoid": _double(lambda x, slope, offset: np.clip(slope * x + offset, 0, 1)),
    "leaky_relu": lambda x, slope: np.where(x > 0, x, np.float32(slope) * x),
    "log": _double(np.log),
    "log_softmax": _double(_log_softmax),
    "relu": lambda x: np.maximum(x + np.float32(0), np.float32(0)),  # -0 becomes 0 first; see PoolRun
    "selu": _double(lambda x: _SELU_SCALE * _elu(x, _SELU_ALPHA)),
    "sigmoid": engine.sigmoid,
    "silu": lambda x: x * engine.sigmoid(x),
    "softmax": _rows(engine.softmax),
    "softplus": _double(lambda x: np.logaddexp(0, x)),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "sqrt": np.sqrt,
    "tanh": engine.tanh,
}
"""The functions of `Pointwise`; those without a kernel are computed in float64, where NumPy's bits depend on the
number alone."""
