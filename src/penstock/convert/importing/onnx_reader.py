"""ONNX models as graphs: `from_onnx`. The model is data: nothing in it runs but the operators that are named here."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.convert.importing.onnx_constants import evaluated
from penstock.convert.importing.onnx_operators import OPERATORS
from penstock.convert.importing.onnx_reading import Reading, initializers, onnx_package
from penstock.convert.importing.onnx_symbols import Atom, Axis, State, Symbol, feature
from penstock.errors import BundleError, ConfigError, InputError
from penstock.network import Graph, GraphBuilder, Value

if TYPE_CHECKING:
    import onnx

__all__ = ["OnnxImport", "read_model", "read_onnx"]

_STAND_INS = ((13, 17), (11, 19))
"""Sizes of time and batch: the graph must be the same for both, or a constant depends on them."""
_MOST_NODES = 100_000
_DEEPEST = 50
"""Functions that may call each other in a row."""
_RECURRENT = ("LSTM", "GRU", "RNN")
_STRUCTURAL = {"Cast", "Concat", "Gather", "Identity", "Reshape", "Slice", "Split", "Squeeze", "Transpose", "Unsqueeze"}


@dataclass(frozen=True)
class OnnxImport:
    """What was read.

    graph: the network
    tensors: its tensors by the graph's names
    inputs: the data inputs as symbols, by ONNX's names
    outputs: the outputs as symbols, by ONNX's names
    states: inputs and outputs that hold states, which a stream keeps by itself
    lengths: the names of inputs that hold lengths, which sequences have by themselves
    """

    graph: Graph
    tensors: dict[str, NDArray[np.float32]]
    inputs: dict[str, Symbol]
    outputs: dict[str, Symbol]
    states: tuple[str, ...]
    lengths: tuple[str, ...]


def read_model(path: str | Path) -> "onnx.ModelProto":
    """Load a file, with weights in other files only from its own folder.

    Raises:
        BundleError: it isn't there, can't be read, or is damaged.
        MissingExtraError: the package onnx is not installed.
    """
    onnx = onnx_package()
    file = Path(path)
    try:
        model = onnx.load(str(file), load_external_data=False)
        for location in _external(model):
            if location != Path(location).name or not (file.parent / location).is_file():
                raise BundleError(f"{path}: weights must lie in the model's own folder; got {location!r:.100}")
        onnx.load_external_data_for_model(model, str(file.parent))
        if (nodes := _expanded(model)) > _MOST_NODES:
            raise BundleError(f"{path}: has {nodes} nodes; at most {_MOST_NODES} are read")
        if model.functions:
            model = onnx.inliner.inline_local_functions(model)
        onnx.checker.check_model(model)
    except InputError:
        raise
    except (OSError, ValueError, onnx.checker.ValidationError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise BundleError(f"{path}: can't be read as ONNX: {why[:300]}") from error
    except Exception as error:
        if type(error).__name__ != "DecodeError":  # of protobuf, which onnx does not export
            raise
        raise BundleError(f"{path}: is damaged or not ONNX: {error}") from error
    return model


def read_onnx(model: "onnx.ModelProto", *, batch_first: bool | None = None) -> OnnxImport:
    """Read a model as a graph.

    Args:
        model: as `read_model` returns it.
        batch_first: whether the inputs' first axis is the batch, and time the second; None to find out: a recurrent
            operator says which of its axes is time.

    Raises:
        ConfigError: the model holds what has no place in a graph; the message names the node, and what can stand there.
    """
    nodes = model.graph.node
    if not any(node.op_type in _RECURRENT for node in nodes):
        raise ConfigError(
            f"the model has no recurrent operator; expected one of {', '.join(_RECURRENT)} among its nodes"
        )
    errors: list[tuple[int, ConfigError]] = []
    for first in (True, False) if batch_first is None else (batch_first,):
        progress = [0]
        try:
            found, again = (_read(model, first, sizes, progress) for sizes in _STAND_INS)
            if found.graph != again.graph or not _equal(found.tensors, again.tensors):
                raise ConfigError("a constant of the model depends on the number of steps or sequences")
            return found
        except ConfigError as error:
            errors.append((progress[0], error))
    raise max(errors, key=lambda pair: pair[0])[1]


def _equal(first: dict[str, NDArray[np.float32]], second: dict[str, NDArray[np.float32]]) -> bool:
    return all(np.array_equal(first[name], second[name]) for name in first)


def _read(model: "onnx.ModelProto", batch_first: bool, stand_ins: tuple[int, int], progress: list[int]) -> OnnxImport:
    kinds = _kinds_of_inputs(model)
    symbols = {
        name: _input_symbol(each, name, batch_first, stand_ins)
        for name, each in _inputs(model).items()
        if kinds[name] == "data"
    }
    sizes = {name: _vocabulary(model, name) if symbol.ids else symbol.size for name, symbol in symbols.items()}
    builder = GraphBuilder({name: Value(sizes[name], ids=symbol.ids) for name, symbol in symbols.items()})
    reading = Reading(model, builder)
    reading.values |= dict(initializers(model.graph))
    reading.values |= symbols | {name: State(name) for name, kind in kinds.items() if kind != "data"}
    for node in model.graph.node:
        for name in node.input:
            reading.consumers.setdefault(name, []).append(node)
    for node in model.graph.node:
        if node.output[0] not in reading.values:
            with _named(node):
                values = [reading.values[name] for name in node.input if name]
                found: Any
                if all(isinstance(value, np.ndarray) for value in values) or node.op_type in ("Shape", "Size"):
                    found = evaluated(reading, node)
                elif all(isinstance(value, np.ndarray | State) for value in values) and node.op_type in _STRUCTURAL:
                    found = [State(name) for name in node.output]
                elif node.op_type in OPERATORS and node.domain in ("", "ai.onnx"):
                    found = OPERATORS[node.op_type](reading, node)
                else:
                    raise ConfigError(f"is not among the operators that are read: {', '.join(sorted(OPERATORS))}")
            reading.values |= dict(zip(node.output, found if isinstance(found, list) else [found], strict=False))
        progress[0] += 1
    return _finished(reading, symbols, kinds)


def _finished(reading: Reading, symbols: dict[str, Symbol], kinds: dict[str, str]) -> OnnxImport:
    """The import, whose outputs are those that are no states."""
    states = tuple(name for name, kind in kinds.items() if kind == "state")
    outputs: dict[str, Symbol] = {}
    kept: list[str] = []
    for each in reading.model.graph.output:
        value = reading.values.get(each.name)
        if isinstance(value, State) or (states and value is not None and _final(reading, each.name)):
            kept.append(each.name)
        elif isinstance(value, Symbol) and not value.ids:
            outputs[each.name] = value
        else:
            raise ConfigError(f"output {each.name!r} does not depend on the model's input")
    if not outputs:
        raise ConfigError("the model has no output but states")
    outputs = _named_as_outputs(reading, outputs, set(symbols))
    graph, tensors = reading.builder.build(*dict.fromkeys(symbol.name for symbol in outputs.values()))
    lengths = tuple(name for name, kind in kinds.items() if kind == "lengths")
    return OnnxImport(graph, tensors, symbols, outputs, (*states, *kept), lengths)


def _named_as_outputs(reading: Reading, outputs: dict[str, Symbol], inputs: set[str]) -> dict[str, Symbol]:
    """Give the values that leave the model ONNX's names, as far as these are plain and free."""
    names: dict[str, str] = {name: name for name in inputs}
    for output, symbol in outputs.items():
        if symbol.name not in names:
            names[symbol.name] = reading.builder.free(output) if output.isidentifier() else symbol.name
            if names[symbol.name] != symbol.name:
                reading.builder.rename(symbol.name, names[symbol.name])
    return {output: replace(symbol, name=names[symbol.name]) for output, symbol in outputs.items()}


