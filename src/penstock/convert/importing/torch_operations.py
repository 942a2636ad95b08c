"""PyTorch's functions as operations of a graph, by the names that torch.fx and torch.export give them.

A function here takes what PyTorch's takes, after the reading; tensors are Flows, States, or arrays for parameters.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from penstock.convert.importing.torch_values import Flow, Opaque, Reading, States, Zeros, same_axes
from penstock.network import (
    Add,
    Concatenate,
    Dense,
    Lookup,
    Multiply,
    Pointwise,
    Pool,
    Recurrent,
    RecurrentLayers,
    Slice,
    Standardize,
)
from penstock.runtime.parameters import infer

__all__ = ["FUNCTIONS", "batch_norm", "recurrent"]

Array = np.ndarray


def recurrent(
    r: Reading, x: Any, hx: Any, spec: Recurrent, tensors: dict[str, Array], *, batch_first: bool
) -> tuple[Flow, Any]:
    """Add recurrent layers; return PyTorch's pair of outputs and final states."""
    if any(not isinstance(each, Zeros | None) for each in (hx if isinstance(hx, tuple | list) else [hx])):
        raise r.refused("initial states that are not zero", "run the layers by Recurrence, which takes states")
    expected = "btf" if batch_first else "tbf"
    if not isinstance(x, Flow) or x.axes not in (expected, "pf"):
        axes = x.axes if isinstance(x, Flow) else "none"
        raise r.refused(f"a recurrent layer over the axes {axes} with batch_first={batch_first}")
    y = r.add(RecurrentLayers(spec), r.known(x, spec.input_size), axes=x.axes, **tensors)
    size = r.size(y) // (2 if spec.bidirectional else 1)
    forward = r.add(Slice(0, size), y, axes=y.axes) if spec.bidirectional else y
    last = [r.add(Pool("last"), forward, axes="bf")]
    if spec.bidirectional:
        last.append(r.add(Pool("first"), r.add(Slice(size, 2 * size), y, axes=y.axes), axes="bf"))
    h = States((None,) * ((spec.num_layers - 1) * len(last)) + tuple(last))
    return y, (h, Opaque()) if len(spec.declaration.states) > 1 else h


def _linear(r: Reading, x: Flow, weight: Array, bias: Array | None = None) -> Flow:
    x = _features(r, x, weight.shape[1])
    more = {} if bias is None else {"bias": bias}
    return r.add(Dense(weight.shape[1], weight.shape[0], bias=bias is not None), x, axes=x.axes, weight=weight, **more)


def _features(r: Reading, x: Flow, size: int) -> Flow:
    if not isinstance(x, Flow) or x.axes[-1] != "f":
        raise r.refused("a layer over another axis than the last, or over final cell states")
    return r.known(x, size)


def _embedding(r: Reading, first: Any, second: Any, *options: Any, **more: Any) -> Flow:
    ids, table = (first, second) if isinstance(first, Flow) else (second, first)  # torch.nn's order, and aten's
    axes = ids.axes if ids.name else ids.axes.removesuffix("f")
    flow = r.known(replace(ids, axes=axes), len(table), ids=True)
    return r.add(Lookup(*table.shape), flow, axes=axes + "f", weight=table)


def _layer_norm(
    r: Reading, x: Flow, shape: Sequence[int], weight: Any = None, bias: Any = None, eps: float = 1e-5, *more: Any
) -> Flow:
    if len(tuple(shape)) != 1:
        raise r.refused("LayerNorm over several axes")
    x = _features(r, x, int(next(iter(shape))))
    y = r.add(Standardize(float(eps)), x, axes=x.axes)
    return y if weight is None else r.scaled(y, weight, 0.0 if bias is None else bias)


