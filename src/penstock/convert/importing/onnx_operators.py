"""ONNX's operators on symbols: what each adds to the graph. One function for each, by the operator's name."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.convert.importing.onnx_axes import (
    concat,
    flatten,
    gather,
    reshape,
    sliced,
    split,
    squeeze,
    transpose,
    unsqueeze,
)
from penstock.convert.importing.onnx_reading import Reading, attributes
from penstock.convert.importing.onnx_recurrent import recurrent
from penstock.convert.importing.onnx_symbols import Axis, Symbol, feature, merged, vector_over
from penstock.errors import ConfigError
from penstock.network import (
    Add,
    Dense,
    Multiply,
    Pointwise,
    Pool,
    Scale,
    Standardize,
)

__all__ = ["OPERATORS"]


def _same(reading: Reading, node: Any) -> Symbol:
    return reading.symbol(node, 0)


def _added(reading: Reading, x: Symbol, operation: Any, **tensors: Any) -> Symbol:
    """A symbol of the same axes, after an operation for each number."""
    return replace(x, name=reading.builder.add(operation, x.name, **tensors))


def _dense(reading: Reading, node: Any, x: Symbol, weight: NDArray[Any], bias: NDArray[Any] | None) -> Symbol:
    """A dense layer over the last axis, with weight (outputs, inputs)."""
    tail = x.axes[-1] if x.axes else ()
    lead = x.features[: len(x.features) - len(tail)]
    if x.ids or lead + tail != x.features or x.shape[-1:] != weight.shape[1:]:
        raise ConfigError(f"the product needs {weight.shape[1]} features as the last axis; got the shape {x.shape}")
    blocks = math.prod(atom.size for atom in lead)
    tensors: dict[str, Any] = {"weight": weight} | ({} if bias is None else {"bias": np.ravel(bias)})
    operation = Dense(weight.shape[1], weight.shape[0], bias=bias is not None, blocks=blocks)
    out: Axis = (feature(weight.shape[0]),) if weight.shape[0] > 1 else ()
    return Symbol(reading.builder.add(operation, x.name, **tensors), (*x.axes[:-1], out), lead + out)


def _matmul(reading: Reading, node: Any) -> Symbol:
    x, weight = reading.symbol(node, 0), reading.constant(node, 1)
    if weight.ndim != 2:
        raise ConfigError(f"the matrix must have two axes; got {weight.shape}")
    return _with_bias(reading, node, x, weight.T)


def _with_bias(reading: Reading, node: Any, x: Symbol, weight: NDArray[Any]) -> Symbol:
    """A product, together with the addition of a constant vector if that is all that follows."""
    after = reading.consumers.get(node.output[0], [])
    if len(after) == 1 and after[0].op_type == "Add":
        others = [reading.values.get(name) for name in after[0].input if name != node.output[0]]
        bias = others[0] if len(others) == 1 else None
        if isinstance(bias, np.ndarray) and bias.size == weight.shape[0] == bias.shape[-1]:
            y = _dense(reading, node, x, weight, bias)
            reading.values[after[0].output[0]] = y
            return y
    return _dense(reading, node, x, weight, None)


def _gemm(reading: Reading, node: Any) -> Symbol:
    x, weight, bias, given = (
        reading.symbol(node, 0),
        reading.constant(node, 1),
        reading.constant(node, 2),
        attributes(node),
    )
    if given.get("transA"):
        raise ConfigError("transA=1 is not read")
    weight = (weight if given.get("transB") else weight.T) * given.get("alpha", 1.0)
    if bias is not None:
        bias = np.broadcast_to(np.ravel(bias) * given.get("beta", 1.0), weight.shape[:1])
    return _dense(reading, node, x, weight, bias)


def _arithmetic(
    with_constant: Callable[[NDArray[Any], bool], tuple[Any, Any]], pair: Callable[[Reading, Symbol, Symbol], Symbol]
) -> Callable[[Reading, Any], Symbol]:
    """An operator of two inputs: with a constant a scale and an offset, of two values an operation of the graph."""

    def operate(reading: Reading, node: Any) -> Symbol:
        first, second = reading.given(node, 0), reading.given(node, 1)
        if isinstance(first, Symbol) and isinstance(second, Symbol):
            if _forms(first) != _forms(second):
                raise ConfigError(f"takes two values of the same axes; got {first.shape} and {second.shape}")
            return pair(reading, first, second)
        x, constant, turned = (first, second, False) if isinstance(first, Symbol) else (second, first, True)
        if not isinstance(x, Symbol) or x.ids or not isinstance(constant, np.ndarray):
            raise ConfigError("takes numbers")
        scale, offset = with_constant(vector_over(x, constant), turned)
        ones = np.ones(x.size, np.float32)
        return _added(reading, x, Scale(x.size), scale=scale * ones, offset=offset * ones)

    return operate


def _forms(x: Symbol) -> list[list[tuple[str, int]]]:
    """The axes without the numbers that tell features apart."""
    order = [[x.features.index(atom) if atom in x.features else -1 for atom in axis] for axis in x.axes]
    kinds = [[(atom.kind, atom.size) for atom in axis] for axis in x.axes]
    return [[(*each, 0)[:2] for each in axis] for axis in kinds] + [
        [("order", place) for place in axis] for axis in order
    ]


def _joined(operation: Any) -> Callable[[Reading, Symbol, Symbol], Symbol]:
    return lambda reading, x, y: replace(x, name=reading.builder.add(operation, x.name, y.name))


def _difference(reading: Reading, x: Symbol, y: Symbol) -> Symbol:
    ones = np.ones(y.size)
    return _joined(Add())(reading, x, _added(reading, y, Scale(y.size), scale=-ones, offset=0 * ones))


def _quotient(reading: Reading, x: Symbol, y: Symbol) -> Symbol:
    raise ConfigError("a value can be divided by a constant alone")


def _divided(constant: NDArray[Any], turned: bool) -> tuple[Any, Any]:
    if turned:
        raise ConfigError("a constant can't be divided by a value")
    return 1 / constant, 0


def _pointwise(function: str, **names: tuple[str, float]) -> Callable[[Reading, Any], Symbol]:
    """A function of each number; `names` say which attribute is which constant, and its default in ONNX."""

    def operate(reading: Reading, node: Any) -> Symbol:
        given = attributes(node)
        constants = {ours: given.get(theirs, default) for ours, (theirs, default) in names.items()}
        return _added(reading, reading.symbol(node, 0), Pointwise(function, **constants))

    return operate


def _over_features(function: str) -> Callable[[Reading, Any], Symbol]:
    def operate(reading: Reading, node: Any) -> Symbol:
        x = merged(reading.symbol(node, 0))
        default = -1 if reading.opset >= 13 else 1
        if x.axis(attributes(node).get("axis", default)) != len(x.axes) - 1:
            raise ConfigError("runs over the features alone, the last axis")
        return _added(reading, x, Pointwise(function))

    return operate


def _gelu(reading: Reading, node: Any) -> Symbol:
    tanh = attributes(node).get("approximate", b"none") == b"tanh"
    return _added(reading, reading.symbol(node, 0), Pointwise("gelu_tanh" if tanh else "gelu"))


def _clip(reading: Reading, node: Any) -> Symbol:
    given = attributes(node)
    low = reading.constant(node, 1, given.get("min", -3.4e38))
    high = reading.constant(node, 2, given.get("max", 3.4e38))
    return _added(reading, reading.symbol(node, 0), Pointwise("clip", low=float(low), high=float(high)))


def _negative(reading: Reading, node: Any) -> Symbol:
    x = reading.symbol(node, 0)
    return _added(reading, x, Scale(x.size), scale=-np.ones(x.size), offset=np.zeros(x.size))


def _reduced(over: Any) -> Callable[[Reading, Any], Symbol]:
    """A sum, mean or maximum over time."""

    def operate(reading: Reading, node: Any) -> Symbol:
        x, given = reading.symbol(node, 0), attributes(node)
        found = given.get("axes", reading.constant(node, 1))
        places = [] if found is None else [x.axis(int(place)) for place in np.ravel(found)]
        if len(places) != 1 or [atom.kind for atom in x.axes[places[0]]] != ["time"] or x.ids:
            raise ConfigError("runs over time alone")
        name = reading.builder.add(Pool(over), x.name)
        y = replace(x, name=name, axes=(*x.axes[: places[0]], (), *x.axes[places[0] + 1 :]))
        return y if given.get("keepdims", 1) else y.squeezed(places)

    return operate


def _global_pool(over: Any) -> Callable[[Reading, Any], Symbol]:
    def operate(reading: Reading, node: Any) -> Symbol:
        x = reading.symbol(node, 0)
        if len(x.axes) != 3 or [atom.kind for atom in x.axes[2]] != ["time"]:
            raise ConfigError("runs over time as the last of three axes")
        return replace(x, name=reading.builder.add(Pool(over), x.name), axes=(*x.axes[:2], ()))

    return operate


def _batch_norm(reading: Reading, node: Any) -> Symbol:
    x = reading.symbol(node, 0)
    scale, offset, mean, variance = (reading.constant(node, place) for place in (1, 2, 3, 4))
    if len(x.axes) < 2 or x.axes[1] != x.features:
        raise ConfigError("takes the features as the second axis")
    factor = scale / np.sqrt(variance + attributes(node).get("epsilon", 1e-5))
    return _added(reading, x, Scale(x.size), scale=factor, offset=offset - mean * factor)


def _layer_norm(reading: Reading, node: Any) -> Symbol:
    x, given = merged(reading.symbol(node, 0)), attributes(node)
    if x.axis(given.get("axis", -1)) != len(x.axes) - 1:
        raise ConfigError("runs over the features alone, the last axis")
    y = _added(reading, x, Standardize(given.get("epsilon", 1e-5)))
    scale, offset = reading.constant(node, 1), reading.constant(node, 2, np.zeros(x.size))
    return _added(reading, y, Scale(x.size), scale=np.ravel(scale), offset=np.ravel(offset))


OPERATORS: dict[str, Callable[[Reading, Any], Any]] = {
    "Abs": _pointwise("abs"),
    "Add": _arithmetic(lambda c, _: (1, c), _joined(Add())),
    "BatchNormalization": _batch_norm,
    "Cast": _same,
    "Clip": _clip,
    "Concat": concat,
    "Div": _arithmetic(_divided, _quotient),
    "Dropout": _same,
    "Elu": _pointwise("elu", alpha=("alpha", 1.0)),
    "Exp": _pointwise("exp"),
    "Flatten": flatten,
    "GRU": recurrent,
    "Gather": gather,
    "Gelu": _gelu,
    "Gemm": _gemm,
    "GlobalAveragePool": _global_pool("mean"),
    "GlobalMaxPool": _global_pool("max"),
    "HardSigmoid": _pointwise("hard_sigmoid", slope=("alpha", 0.2), offset=("beta", 0.5)),
    "Identity": _same,
    "LSTM": recurrent,
    "LayerNormalization": _layer_norm,
    "LeakyRelu": _pointwise("leaky_relu", slope=("alpha", 0.01)),
    "Log": _pointwise("log"),
    "LogSoftmax": _over_features("log_softmax"),
    "MatMul": _matmul,
    "Mul": _arithmetic(lambda c, _: (c, 0), _joined(Multiply())),
    "Neg": _negative,
    "RNN": recurrent,
    "ReduceMax": _reduced("max"),
    "ReduceMean": _reduced("mean"),
    "ReduceSum": _reduced("sum"),
    "Relu": _pointwise("relu"),
    "Reshape": reshape,
    "Selu": _pointwise("selu"),
    "Sigmoid": _pointwise("sigmoid"),
    "Slice": sliced,
    "Softmax": _over_features("softmax"),
    "Softplus": _pointwise("softplus"),
    "Softsign": _pointwise("softsign"),
    "Split": split,
    "Sqrt": _pointwise("sqrt"),
    "Squeeze": squeeze,
    "Sub": _arithmetic(lambda c, turned: (-1, c) if turned else (1, -c), _difference),
    "Tanh": _pointwise("tanh"),
    "Transpose": transpose,
    "Unsqueeze": unsqueeze,
}
"""What reads each operator: returns the symbol of its output, or a list for several."""
