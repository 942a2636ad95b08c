"""PyTorch's functions that join, pool, move and choose along axes, as operations of a graph, or as axes in new places.

A function here takes what PyTorch's takes, after the reading; tensors are Flows, States, or arrays for parameters.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from penstock.convert.importing.torch_values import Flow, Opaque, Reading, States, same_axes
from penstock.network import Add, Concatenate, Pool, Slice

__all__ = ["AXES"]


def _cat(r: Reading, tensors: Sequence[Any], dim: int = 0, **more: Any) -> Flow:
    if any(not isinstance(each, Flow) for each in tensors):
        raise r.refused("a final state of a lower layer, or a cell state", "the last layer's outputs come in")
    axes = same_axes(tensors)
    if tensors[0].axis(more.get("axis", dim)) != "f":
        raise r.refused("cat over another axis than the features")
    for each in tensors:
        r.size(each)
    return tensors[0] if len(tensors) == 1 else r.add(Concatenate(), *tensors, axes=axes)


def _reduced(over: Any) -> Callable[..., Any]:
    def reduced(r: Reading, x: Any, dim: Any = None, keepdim: bool = False, **more: Any) -> Any:
        dims = [dim] if isinstance(dim, int) else list(dim or [])
        if isinstance(x, States) and dims == [0] and over in ("sum", "mean"):
            total = _total(r, x)
            return r.scaled(total, 1 / len(x.rows)) if over == "mean" and len(x.rows) > 1 else total
        if not isinstance(x, Flow) or len(dims) != 1 or x.axis(dims[0]) != "t" or keepdim:
            raise r.refused(f"{over} over another axis than time", "over time, without keepdim, comes in")
        r.size(x)
        return r.add(Pool(over), x, axes=x.axes.replace("t", ""))

    return reduced


def _total(r: Reading, h: States) -> Flow:
    rows = [row for row in h.rows if row is not None]
    if len(rows) < len(h.rows):
        raise r.refused("a final state of a lower layer", "the last layer's outputs come in")
    return rows[0] if len(rows) == 1 else r.add(Add(), *rows, axes="bf")


def _max(r: Reading, x: Any, dim: Any = None, keepdim: bool = False, **more: Any) -> Any:
    return _Named(_reduced("max")(r, x, dim, keepdim), Opaque())


class _Named(tuple[Any, ...]):
    """(values, indices), as PyTorch's max returns them."""

    def __new__(cls, *items: Any) -> "_Named":
        return super().__new__(cls, items)

    @property
    def values(self) -> Any:
        """The maxima."""
        return self[0]


def _adaptive_pool(over: Any) -> Callable[..., Flow]:
    def pooled(r: Reading, x: Flow, size: Any, *more: Any, **options: Any) -> Flow:
        if not isinstance(x, Flow) or x.axes != "bft" or size not in (1, [1], (1,)):
            raise r.refused("adaptive pooling to several steps, or over another axis than time")
        r.size(x)
        return r.add(Pool(over), x, axes="bf1")

    return pooled


def _permuted(r: Reading, x: Any, *order: Any) -> Any:
    places = list(order[0]) if len(order) == 1 and isinstance(order[0], list | tuple) else list(order)
    return x if not isinstance(x, Flow | States) else replace(x, axes="".join(x.axes[place] for place in places))


def _transposed(r: Reading, x: Any, first: int, second: int) -> Any:
    places = list(range(len(x.axes)))
    places[first], places[second] = places[second], places[first]
    return _permuted(r, x, places)


def _squeezed(r: Reading, x: Any, dim: Any = None) -> Any:
    if isinstance(x, States):
        if len(x.rows) != 1 or dim not in (None, x.axes.index("n"), x.axes.index("n") - 3):
            raise r.refused("squeeze of the final states of several layers or directions")
        return _total(r, x)
    if dim is None or x.axis(dim) != "1":
        return replace(x, axes=x.axes.replace("1", ""))
    place = dim % len(x.axes)
    return replace(x, axes=x.axes[:place] + x.axes[place + 1 :])


def _unsqueezed(r: Reading, x: Flow, dim: int) -> Flow:
    place = dim % (len(x.axes) + 1)
    return replace(x, axes=x.axes[:place] + "1" + x.axes[place:])