def batch_norm(
    r: Reading,
    x: Flow,
    weight: Any,
    bias: Any,
    mean: Any,
    variance: Any,
    training: Any,
    momentum: Any,
    eps: float,
    *_: Any,
) -> Flow:
    """Batch normalization by the statistics of training, with the arguments of aten."""
    if mean is None or not isinstance(x, Flow) or len(x.axes) < 2 or x.axes[1] != "f":
        raise r.refused("batch normalization without statistics, or over another axis than the features")
    x = r.known(x, len(mean))
    spread = np.sqrt(np.asarray(variance, np.float64) + eps)
    scale = (1.0 if weight is None else np.asarray(weight, np.float64)) / spread
    return r.scaled(x, scale, (0.0 if bias is None else bias) - mean * scale)


def _flat_recurrent(cell: str, **options: Any) -> Callable[..., Any]:
    """aten's recurrent operations, whose parameters are a list."""

    def read(
        r: Reading, x: Any, hx: Any, params: Sequence[Array], bias: bool, layers: int, dropout: float, train: bool,
        bidirectional: bool, batch_first: bool,
    ) -> tuple[Any, ...]:  # fmt: skip
        names = [f"l{layer}{end}" for layer in range(layers) for end in ("", "_reverse")[: 2 if bidirectional else 1]]
        kinds = ["weight_ih", "weight_hh", *(["bias_ih", "bias_hh"] if bias else [])]
        kinds += ["weight_hr"] * (len(params) > len(kinds) * len(names))
        tensors = dict(zip([f"{kind}_{name}" for name in names for kind in kinds], params, strict=True))
        y, after = recurrent(r, x, hx, infer(tensors, cell, dict(options)), tensors, batch_first=batch_first)
        return (y, *after) if isinstance(after, tuple) else (y, after)

    return read


def _same(r: Reading, x: Any, *options: Any, **more: Any) -> Any:
    return x


def _pointwise(name: str, *constants: str) -> Callable[..., Flow]:
    def applied(r: Reading, x: Flow, *values: Any, **more: Any) -> Flow:
        found = dict(zip(constants, values, strict=False)) | {key: more[key] for key in constants if key in more}
        r.size(x)
        ours = {_CONSTANTS.get((name, key), key): float(value) for key, value in found.items() if key != "inplace"}
        return r.add(Pointwise(name, **ours), x, axes=x.axes)

    return applied


_CONSTANTS = {("leaky_relu", "negative_slope"): "slope"}


def _clip(r: Reading, x: Flow, min: float = -1.0, max: float = 1.0, *more: Any, **options: Any) -> Flow:
    low, high = options.get("min_val", min), options.get("max_val", max)
    r.size(x)
    bounds = {"low": -math.inf if low is None else float(low), "high": math.inf if high is None else float(high)}
    return r.add(Pointwise("clip", **bounds), x, axes=x.axes)


def _gelu(r: Reading, x: Flow, approximate: str = "none") -> Flow:
    return _pointwise("gelu_tanh" if approximate == "tanh" else "gelu")(r, x)


def _softplus(r: Reading, x: Flow, beta: float = 1, threshold: float = 20) -> Flow:
    y = _pointwise("softplus")(r, x if beta == 1 else r.scaled(x, beta))
    return y if beta == 1 else r.scaled(y, 1 / beta)


def _softmax(name: str) -> Callable[..., Flow]:
    def applied(r: Reading, x: Flow, dim: int | None = None, *more: Any, **options: Any) -> Flow:
        if dim is None or x.axis(dim) != "f":
            raise r.refused(f"{name} over another axis than the features")
        return _pointwise(name)(r, x)

    return applied


def _joining(operation: Any, name: str) -> Callable[..., Any]:
    def joined(r: Reading, a: Any, b: Any, alpha: float = 1, **more: Any) -> Any:
        if not isinstance(a, Flow):
            a, b = (b, a) if isinstance(b, Flow) else (a, b)
        if not isinstance(a, Flow) or (isinstance(b, Opaque | States) and not isinstance(b, Flow)):
            return Opaque()
        if not a.name and not isinstance(b, Flow) and a.source not in r.given:
            return Opaque()  # arithmetic on lengths
        if isinstance(b, Flow):
            b = b if alpha == 1 else r.scaled(b, alpha)
            return r.add(operation, a, b, axes=same_axes([a, b]))
        return r.scaled(a, b) if name == "mul" else r.scaled(a, 1.0, np.asarray(b) * alpha)

    return joined