def _final(reading: Reading, name: str) -> bool:
    """Whether a value is a final state, moved and reshaped at most."""
    producers = {output: node for node in reading.model.graph.node for output in node.output}
    node = producers.get(name)
    while node is not None and node.op_type in _STRUCTURAL:
        name = node.input[0]
        node = producers.get(name)
    return node is not None and node.op_type in _RECURRENT and name in node.output[1:]


def _inputs(model: "onnx.ModelProto") -> dict[str, Any]:
    constants = {each.name for each in model.graph.initializer}
    return {each.name: each for each in model.graph.input if each.name not in constants}


def _kinds_of_inputs(model: "onnx.ModelProto") -> dict[str, str]:
    """What each input is: "data", "state" if only recurrences read it as initial states, or "lengths"."""
    uses: dict[str, list[tuple[Any, int]]] = {}
    for node in model.graph.node:
        for place, name in enumerate(node.input):
            uses.setdefault(name, []).append((node, place))

    def roles(name: str) -> Iterator[str]:
        waiting = [name]
        while waiting:
            for node, place in uses.get(waiting.pop(), ()):
                if node.op_type in _RECURRENT and place >= 4:
                    yield "lengths" if place == 4 else "state"
                elif node.op_type in _STRUCTURAL and place == 0:
                    waiting += node.output
                elif node.op_type != "Shape":
                    yield "data"

    found = {name: set(roles(name)) for name in _inputs(model)}
    return {name: kinds.pop() if len(kinds) == 1 else "data" for name, kinds in found.items()}


