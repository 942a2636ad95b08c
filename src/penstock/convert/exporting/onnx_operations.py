"""Each operation of a graph as ONNX nodes.

Values of steps are (time, batch, size) or ids (time, batch), others (batch, size).
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.convert.exporting.onnx_nodes import Nodes, onnx_package
from penstock.convert.exporting.onnx_recurrence import write_recurrence
from penstock.convert.exporting.onnx_steps import StateInput, Steps
from penstock.network import operations as described

__all__ = ["WRITERS"]

Tensors = Mapping[str, NDArray[Any]]


def _lookup(steps: Steps, name: str, operation: described.Lookup, tensors: Tensors, ids: str) -> str:
    return steps.nodes.add("Gather", steps.nodes.constant(tensors["weight"], f"{name}.weight"), ids)


def _dense(steps: Steps, name: str, operation: described.Dense, tensors: Tensors, x: str) -> str:
    nodes = steps.nodes
    axes = [0, 0] if steps.values[name].steps else [0]
    if operation.blocks > 1:
        x = nodes.add("Reshape", x, np.array([*axes, operation.blocks, operation.inputs]))
    weight = nodes.constant(tensors["weight"].T, f"{name}.weight")
    y = nodes.add("MatMul", x, weight)
    if operation.bias:
        y = nodes.add("Add", y, nodes.constant(tensors["bias"], f"{name}.bias"))
    if operation.blocks > 1:
        y = nodes.add("Reshape", y, np.array([*axes, operation.blocks * operation.outputs]))
    return y


def _scale(steps: Steps, name: str, operation: described.Scale, tensors: Tensors, x: str) -> str:
    scale, offset = (steps.nodes.constant(tensors[each], f"{name}.{each}") for each in ("scale", "offset"))
    return steps.nodes.add("Add", steps.nodes.add("Mul", x, scale), offset)


def _standardize(steps: Steps, name: str, operation: described.Standardize, tensors: Tensors, x: str) -> str:
    nodes = steps.nodes
    last = np.array([-1])
    centred = nodes.add("Sub", x, nodes.add("ReduceMean", x, last))
    variance = nodes.add("ReduceMean", nodes.add("Mul", centred, centred), last)
    return nodes.add("Div", centred, nodes.add("Sqrt", nodes.add("Add", variance, np.float32(operation.epsilon))))


def _differs(steps: Steps, name: str, operation: described.Differs, tensors: Tensors, x: str) -> str:
    nodes, types = steps.nodes, onnx_package().TensorProto
    differs = nodes.add("Not", nodes.add("Equal", nodes.add("Cast", x, to=types.FLOAT), np.float32(operation.value)))
    found, last = nodes.add("Cast", differs, to=types.FLOAT), np.array([-1])
    return nodes.add("Unsqueeze" if x in steps.ids else "ReduceMax", found, last)


def _pointwise(steps: Steps, name: str, operation: described.Pointwise, tensors: Tensors, x: str) -> str:
    return FUNCTIONS[operation.function](steps.nodes, x, **dict(operation.constants))


def _slice(steps: Steps, name: str, operation: described.Slice, tensors: Tensors, x: str) -> str:
    return steps.nodes.add("Slice", x, np.array([operation.start]), np.array([operation.stop]), np.array([-1]))


def _reverse(steps: Steps, name: str, operation: described.Reverse, tensors: Tensors, x: str) -> str:
    return steps.reversed(x)


def _concatenate(steps: Steps, name: str, operation: described.Concatenate, tensors: Tensors, *inputs: str) -> str:
    return steps.nodes.add("Concat", *inputs, axis=-1)


def _add(steps: Steps, name: str, operation: described.Add, tensors: Tensors, first: str, *others: str) -> str:
    for other in others:
        first = steps.nodes.add("Add", first, other)
    return first


def _multiply(
    steps: Steps, name: str, operation: described.Multiply, tensors: Tensors, first: str, *others: str
) -> str:
    for other in others:
        first = steps.nodes.add("Mul", first, other)
    return first


def _pool(steps: Steps, name: str, operation: described.Pool, tensors: Tensors, x: str, mask: str = "") -> str:
    """A fold over the steps of this call, which in a stream goes on from that of the calls before."""
    nodes, kept = steps.nodes, steps.kept(mask)
    if mask:
        counted = nodes.add("Cast", nodes.add("Squeeze", kept, np.array([2])), to=onnx_package().TensorProto.INT64)
        length = nodes.add("ReduceSum", counted, np.array([0]), keepdims=0)
    else:
        length = steps.lengths or nodes.add("Expand", steps.time, steps.batch)
    value = _POOLS[operation.over](steps, x, kept, length)
    if steps.streaming:
        held = StateInput(f"{name}.value", (None, steps.values[name].size))
        seen = StateInput(f"{name}.steps", (None,), dtype=np.int64)
        before, count = steps.state(held), steps.state(seen)
        value = _joined(nodes, operation.over, before, value, _some(nodes, count), _some(nodes, length))
        length = nodes.add("Add", length, count)
        steps.keep(held, value)
        steps.keep(seen, length)
    if operation.over == "mean":
        divisor = nodes.add("Cast", nodes.add("Max", length, np.int64(1)), to=onnx_package().TensorProto.FLOAT)
        value = nodes.add("Div", value, nodes.add("Unsqueeze", divisor, np.array([1])))
    return value


def _some(nodes: Nodes, length: str) -> str:
    """(batch, 1) bool: whether there is a step."""
    return nodes.add("Unsqueeze", nodes.add("Greater", length, np.int64(0)), np.array([1]))


def _joined(nodes: Nodes, over: str, before: str, new: str, had: str, has: str) -> str:
    """The value of a pool before, and that of new steps, together."""
    if over in ("sum", "mean"):
        return nodes.add("Add", before, new)
    if over == "max":
        larger = nodes.add("Where", had, nodes.add("Max", before, new), new)
        return nodes.add("Where", has, larger, before)
    return nodes.add("Where", has if over == "last" else nodes.add("Not", had), new, before)


def _total(steps: Steps, x: str, kept: str, length: str) -> str:
    return steps.nodes.add("ReduceSum", _within(steps, x, kept, 0.0), np.array([0]), keepdims=0)


def _maximum(steps: Steps, x: str, kept: str, length: str) -> str:
    found = steps.nodes.add("ReduceMax", _within(steps, x, kept, -np.inf), np.array([0]), keepdims=0)
    return steps.nodes.add("Where", _some(steps.nodes, length), found, np.float32(0))


def _at(steps: Steps, x: str, kept: str, outside: int, reduce: str) -> str:
    """The row of x (time, batch, size) at the first or last step that is kept, zeros where none is."""
    nodes = steps.nodes
    places = nodes.add("Unsqueeze", steps.places, np.array([1, 2]))
    # A stream without lengths keeps all steps.
    among = nodes.add("Where", kept, places, np.int64(outside)) if kept else places
    chosen = nodes.add("Equal", places, nodes.add(reduce, among, np.array([0]), keepdims=1))
    if kept:
        chosen = nodes.add("And", chosen, kept)
    return nodes.add("ReduceSum", nodes.add("Where", chosen, x, np.float32(0)), np.array([0]), keepdims=0)


def _last(steps: Steps, x: str, kept: str, length: str) -> str:
    return _at(steps, x, kept, -1, "ReduceMax")


def _first(steps: Steps, x: str, kept: str, length: str) -> str:
    return _at(steps, x, kept, np.iinfo(np.int32).max, "ReduceMin")


_POOLS = {"first": _first, "last": _last, "max": _maximum, "mean": _total, "sum": _total}


def _within(steps: Steps, x: str, kept: str, outside: float) -> str:
    """x with another number at the steps that are not kept."""
    return steps.nodes.add("Where", kept, x, np.float32(outside)) if kept else x


WRITERS: dict[str, Callable[..., str]] = {
    "add": _add,
    "concatenate": _concatenate,
    "dense": _dense,
    "differs": _differs,
    "lookup": _lookup,
    "multiply": _multiply,
    "pointwise": _pointwise,
    "pool": _pool,
    "recurrence": write_recurrence,
    "reverse": _reverse,
    "scale": _scale,
    "slice": _slice,
    "standardize": _standardize,
}
"""What writes each kind of operation: from (steps, name, operation, tensors, inputs) to the name of the result."""


def _half_gelu(nodes: Nodes, x: str, inner: str) -> str:
    return nodes.add("Mul", nodes.add("Mul", x, np.float32(0.5)), nodes.add("Add", inner, np.float32(1)))


def _gelu(nodes: Nodes, x: str) -> str:
    return _half_gelu(nodes, x, nodes.add("Erf", nodes.add("Mul", x, np.float32(np.sqrt(0.5)))))


def _gelu_tanh(nodes: Nodes, x: str) -> str:
    cube = nodes.add("Mul", nodes.add("Mul", x, x), x)
    inner = nodes.add("Add", x, nodes.add("Mul", cube, np.float32(0.044715)))
    return _half_gelu(nodes, x, nodes.add("Tanh", nodes.add("Mul", inner, np.float32(np.sqrt(2 / np.pi)))))


def _named(kind: str, **attributes: Any) -> Callable[..., str]:
    return lambda nodes, x, **constants: nodes.add(kind, x, **attributes, **constants)


FUNCTIONS: dict[str, Callable[..., str]] = {
    "abs": _named("Abs"),
    "clip": lambda nodes, x, low, high: nodes.add("Clip", x, np.float32(low), np.float32(high)),
    "elu": _named("Elu"),
    "exp": _named("Exp"),
    "gelu": _gelu,
    "gelu_tanh": _gelu_tanh,
    "hard_sigmoid": lambda nodes, x, slope, offset: nodes.add("HardSigmoid", x, alpha=slope, beta=offset),
    "leaky_relu": lambda nodes, x, slope: nodes.add("LeakyRelu", x, alpha=slope),
    "log": _named("Log"),
    "log_softmax": _named("LogSoftmax", axis=-1),
    "relu": _named("Relu"),
    "selu": _named("Selu"),
    "sigmoid": _named("Sigmoid"),
    "silu": lambda nodes, x: nodes.add("Mul", x, nodes.add("Sigmoid", x)),
    "softmax": _named("Softmax", axis=-1),
    "softplus": _named("Softplus"),
    "softsign": _named("Softsign"),
    "sqrt": _named("Sqrt"),
    "tanh": _named("Tanh"),
}
"""The functions of `Pointwise`."""
