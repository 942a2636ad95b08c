"""NumPy arrays whose matrix products and tanh are the engine's, so that a row's bits do not depend on other rows."""

from typing import Any, Self

import numpy as np

from penstock.engine.functions import Linear, tanh

__all__ = ["Exact"]


class Exact(np.ndarray):
    """float32 numbers for a cell's equations.

    A BLAS gives other bits for one row than for sixty-four, and NumPy's tanh may for an array's last elements. Here
    `x @ weight.mT` and `tanh` are the engine's; all else is NumPy's, element by element. Results are such arrays too.
    """

    _weight: "Exact | None"
    _packs: dict[Any, Linear]

    @classmethod
    def weight(cls, array: np.ndarray) -> Self:
        """A parameter, float32 and C-contiguous, that nobody writes to: its parts are packed for products once."""
        made = array.view(cls)
        made._weight, made._packs = made, {}
        return made

    def __array_finalize__(self, source: Any) -> None:
        self._weight, self._packs = getattr(source, "_weight", None), getattr(source, "_packs", {})

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method == "__call__" and not options and _is_single(inputs):
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
        """What multiplies with this matrix, (k, n): packed anew, unless it is a part of a parameter."""
        if self._weight is None or not np.may_share_memory(self, self._weight):
            return Linear(_plain(self).T)
        key = (self.ctypes.data, self.shape, self.strides)
        if key not in self._packs:
            self._packs[key] = Linear(_plain(self).T)
        return self._packs[key]


def _is_single(inputs: tuple[Any, ...]) -> bool:
    return all(isinstance(each, np.ndarray) and each.dtype == np.float32 for each in inputs)


def _plain(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, Exact) else value


def _product(x: np.ndarray, matrix: Exact) -> Exact:
    """x (..., k) times the matrix (k, n) -> (..., n)."""
    rows = _plain(x).reshape(-1, x.shape[-1])
    return matrix.columns()(rows).reshape(*x.shape[:-1], matrix.shape[1]).view(Exact)
