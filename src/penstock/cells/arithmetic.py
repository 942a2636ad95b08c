"""The operations that cell equations use, for NumPy arrays and PyTorch tensors alike."""

from collections.abc import Callable
from types import ModuleType

from penstock.cells.declaration import Array


def namespace(array: Array) -> ModuleType:
    """Return the array API namespace of `array`.

    NumPy arrays have `__array_namespace__`; PyTorch tensors do not, so array-api-compat's namespace is used for
    them. Its `array_namespace` function would handle both, but torch.compile warns about its caches.
    """
    if hasattr(array, "__array_namespace__"):
        return array.__array_namespace__()
    from array_api_compat import torch  # imported here: `array` is a tensor, so PyTorch is loaded

    return torch


def affine(x: Array, weight: Array, bias: Array | None) -> Array:
    """Return x @ weight.T + bias: x (..., k), weight (n, k), bias (n,) or None -> (..., n)."""
    product = x @ weight.T  # not mT, which the ONNX exporter that builds on traces lacks
    return product if bias is None else product + bias


def split(gates: Array, count: int) -> tuple[Array, ...]:
    """Split the last axis into `count` equal blocks: (..., count * n) -> `count` arrays (..., n)."""
    size = gates.shape[-1] // count
    return tuple(gates[..., k * size : (k + 1) * size] for k in range(count))


def tanh(x: Array) -> Array:
    """Hyperbolic tangent."""
    return namespace(x).tanh(x)


def relu(x: Array) -> Array:
    """max(x, 0); NaN stays NaN, and the gradient at 0 is 0, as in PyTorch."""
    xp = namespace(x)
    return xp.where(x <= 0, xp.zeros_like(x), x)


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), computed with tanh like the engine's; it cannot overflow."""
    return 0.5 * (1 + tanh(0.5 * x))


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {"tanh": tanh, "relu": relu}