def _subtract(r: Reading, a: Any, b: Any, alpha: float = 1, **more: Any) -> Any:
    if isinstance(b, Flow) and b.name:
        return _joining(Add(), "add")(r, r.scaled(b, -float(alpha)), a)
    return _joining(Add(), "add")(r, a, b if isinstance(b, Flow | Opaque) else -np.asarray(b), alpha)


def _divide(r: Reading, a: Any, b: Any) -> Any:
    if isinstance(b, Flow) or not isinstance(a, Flow):
        return Opaque() if not isinstance(a, Flow) or not a.name else _never(r, "division by a tensor")
    return r.scaled(a, 1 / np.asarray(b))


def _never(r: Reading, what: str) -> Any:
    raise r.refused(what)


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


def _opaque(r: Reading, *inputs: Any, **more: Any) -> Opaque:
    return Opaque()


def _zeros(r: Reading, *inputs: Any, **more: Any) -> Zeros:
    return Zeros()


def _packed(r: Reading, x: Flow, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True) -> Flow:
    if x.axes not in (("btf",) if batch_first else ("tbf",)):
        raise r.refused(f"packing of the axes {x.axes}")
    return replace(x, axes="pf")


def _padded(r: Reading, x: Flow, batch_first: bool = False, *more: Any, **options: Any) -> tuple[Flow, Opaque]:
    return replace(x, axes="btf" if batch_first else "tbf"), Opaque()


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(("alpha_dropout", "clone", "contiguous", "detach", "dropout", "dropout1d", "float"), _same),
    **dict.fromkeys(("feature_dropout", "identity", "lift_fresh_copy", "to", "type_as"), _same),
    **dict.fromkeys(("arange", "dim", "numel", "size", "sub_lengths", "cpu", "long", "sym_size"), _opaque),
    **dict.fromkeys(("new_zeros", "zeros", "zeros_like"), _zeros),
    **{name: _pointwise(name) for name in ("abs", "exp", "log", "relu", "selu", "sigmoid", "silu", "softsign", "sqrt")},
    **dict.fromkeys(("flatten", "reshape", "view"), _flattened),
    **dict.fromkeys(("clamp", "clip", "hardtanh"), _clip),
    "adaptive_avg_pool1d": _adaptive_pool("mean"),
    "adaptive_max_pool1d": _adaptive_pool("max"),
    "add": _joining(Add(), "add"),
    "amax": _reduced("max"),
    "batch_norm": batch_norm,
    "cat": _cat,
    "concat": _cat,
    "div": _divide,
    "elu": _pointwise("elu", "alpha"),
    "embedding": _embedding,
    "gelu": _gelu,
    "getattr": _getattr,
    "getitem": _getitem,
    "gru": _flat_recurrent("gru"),
    "hardsigmoid": _pointwise("hard_sigmoid"),
    "layer_norm": _layer_norm,
    "leaky_relu": _pointwise("leaky_relu", "negative_slope"),
    "linear": _linear,
    "log_softmax": _softmax("log_softmax"),
    "lstm": _flat_recurrent("lstm"),
    "max": _max,
    "mean": _reduced("mean"),
    "mul": _joining(Multiply(), "mul"),
    "neg": lambda r, x: r.scaled(x, -1.0),
    "pack_padded_sequence": _packed,
    "pad_packed_sequence": _padded,
    "permute": _permuted,
    "relu6": lambda r, x, *more, **options: _clip(r, x, 0.0, 6.0),
    "rnn_relu": _flat_recurrent("rnn", nonlinearity="relu"),
    "rnn_tanh": _flat_recurrent("rnn"),
    "select": _select,
    "slice": _slice,
    "softmax": _softmax("softmax"),
    "softplus": _softplus,
    "squeeze": _squeezed,
    "sub": _subtract,
    "sum": _reduced("sum"),
    "swapaxes": _transposed,
    "tanh": _pointwise("tanh"),
    "transpose": _transposed,
    "truediv": _divide,
    "unsqueeze": _unsqueezed,
}
"""What each function becomes."""
