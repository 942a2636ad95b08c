"""PyTorch's layers and arithmetic as operations of a graph, by the names that torch.fx and torch.export give them.

A function here takes what PyTorch's takes, after the reading; tensors are Flows, States, or arrays for parameters. What
moves, chooses or pools axes is in `torch_axes`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from penstock.convert.importing.torch_axes import AXES
from penstock.convert.importing.torch_values import Flow, Opaque, Reading, States, Zeros, same_axes
from penstock.network import (
    Add,
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
        if not isinstance(a, Flow) or isinstance(b, Opaque | States):
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
    if isinstance(a, Flow) and not isinstance(b, Flow):
        return r.scaled(a, 1 / np.asarray(b))
    if isinstance(a, Flow) and a.name:
        raise r.refused("division by a tensor")
    return Opaque()


def _opaque(r: Reading, *inputs: Any, **more: Any) -> Opaque:
    return Opaque()


def _zeros(r: Reading, *inputs: Any, **more: Any) -> Zeros:
    return Zeros()


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **AXES,
    **dict.fromkeys(("alpha_dropout", "clone", "contiguous", "detach", "dropout", "dropout1d", "float"), _same),
    **dict.fromkeys(("feature_dropout", "identity", "lift_fresh_copy", "to", "type_as"), _same),
    **dict.fromkeys(("arange", "dim", "numel", "size", "sub_lengths", "cpu", "long", "sym_size"), _opaque),
    **dict.fromkeys(("new_zeros", "zeros", "zeros_like"), _zeros),
    **{name: _pointwise(name) for name in ("abs", "exp", "log", "relu", "selu", "sigmoid", "silu", "softsign", "sqrt")},
    **dict.fromkeys(("clamp", "clip", "hardtanh"), _clip),
    "add": _joining(Add(), "add"),
    "batch_norm": batch_norm,
    "div": _divide,
    "elu": _pointwise("elu", "alpha"),
    "embedding": _embedding,
    "gelu": _gelu,
    "gru": _flat_recurrent("gru"),
    "hardsigmoid": _pointwise("hard_sigmoid"),
    "layer_norm": _layer_norm,
    "leaky_relu": _pointwise("leaky_relu", "negative_slope"),
    "linear": _linear,
    "log_softmax": _softmax("log_softmax"),
    "lstm": _flat_recurrent("lstm"),
    "mul": _joining(Multiply(), "mul"),
    "neg": lambda r, x: r.scaled(x, -1.0),
    "relu6": lambda r, x, *more, **options: _clip(r, x, 0.0, 6.0),
    "rnn_relu": _flat_recurrent("rnn", nonlinearity="relu"),
    "rnn_tanh": _flat_recurrent("rnn"),
    "softmax": _softmax("softmax"),
    "softplus": _softplus,
    "sub": _subtract,
    "tanh": _pointwise("tanh"),
    "truediv": _divide,
}
"""What each function becomes."""