def _input_symbol(described: Any, name: str, batch_first: bool, stand_ins: tuple[int, int]) -> Symbol:
    """The symbol of a data input: (batch, time, features) or (time, batch, features), ids without the last axis."""
    onnx = onnx_package()
    tensor = described.type.tensor_type
    sizes = [dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim]
    ids = tensor.elem_type in (onnx.TensorProto.INT32, onnx.TensorProto.INT64)
    if not ids and tensor.elem_type not in (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16):
        raise ConfigError(f"input {name!r} must hold numbers or ids; got type {tensor.elem_type}")
    rank = len(sizes) + ids
    if rank not in (2, 3) or (not ids and sizes[-1] is None):
        raise ConfigError(
            f"input {name!r} must be (batch, time, features), (time, batch, features) or (time, features), or such "
            f"ids; got the shape {tuple(sizes)}. Its number of features must be fixed."
        )
    axes: list[Axis] = [(Atom("time", sizes[0 if rank == 2 or not batch_first else 1] or stand_ins[0]),)]
    if rank == 3:
        batch = sizes[0 if batch_first else 1]
        axes.insert(0 if batch_first else 1, () if batch == 1 else (Atom("batch", batch or stand_ins[1]),))
    if ids:
        return Symbol(name, tuple(axes), ids=True)
    features = (feature(sizes[-1] or 0),)
    return Symbol(name, (*axes, features), features)


def _vocabulary(model: "onnx.ModelProto", name: str) -> int:
    """The number of rows of the table in which an input's ids are looked up."""
    tables = {each.name: each.dims for each in model.graph.initializer}
    names = [name]
    for node in model.graph.node:
        if node.op_type == "Gather" and node.input[1] in names and node.input[0] in tables:
            return int(tables[node.input[0]][0])
        if node.op_type in _STRUCTURAL and node.input[0] in names:
            names += node.output
    raise ConfigError(f"input {name!r} holds whole numbers, which no table looks up. Give it as numbers.")


@contextmanager
def _named(node: Any) -> Iterator[None]:
    """Say in an error which node it is about."""
    try:
        yield
    except ConfigError as error:
        where = f"node {node.name or node.output[0]!r} ({node.op_type})"
        raise ConfigError(f"{where}: {error}") from error


def _expanded(model: "onnx.ModelProto") -> int:
    """The nodes of a model once its functions are put in their places: each may call others twice, and so on."""
    functions = {(each.domain, each.name, each.overload): each for each in model.functions}
    found: dict[tuple[str, str, str], int] = {}

    def count(part: Any, above: tuple[tuple[str, str, str], ...]) -> int:
        total = 0
        for node in part.node:
            key = node.domain, node.op_type, node.overload
            if key in functions and key not in found:
                if key in above or len(above) == _DEEPEST:
                    raise ValueError(f"functions call each other in a circle, or more than {_DEEPEST} deep")
                found[key] = count(functions[key], (*above, key))
            within = (graph for each in node.attribute for graph in (each.g, *each.graphs))
            total += found.get(key, 1) + sum(count(graph, above) for graph in within)
        return total

    return count(model.graph, ())


def _external(model: "onnx.ModelProto") -> list[str]:
    """The files in which weights are."""
    tensors = [each for part in (model.graph, *model.functions) for each in _tensors(part)]
    return [entry.value for tensor in tensors for entry in tensor.external_data if entry.key == "location"]


def _tensors(part: Any) -> "Iterator[onnx.TensorProto]":
    """All tensors of a graph or function, those of its nodes and of graphs within too."""
    yield from getattr(part, "initializer", ())
    for attribute in (each for node in part.node for each in node.attribute):
        yield from (attribute.t, *attribute.tensors)
        for graph in (attribute.g, *attribute.graphs):
            yield from _tensors(graph)
