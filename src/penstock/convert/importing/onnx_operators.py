"""ONNX's operators on symbols: what each adds to the graph. One function for each, by the operator's name."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.convert.importing.onnx_reading import Reading, attributes, onnx_package
from penstock.convert.importing.onnx_recurrent import recurrent
from penstock.convert.importing.onnx_symbols import Axis, Symbol, feature, merged, vector_over
from penstock.errors import ConfigError
from penstock.network import (
    Add,
    Concatenate,
    Dense,
    Lookup,
    Multiply,
    Pointwise,
    Pool,
    Reverse,
    Scale,
    Slice,
    Standardize,
)

__all__ = ["OPERATORS", "evaluated"]

_MOST_NUMBERS = 1 << 26
_EVALUATED = {
    *("Add", "And", "Cast", "Ceil", "Concat", "Constant", "ConstantOfShape", "Div", "Equal", "Expand", "Floor"),
    *("Gather", "Greater", "Identity", "Less", "Max", "Min", "Mod", "Mul", "Neg", "Not", "Range", "ReduceProd"),
    *(
        "Reshape",
        "Shape",
        "Size",
        "Slice",
        "Split",
        "Sqrt",
        "Squeeze",
        "Sub",
        "Tile",
        "Transpose",
        "Unsqueeze",
        "Where",
    ),
}
"""The operators on constants that are computed while a model is read."""


def evaluated(reading: Reading, node: Any) -> list[NDArray[Any]]:
    """Compute a node whose inputs are constants, or that asks for a symbol's shape.

    Raises:
        ConfigError: another operator, or a result of more than 2**26 numbers.
    """
    onnx = onnx_package()
    from onnx.reference import ReferenceEvaluator

    if node.op_type not in _EVALUATED or node.domain not in ("", "ai.onnx"):
        raise ConfigError(f"of constants alone is not read; expected one of {', '.join(sorted(_EVALUATED))}")
    given = {name: reading.values[name] for name in node.input if name}
    if node.op_type in ("Shape", "Size"):
        # A value with the symbol's shape, which needs no memory.
        given = {
            name: np.broadcast_to(np.float32(0), value.shape) if isinstance(value, Symbol) else value
            for name, value in given.items()
        }
    _check_size(node, list(given.values()))
    typed = [
        onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in given.items()
    ]
    outputs = [onnx.ValueInfoProto(name=name) for name in node.output]
    graph = onnx.helper.make_graph([node], "constants", typed, outputs)
    model = onnx.helper.make_model(graph, opset_imports=reading.model.opset_import)
    try:
        return [np.asarray(each) for each in ReferenceEvaluator(model).run(None, given)]
    except (ValueError, IndexError, TypeError) as error:
        raise ConfigError(f"can't be computed: {error}") from error


def _check_size(node: Any, given: Sequence[NDArray[Any]]) -> None:
    if node.op_type in ("ConstantOfShape", "Expand") and given:
        numbers = math.prod(int(size) for size in given[-1].ravel()[:16])
    elif node.op_type == "Tile":
        numbers = math.prod(int(size) for size in given[1].ravel()[:16]) * given[0].size
    elif node.op_type == "Range":
        start, limit, delta = (float(each) for each in given)
        numbers = int(abs((limit - start) / delta)) if delta else 0
    else:
        numbers = math.prod(max(sizes) for sizes in zip(*(_padded(each.shape) for each in given), strict=True))
    if numbers > _MOST_NUMBERS:
        raise ConfigError(f"makes a constant of {numbers} numbers; at most {_MOST_NUMBERS} are read")


def _padded(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (1,) * (16 - len(shape)) + shape


def _same(reading: Reading, node: Any) -> Symbol:
    return reading.symbol(node, 0)


def _transpose(reading: Reading, node: Any) -> Symbol:
    x = reading.symbol(node, 0)
    return x.transposed(attributes(node).get("perm", range(len(x.axes) - 1, -1, -1)))


def _places(reading: Reading, node: Any) -> list[int] | None:
    """The axes of a squeeze, which were an attribute before opset 13."""
    found = attributes(node).get("axes")
    given = reading.constant(node, 1)
    return list(found) if found is not None else None if given is None else given.ravel().tolist()


def _squeeze(reading: Reading, node: Any) -> Symbol:
    return reading.symbol(node, 0).squeezed(_places(reading, node))


def _unsqueeze(reading: Reading, node: Any) -> Symbol:
    return reading.symbol(node, 0).unsqueezed(_places(reading, node) or [])


def _reshape(reading: Reading, node: Any) -> Symbol:
    return reading.symbol(node, 0).reshaped(reading.constant(node, 1).ravel().tolist())


def _flatten(reading: Reading, node: Any) -> Symbol:
    x, axis = reading.symbol(node, 0), attributes(node).get("axis", 1)
    place = axis if axis == len(x.axes) else x.axis(axis)
    return x.reshaped([math.prod(x.shape[:place]), math.prod(x.shape[place:])])


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


def _gather(reading: Reading, node: Any) -> Symbol:
    axis = attributes(node).get("axis", 0)
    table, ids = reading.given(node, 0), reading.given(node, 1)
    if isinstance(table, np.ndarray):
        if not isinstance(ids, Symbol) or not ids.ids or axis != 0 or table.ndim != 2:
            raise ConfigError("a table of two axes must be looked up by the ids of an input, along axis 0")
        rows, size = table.shape
        vector = (feature(size),)
        name = reading.builder.add(Lookup(rows, size), ids.name, weight=table)
        return Symbol(name, (*ids.axes, vector), vector)
    x, chosen = reading.symbol(node, 0), np.asarray(reading.constant(node, 1))
    if chosen.size != 1:
        raise ConfigError(f"one place of an axis can be taken; got {chosen.size}")
    place = x.axis(axis)
    start = int(chosen.ravel()[0]) % x.shape[place]
    y = _part(reading, x, place, start, start + 1)
    return y if chosen.ndim else y.squeezed([place])


def _part(reading: Reading, x: Symbol, place: int, start: int, stop: int) -> Symbol:
    """Places `start` to `stop` - 1 of an axis."""
    axis, size = x.axes[place], x.shape[place]
    if (start, stop) == (0, size):
        return x
    if len(axis) == 1 and axis[0].kind == "time" and stop - start == 1 and start in (0, size - 1) and not x.ids:
        name = reading.builder.add(Pool("last" if start else "first"), x.name)
        return replace(x, name=name, axes=(*x.axes[:place], (), *x.axes[place + 1 :]))
    if not axis or any(atom.kind != "feature" for atom in axis):
        raise ConfigError("of time only the first or the last step can be taken, and no part of the batch")
    first = x.features.index(axis[0])
    if x.features[first : first + len(axis)] != axis:
        raise ConfigError("features in another order can't be parted")
    before, after = x.features[:first], x.features[first + len(axis) :]
    outer, inner = (math.prod(atom.size for atom in atoms) for atoms in (before, after))
    parts = [
        reading.builder.add(Slice(at * size * inner + start * inner, at * size * inner + stop * inner), x.name)
        for at in range(outer)
    ]
    name = parts[0] if len(parts) == 1 else reading.builder.add(Concatenate(), *parts)
    new: Axis = (feature(stop - start),) if stop - start > 1 else ()
    return Symbol(name, (*x.axes[:place], new, *x.axes[place + 1 :]), before + new + after)


def _slice(reading: Reading, node: Any) -> Symbol:
    x = reading.symbol(node, 0)
    if reading.opset < 10:
        given = attributes(node)
        starts, ends, axes, steps = given["starts"], given["ends"], given.get("axes"), None
    else:
        starts, ends, axes, steps = (reading.constant(node, place) for place in (1, 2, 3, 4))
    starts, ends = np.ravel(starts).tolist(), np.ravel(ends).tolist()
    places = list(range(len(starts))) if axes is None else np.ravel(axes).tolist()
    for start, end, place, step in zip(
        starts, ends, places, [1] * len(starts) if steps is None else steps, strict=True
    ):
        place = x.axis(int(place))
        if step == -1 and [atom.kind for atom in x.axes[place]] == ["time"]:
            x = _added(reading, x, Reverse())
            continue
        if step != 1:
            raise ConfigError(f"a step of {step} is not read")
        begin, stop, _ = slice(int(start), int(end)).indices(x.shape[place])
        x = _part(reading, x, place, begin, stop)
    return x


def _split(reading: Reading, node: Any) -> list[Symbol]:
    x, given = reading.symbol(node, 0), attributes(node)
    place = x.axis(given.get("axis", 0))
    sizes = given.get("split")
    if sizes is None:
        equal = [x.shape[place] // len(node.output)] * len(node.output)
        sizes = np.ravel(reading.constant(node, 1, equal)).tolist()
    ends = np.cumsum(sizes).tolist()
    return [_part(reading, x, place, end - size, end) for size, end in zip(sizes, ends, strict=True)]


def _concat(reading: Reading, node: Any) -> Symbol:
    parts = [reading.symbol(node, place) for place in range(len(node.input))]
    first = parts[0]
    place = first.axis(attributes(node)["axis"])
    forms = {(_without(part, place), part.ids) for part in parts}
    if len(forms) > 1 or None in next(iter(forms)) or first.ids:
        raise ConfigError("joins features of values with the same steps and sequences; got other shapes or axes")
    joined = (feature(sum(part.shape[place] for part in parts)),)
    name = reading.builder.add(Concatenate(), *(part.name for part in parts))
    rest = first.features[len(first.axes[place]) :]
    return Symbol(name, (*first.axes[:place], joined, *first.axes[place + 1 :]), joined + rest)


def _without(x: Symbol, place: int) -> tuple[tuple[tuple[str, int], ...], ...] | None:
    """The other axes, as kinds and sizes; None if the axis holds anything but the slowest features."""
    axis = x.axes[place]
    if x.features[: len(axis)] != axis:
        return None
    others = (*x.axes[:place], *x.axes[place + 1 :])
    rest = [atom for other in others for atom in other if atom.kind == "feature"]
    if tuple(rest) != x.features[len(axis) :]:
        return None
    return tuple(tuple((atom.kind, atom.size) for atom in other) for other in others)


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
    "Concat": _concat,
    "Div": _arithmetic(_divided, _quotient),
    "Dropout": _same,
    "Elu": _pointwise("elu", alpha=("alpha", 1.0)),
    "Exp": _pointwise("exp"),
    "Flatten": _flatten,
    "GRU": recurrent,
    "Gather": _gather,
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
    "Reshape": _reshape,
    "Selu": _pointwise("selu"),
    "Sigmoid": _pointwise("sigmoid"),
    "Slice": _slice,
    "Softmax": _over_features("softmax"),
    "Softplus": _pointwise("softplus"),
    "Softsign": _pointwise("softsign"),
    "Split": _split,
    "Sqrt": _pointwise("sqrt"),
    "Squeeze": _squeeze,
    "Sub": _arithmetic(lambda c, turned: (-1, c) if turned else (1, -c), _difference),
    "Tanh": _pointwise("tanh"),
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
}
"""What reads each operator: returns the symbol of its output, or a list for several."""
