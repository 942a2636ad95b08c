"""Arrays of the Python array API whose operations become ONNX nodes.

A cell's equations, and the wiring of a forecaster, are written once for NumPy and PyTorch; called with such arrays,
they write an ONNX graph. It has the functions that these equations use: another one raises ConfigError by name.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from penstock.convert.exporting.onnx_nodes import Nodes
from penstock.errors import ConfigError

__all__ = ["BATCH", "Traced"]

BATCH = -1
"""The size of an axis that is known only when the graph runs; a product with it is unknown too."""


class Traced:
    """An array in an ONNX graph.

    Args:
        nodes: where operations go.
        name: the value's name in the graph.
        shape: its sizes; the first may be BATCH.
        dtype: its element type.
    """

    __array_ufunc__ = None  # so that NumPy leaves `constant * traced` to __rmul__

    def __init__(self, nodes: Nodes, name: str, shape: tuple[int, ...], dtype: Any = np.float32) -> None:
        self.nodes, self.name, self.shape, self.dtype = nodes, name, tuple(shape), np.dtype(dtype)
        self.device = "cpu"

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __array_namespace__(self, api_version: str | None = None) -> "_Namespace":
        return _Namespace(self.nodes)

    def __add__(self, other: Any) -> "Traced":
        return self._with("Add", other)

    def __sub__(self, other: Any) -> "Traced":
        return self._with("Sub", other)

    def __mul__(self, other: Any) -> "Traced":
        return self._with("Mul", other)

    def __truediv__(self, other: Any) -> "Traced":
        return self._with("Div", other)

    def __radd__(self, other: Any) -> "Traced":
        return self._with("Add", other, swapped=True)

    def __rsub__(self, other: Any) -> "Traced":
        return self._with("Sub", other, swapped=True)

    def __rmul__(self, other: Any) -> "Traced":
        return self._with("Mul", other, swapped=True)

    def __rtruediv__(self, other: Any) -> "Traced":
        return self._with("Div", other, swapped=True)

    def __neg__(self) -> "Traced":
        return Traced(self.nodes, self.nodes.add("Neg", self.name), self.shape)

    def __le__(self, other: Any) -> "Traced":
        return self._with("LessOrEqual", other, dtype=bool)

    def __lt__(self, other: Any) -> "Traced":
        return self._with("Less", other, dtype=bool)

    def __ge__(self, other: Any) -> "Traced":
        return self._with("GreaterOrEqual", other, dtype=bool)

    def __gt__(self, other: Any) -> "Traced":
        return self._with("Greater", other, dtype=bool)

    def __matmul__(self, weight: Any) -> "Traced":
        name = self.nodes.add("MatMul", self.name, _given(weight, np.float32))
        return Traced(self.nodes, name, (*self.shape[:-1], weight.shape[-1]))

    def __rmatmul__(self, weight: Any) -> "Traced":
        name = self.nodes.add("MatMul", _given(weight, np.float32), self.name)
        return Traced(self.nodes, name, (*self.shape[:-2], weight.shape[0], self.shape[-1]))

    def __getitem__(self, places: Any) -> "Traced":
        """Slices of steps of 1, `...` and None, which adds an axis at the end."""
        places = places if isinstance(places, tuple) else (places,)
        added = sum(place is None for place in places)
        places = tuple(place for place in places if place is not None)
        if Ellipsis in places:
            at = places.index(Ellipsis)
            filled = (slice(None),) * (self.ndim - len(places) + 1)
            places = places[:at] + filled + places[at + 1 :]
        found = self
        for axis, place in enumerate(places):
            if not isinstance(place, slice) or place.step not in (None, 1):
                raise ConfigError(f"the export to ONNX knows slices alone; got [{place!r}]")
            if place != slice(None):
                found = found._sliced(axis, place)
        for _ in range(added):
            shape = (*found.shape, 1)
            found = Traced(self.nodes, self.nodes.add("Unsqueeze", found.name, np.array([found.ndim])), shape)
        return found

    def _sliced(self, axis: int, place: slice) -> "Traced":
        start, stop, _ = place.indices(self.shape[axis])
        ends = [np.array([each]) for each in (start, stop, axis)]
        shape = (*self.shape[:axis], stop - start, *self.shape[axis + 1 :])
        return Traced(self.nodes, self.nodes.add("Slice", self.name, *ends), shape, self.dtype)

    def _with(self, kind: str, other: Any, *, swapped: bool = False, dtype: Any = np.float32) -> "Traced":
        both = [self.name, _given(other, self.dtype)]
        shape = _broadcast(self.shape, np.shape(other) if not isinstance(other, Traced) else other.shape)
        return Traced(self.nodes, self.nodes.add(kind, *(both[::-1] if swapped else both)), shape, dtype)


class _Namespace:
    """The functions of the array API for `Traced` arrays."""

    __name__ = "onnx"  # which array-api-compat asks of a namespace

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes

    def __getattr__(self, name: str) -> Callable[..., Traced]:
        if name in _POINTWISE:
            return lambda x: Traced(self._nodes, self._nodes.add(_POINTWISE[name], x.name), x.shape)
        if name.startswith("_"):
            raise AttributeError(name)
        raise ConfigError(f"the export to ONNX does not know the array function {name!r}")

    def square(self, x: Traced) -> Traced:
        """x * x."""
        return x * x

    def zeros_like(self, x: Traced) -> Any:
        """A zero, which broadcasts."""
        return np.zeros((1,) * x.ndim, np.float32)

    def ones_like(self, x: Traced) -> Any:
        """A one, which broadcasts."""
        return np.ones((1,) * x.ndim, np.float32)

    def where(self, condition: Traced, x: Any, y: Any) -> Traced:
        """x where the condition holds, else y."""
        shape = _broadcast(condition.shape, _broadcast(np.shape(x), np.shape(y)))
        return Traced(
            self._nodes,
            self._nodes.add("Where", condition.name, _given(x, np.float32), _given(y, np.float32)),
            shape,
        )

    def concat(self, arrays: Any, *, axis: int = 0) -> Traced:
        """Arrays one after the other."""
        axis = axis % arrays[0].ndim
        arrays = [each for each in arrays if each.shape[axis]]
        size = sum(each.shape[axis] for each in arrays)
        shape = (*arrays[0].shape[:axis], size, *arrays[0].shape[axis + 1 :])
        return Traced(self._nodes, self._nodes.add("Concat", *(each.name for each in arrays), axis=axis), shape)

    def reshape(self, x: Traced, shape: tuple[int, ...]) -> Traced:
        """The same numbers with other axes; the first may be unknown."""
        sizes = np.array([BATCH if size < 0 else size for size in shape])
        return Traced(self._nodes, self._nodes.add("Reshape", x.name, sizes), tuple(int(size) for size in sizes))

    def take(self, table: Any, ids: Traced, *, axis: int = 0) -> Traced:
        """Rows of a table."""
        name = self._nodes.add("Gather", _given(table, np.float32), ids.name, axis=axis)
        return Traced(self._nodes, name, (*ids.shape, *table.shape[1:]))

    def repeat(self, x: Traced, times: int, *, axis: int) -> Traced:
        """Each row along axis 1 of x (rows, BATCH, size) several times."""
        rows, _, size = x.shape
        spread = self._nodes.add("Unsqueeze", x.name, np.array([axis + 1]))
        spread = self._nodes.add("Expand", spread, np.array([1, 1, times, 1]))
        return self.reshape(Traced(self._nodes, spread, x.shape), (rows, BATCH, size))

    def permute_dims(self, x: Traced, axes: tuple[int, ...]) -> Traced:
        """The axes in another order."""
        name = self._nodes.add("Transpose", x.name, perm=list(axes))
        return Traced(self._nodes, name, tuple(x.shape[axis] for axis in axes))


_POINTWISE = {"abs": "Abs", "exp": "Exp", "log": "Log", "sqrt": "Sqrt", "tanh": "Tanh", "sign": "Sign"}


def _given(value: Any, dtype: Any) -> Any:
    return value.name if isinstance(value, Traced) else np.asarray(value, dtype)


def _broadcast(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...]:
    longer, shorter = sorted((first, second), key=len, reverse=True)
    shorter = (1,) * (len(longer) - len(shorter)) + tuple(shorter)
    return tuple(a if b == 1 else b if a == 1 else max(a, b) for a, b in zip(longer, shorter, strict=True))
