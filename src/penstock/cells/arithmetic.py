"""The few operations that cells are written in, for NumPy arrays and PyTorch tensors alike."""

from collections.abc import Callable
from types import ModuleType

from penstock.cells.declaration import Array


def namespace(array: Array) -> ModuleType:
    """The array API functions that go with `array`.

    NumPy arrays name theirs; PyTorch tensors do not, so they get array-api-compat's. Its `array_namespace`
    would find both, but through caches that torch.compile warns about.
    """
    if hasattr(array, "__array_namespace__"):
        return array.__array_namespace__()
    from array_api_compat import torch  # imported only where a tensor, and so PyTorch, is already at hand

    return torch


def affine(x: Array, weight: Array, bias: Array | None) -> Array:
    """x @ weight.T + bias: x (..., k), weight (n, k), bias (n,) or None -> (..., n)."""
    product = x @ weight.mT
    return product if bias is None else product + bias


def split(gates: Array, count: int) -> tuple[Array, ...]:
    """The last axis in `count` equal blocks: (..., count * n) -> count times (..., n)."""
    size = gates.shape[-1] // count
    return tuple(gates[..., k * size : (k + 1) * size] for k in range(count))


def tanh(x: Array) -> Array:
    """The hyperbolic tangent."""
    return namespace(x).tanh(x)


def relu(x: Array) -> Array:
    """max(x, 0); NaN stays NaN, and the slope at 0 is 0, as in PyTorch."""
    xp = namespace(x)
    return xp.where(x <= 0, xp.zeros_like(x), x)


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), written with the one function that the engine has for it; can't overflow."""
    return 0.5 * (1 + tanh(0.5 * x))


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {"tanh": tanh, "relu": relu}
