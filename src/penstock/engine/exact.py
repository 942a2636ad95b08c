"""NumPy arrays whose matrix products and tanh run in the engine, so that a row's bits do not depend on other rows."""

from typing import Any, Self

import numpy as np

from penstock.engine.functions import Linear, tanh

__all__ = ["Exact"]


class Exact(np.ndarray):
    """A float32 array for a cell's equations.

    BLAS gives different bits for one row than for sixty-four, and NumPy's tanh may differ for an array's last elements.
    Therefore `x @ weight.mT` and `tanh` run in the engine; every other operation is NumPy's and elementwise. Results
    are `Exact` arrays too.
    """

    _weight: "Exact | None"
    _packs: dict[Any, Linear]

    @classmethod
    def weight(cls, array: np.ndarray) -> Self:
        """Wrap a parameter (float32, C-contiguous, never written to); each of its parts is packed for products once."""
        weight = array.view(cls)
        weight._weight, weight._packs = weight, {}
        return weight

    def __array_finalize__(self, source: Any) -> None:
        self._weight, self._packs = getattr(source, "_weight", None), getattr(source, "_packs", {})

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "__call__" and not options and _all_float32(inputs):
            if ufunc is np.tanh:
                return tanh(_plain(inputs[0])).view(Exact)
            if ufunc is np.matmul and isinstance(inputs[1], Exact) and inputs[1].ndim == 2 and inputs[0].ndim:
                return _product(inputs[0], inputs[1])
        result = getattr(ufunc, method)(*map(_plain, inputs), **options)
        return result.view(Exact) if isinstance(result, np.ndarray) else result

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        result = super().__array_function__(function, types, arguments, options)
        return result.view(Exact) if isinstance(result, np.ndarray) else result

    def columns(self) -> Linear:
        """Return this matrix (k, n) packed for products; the result is cached if the matrix is part of a parameter."""
        if self._weight is None or not np.may_share_memory(self, self._weight):
            return Linear(_plain(self).T)
        key = (self.ctypes.data, self.shape, self.strides)
        if key not in self._packs:
            self._packs[key] = Linear(_plain(self).T)
        return self._packs[key]


def _all_float32(inputs: tuple[Any, ...]) -> bool:
    return all(isinstance(each, np.ndarray) and each.dtype == np.float32 for each in inputs)


def _plain(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, Exact) else value


def _product(x: np.ndarray, matrix: Exact) -> Exact:
    """Multiply x (..., k) by the matrix (k, n) -> (..., n)."""
    rows = _plain(x).reshape(-1, x.shape[-1])
    return matrix.columns()(rows).reshape(*x.shape[:-1], matrix.shape[1]).view(Exact)