def _flattened(r: Reading, x: Any, *shape: Any, **more: Any) -> Any:
    """flatten, reshape and view where they join a final state's directions, or change nothing."""
    if isinstance(x, States) and x.axes == "bnf":
        rows = [row for row in x.rows if row is not None]
        if len(rows) == len(x.rows):
            return rows[0] if len(rows) == 1 else r.add(Concatenate(), *rows, axes="bf")
    if isinstance(x, Flow) and x.axes.replace("1", "") == "bf":
        return replace(x, axes="bf")
    raise r.refused("reshape, view or flatten", "pooling over time, and the last step, come in")


def _select(r: Reading, x: Any, dim: int, index: int) -> Any:
    if isinstance(x, States):
        if x.axes[dim] != "n":
            raise r.refused("one sequence of a batch")
        if x.rows[index] is None:
            raise r.refused("a final state of a lower layer", "the last layer's come in")
        return x.rows[index]
    if x.axis(dim) == "1":
        return _squeezed(r, x, dim)
    if x.axis(dim) != "t" or index not in (0, -1):
        raise r.refused(f"entry {index} of the axis {x.axis(dim)}", "the first and the last step come in")
    r.size(x)
    return r.add(Pool("first" if index == 0 else "last"), x, axes=x.axes.replace("t", ""))


def _slice(r: Reading, x: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    whole = start in (None, 0) and (end is None or (isinstance(end, int) and end >= 2**31)) and step in (None, 1)
    if whole:
        return x
    if not isinstance(x, Flow) or x.axis(dim) != "f" or step not in (None, 1):
        raise r.refused("a part of the steps, or every other one")
    begin, stop, _ = slice(start, end).indices(r.size(x))
    return r.add(Slice(begin, stop), x, axes=x.axes)


def _getitem(r: Reading, x: Any, index: Any) -> Any:
    if isinstance(x, tuple | list):
        return x[index]
    if isinstance(x, Opaque):
        return Opaque()
    parts = list(index) if isinstance(index, tuple) else [index]
    if isinstance(x, Flow) and x.axes == "btf" and len(parts) >= 2 and all(isinstance(p, Opaque) for p in parts[:2]):
        r.notes.append("steps chosen by their index are taken for the last ones")
        return _select(r, x, 1, -1)
    if Ellipsis in parts:
        place = parts.index(Ellipsis)
        parts[place : place + 1] = [slice(None)] * (len(x.axes) - len(parts) + 1)
    dim = 0
    for part in parts:
        if isinstance(part, slice):
            x = _slice(r, x, dim, part.start, part.stop, part.step or 1)
            dim += 1
        elif part is None:
            x, dim = _unsqueezed(r, x, dim), dim + 1
        elif isinstance(part, int):
            x = _select(r, x, dim, part)
        else:
            raise r.refused("an index that is computed")
    return x


def _getattr(r: Reading, x: Any, name: str) -> Any:
    return x.values if isinstance(x, _Named) and name == "values" else Opaque()


def _packed(r: Reading, x: Flow, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True) -> Flow:
    if x.axes not in (("btf",) if batch_first else ("tbf",)):
        raise r.refused(f"packing of the axes {x.axes}")
    return replace(x, axes="pf")


def _padded(r: Reading, x: Flow, batch_first: bool = False, *more: Any, **options: Any) -> tuple[Flow, Opaque]:
    return replace(x, axes="btf" if batch_first else "tbf"), Opaque()


AXES: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("flatten", "reshape", "view"), _flattened),
    "adaptive_avg_pool1d": _adaptive_pool("mean"),
    "adaptive_max_pool1d": _adaptive_pool("max"),
    "amax": _reduced("max"),
    "cat": _cat,
    "concat": _cat,
    "getattr": _getattr,
    "getitem": _getitem,
    "max": _max,
    "mean": _reduced("mean"),
    "pack_padded_sequence": _packed,
    "pad_packed_sequence": _padded,
    "permute": _permuted,
    "select": _select,
    "slice": _slice,
    "squeeze": _squeezed,
    "sum": _reduced("sum"),
    "swapaxes": _transposed,
    "transpose": _transposed,
    "unsqueeze": _unsqueezed,
}
"""What each function becomes."""
