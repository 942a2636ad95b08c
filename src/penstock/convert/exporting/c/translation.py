"""A graph's step in C: one statement, or a few, for each node."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from penstock.convert.exporting.c.recurrent import recurrent_layers
from penstock.convert.exporting.c.source import Source, identifier
from penstock.convert.exporting.c.tables import Tables
from penstock.errors import ConfigError
from penstock.network import Graph, Node

__all__ = ["translated"]

Floats = NDArray[np.float32]


def translated(graph: Graph, tensors: Mapping[str, Floats], *, int8: bool) -> Source:
    """Translate a graph.

    Raises:
        ConfigError: the graph reads later steps before earlier ones, or holds an operation that has no C here.
    """
    if graph.backward:
        raise ConfigError(
            f"{', '.join(graph.backward)} read each sequence from its end too, so the network has no step in C. "
            "Train one that reads forward (bidirectional=False)."
        )
    names = [identifier(name) for name in graph.values]
    if same := [name for name in names if names.count(name) > 1]:
        raise ConfigError(f"two values of the network would both be called {same[0]!r} in C. Rename one.")
    source = Source(graph, tensors, Tables(int8))
    places = {name: f"input_{identifier(name)}" for name in graph.inputs}
    # What has a row for each sequence is read from the state, after all that has a row for each step.
    nodes = sorted(graph.nodes, key=lambda node: not graph.values[node.inputs[0]].steps)
    last = {name: node.name for node in nodes for name in node.inputs} | dict.fromkeys(graph.outputs, "")
    for node in nodes:
        translate = _TRANSLATIONS.get(node.operation.kind)
        if translate is None:
            raise ConfigError(f"{node.name}: {node.operation.kind} has no C here; {', '.join(_TRANSLATIONS)} have.")
        source.say(f"/* {node.name}: {node.operation.kind} */")
        places[node.name] = translate(source, node, [places[name] for name in node.inputs])
        for name in node.inputs:
            if last[name] == node.name:
                source.free(name)
    for name in graph.outputs:
        source.say(f"copy(output_{identifier(name)}, {places[name]}, {graph.values[name].size});")
    return source


def _loop(size: int, *statements: str) -> str:
    return f"for (size_t i = 0; i < {size}; ++i)" + (
        f"\n    {statements[0]}" if len(statements) == 1 else " {\n    " + "\n    ".join(statements) + "\n}"
    )


def _tensor(source: Source, node: Node, name: str) -> Floats:
    return source.tensors[f"{node.name}.{name}"]


def _table(node: Node, name: str) -> str:
    return f"{identifier(node.name)}_{name}"


def _result(source: Source, node: Node) -> tuple[str, int]:
    size = source.graph.values[node.name].size
    return source.take(node.name, size), size


def _lookup(source: Source, node: Node, inputs: list[str]) -> str:
    place, size = _result(source, node)
    table = source.tables.matrix(_table(node, "weight"), _tensor(source, node, "weight"))
    function, arguments = "lookup", table.name
    if table.scales:
        function, arguments = "lookup_int8", f"{table.name}, {table.scales}"
    id_ = f"{inputs[0]} < {node.operation.vocabulary_size} ? {inputs[0]} : 0"
    source.say(f"{function}({place}, {arguments}, {id_}, {size});")
    return place


def _dense(source: Source, node: Node, inputs: list[str]) -> str:
    spec, (place, _) = node.operation, _result(source, node)
    table = source.tables.matrix(_table(node, "weight"), _tensor(source, node, "weight"))
    bias = source.tables.vector(_table(node, "bias"), _tensor(source, node, "bias")) if spec.bias else ""
    for block in range(spec.blocks):
        here = f"{place} + {block * spec.outputs}" if block else place
        start = f"copy({here}, {bias}, {spec.outputs});" if bias else f"clear({here}, {spec.outputs});"
        x = f"{inputs[0]} + {block * spec.inputs}" if block else inputs[0]
        source.say(start)
        source.add_product(here, table, x)
    return place


def _scale(source: Source, node: Node, inputs: list[str]) -> str:
    place, size = _result(source, node)
    names = [source.tables.vector(_table(node, name), _tensor(source, node, name)) for name in ("scale", "offset")]
    source.say(_loop(size, f"({place})[i] = ({inputs[0]})[i] * {names[0]}[i] + {names[1]}[i];"))
    return place


def _pointwise(source: Source, node: Node, inputs: list[str]) -> str:
    place, size = _result(source, node)
    if node.operation.function in ("softmax", "log_softmax"):
        source.say(f"{node.operation.function}({place}, {inputs[0]}, {size});")
        return place
    written = _EXPRESSIONS.get(node.operation.function)
    if written is None:
        raise ConfigError(
            f"{node.name}: {node.operation.function} needs more of the C library than expf, logf and tanhf. "
            f"It can be one of {', '.join(['softmax', 'log_softmax', *_EXPRESSIONS])}."
        )
    constants = {name: f"{value:.9e}f" for name, value in node.operation.constants}
    source.say(_loop(size, f"const float x = ({inputs[0]})[i];", f"({place})[i] = {written.format(**constants)};"))
    return place


def _slice(source: Source, node: Node, inputs: list[str]) -> str:
    place, size = _result(source, node)
    source.say(f"copy({place}, {inputs[0]} + {node.operation.start}, {size});")
    return place


def _concatenate(source: Source, node: Node, inputs: list[str]) -> str:
    place, _ = _result(source, node)
    start = 0
    for name, x in zip(node.inputs, inputs, strict=True):
        size = source.graph.values[name].size
        source.say(f"copy({place} + {start}, {x}, {size});")
        start += size
    return place


def _joined(sign: str) -> Callable[[Source, Node, list[str]], str]:
    def translate(source: Source, node: Node, inputs: list[str]) -> str:
        place, size = _result(source, node)
        source.say(_loop(size, f"({place})[i] = {f' {sign} '.join(f'({x})[i]' for x in inputs)};"))
        return place

    return translate


def _pool(source: Source, node: Node, inputs: list[str]) -> str:
    name, over = identifier(node.name), node.operation.over
    size = source.graph.values[node.name].size
    value, steps = f"state->{name}_value", f"state->{name}_steps"
    source.state |= {f"{name}_value": size, f"{name}_steps": 1}
    with source.where(inputs[1] if node.operation.masked else None):
        _fold(source, over, value, steps, inputs[0], size)
    if over != "mean":
        return value
    place = source.take(node.name, size)
    # Before the first step the sum is 0, and so is the mean.
    source.say(_loop(size, f"({place})[i] = {value}[i] / ({steps}[0] > 0.0f ? {steps}[0] : 1.0f);"))
    return place


def _fold(source: Source, over: str, value: str, steps: str, place: str, size: int) -> None:
    x = f"({place})[i]"
    if over == "max":
        source.say(_loop(size, f"{value}[i] = {steps}[0] == 0.0f || {x} > {value}[i] ? {x} : {value}[i];"))
    elif over == "first":
        source.say(f"if ({steps}[0] == 0.0f)\n    copy({value}, {place}, {size});")
    elif over == "last":
        source.say(f"copy({value}, {place}, {size});")
    else:
        source.say(_loop(size, f"{value}[i] += {x};"))
    # A float counts exactly up to 2^24 steps; then it stays, which changes a mean by less than its rounding does.
    source.say(f"{steps}[0] += 1.0f;")


def _recurrence(source: Source, node: Node, inputs: list[str]) -> str:
    mask = inputs[1] if node.operation.masked else None
    with source.where(mask):
        y = recurrent_layers(source, node, inputs[0])
    if mask is None or node.operation.at_masked == "repeat":
        return y
    place, size = _result(source, node)
    source.say(_loop(size, f"({place})[i] = ({mask})[0] != 0.0f ? {y}[i] : 0.0f;"))
    return place


def _differs(source: Source, node: Node, inputs: list[str]) -> str:
    place, _ = _result(source, node)
    value, of = f"{node.operation.value:.9e}f", source.graph.values[node.inputs[0]]
    if of.ids:
        source.say(f"({place})[0] = (float){inputs[0]} != {value} ? 1.0f : 0.0f;")
        return place
    differs = f"if (({inputs[0]})[i] != {value})\n        ({place})[0] = 1.0f;"
    source.say(f"({place})[0] = 0.0f;", f"for (size_t i = 0; i < {of.size}; ++i)\n    {differs}")
    return place


_TRANSLATIONS: dict[str, Callable[[Source, Node, list[str]], str]] = {
    "add": _joined("+"),
    "concatenate": _concatenate,
    "dense": _dense,
    "differs": _differs,
    "lookup": _lookup,
    "multiply": _joined("*"),
    "pointwise": _pointwise,
    "pool": _pool,
    "recurrence": _recurrence,
    "scale": _scale,
    "slice": _slice,
}
"""For each kind of operation, what adds its statements and returns the place of its result."""

_EXPRESSIONS = {
    "abs": "x < 0.0f ? -x : x",
    "clip": "x < {low} ? {low} : x > {high} ? {high} : x",
    "elu": "x > 0.0f ? x : {alpha} * (expf(x) - 1.0f)",
    "exp": "expf(x)",
    "gelu_tanh": "0.5f * x * (1.0f + tanhf(0.797884561f * (x + 0.044715f * x * x * x)))",
    "hard_sigmoid": "{slope} * x + {offset} < 0.0f ? 0.0f : "
    "{slope} * x + {offset} > 1.0f ? 1.0f : {slope} * x + {offset}",
    "log": "logf(x)",
    "leaky_relu": "x > 0.0f ? x : {slope} * x",
    "relu": "x > 0.0f ? x : 0.0f",
    "selu": "1.05070099f * (x > 0.0f ? x : 1.67326324f * (expf(x) - 1.0f))",
    "sigmoid": "sigmoid(x)",
    "silu": "x * sigmoid(x)",
    "softsign": "x / (1.0f + (x < 0.0f ? -x : x))",
    "tanh": "tanhf(x)",
}
"""The functions of numbers as expressions in C."""
