"""A model of Keras as a graph: its layers in the order in which results need them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.convert.importing.keras_file import Weights
from penstock.convert.importing.keras_layers import LAYERS, NEAREST, Building, Flow, refused
from penstock.convert.importing.keras_recurrent import RECURRENT
from penstock.errors import ConfigError, InputError
from penstock.network import Graph, GraphBuilder, Value

__all__ = ["KerasGraph", "keras_graph"]

Described = Mapping[str, Any]
_MODELS = ("Sequential", "Functional", "Model")


@dataclass(frozen=True)
class KerasGraph:
    """A graph made of a model of Keras.

    Attributes:
        graph, tensors: as `GraphBuilder.build` makes them.
        lengths: the number of steps of each input where Keras fixed it, else None.
        notes: what the user should know.
    """

    graph: Graph
    tensors: dict[str, NDArray[np.float32]]
    lengths: dict[str, int | None]
    notes: list[str]


def keras_graph(
    described: Described, weights: Weights, version: str, start: str | None, stop: str | None
) -> KerasGraph:
    """Make the graph of a model.

    Args:
        described: {"class_name": ..., "config": ...}.
        weights: its arrays.
        version: Keras' version.
        start: the first layer to import, whose input becomes the graph's; None for the model's own.
        stop: the last layer to import; None for the model's own.

    Raises:
        ConfigError: a layer or option can't come in; the message names it and what comes nearest.
    """
    kind = str(described.get("class_name"))
    if kind not in _MODELS:
        raise refused(f"a model of class {kind!r:.60}", "the model", "Sequential and functional models come in")
    return _Reading(_Topology(described, start, stop), weights, version).graph()


class _Topology:
    """Which layers a model has, and which results each reads: Sequential and functional models alike."""

    def __init__(self, described: Described, start: str | None = None, stop: str | None = None) -> None:
        config = described["config"]
        sequential = described["class_name"] == "Sequential"
        self.listed = list(config["layers"] if isinstance(config, Mapping) else config)
        self.layers = {_name(layer): layer for layer in self.listed}
        for option, name in (("start", start), ("stop", stop)):
            if name is not None and name not in self.layers:
                raise ConfigError(f"{option}={name!r}: there is no such layer; there are {', '.join(self.layers)}")
        self.start = start
        self.reads = _chain(self.listed) if sequential else _functional(self.layers)
        names = list(self.layers)
        if stop is not None:
            self.outputs = [(stop, 0, 0)]
        else:
            self.outputs = [(names[-1], 0, 0)] if sequential else _histories(config["output_layers"])
        if sequential:
            first = names[0]
            self.inputs = [first if self.layers[first]["class_name"] == "InputLayer" else ""]
        else:
            self.inputs = [name for name, _, _ in _histories(config["input_layers"])]

    def readers(self, name: str) -> list[Described]:
        """The layers that read a layer's result, without the operations of masks."""
        return [
            self.layers[layer]
            for layer, calls in self.reads.items()
            if any(source == name for call in calls for source, _, _ in call) and not _makes_masks(self.layers[layer])
        ]


History = tuple[str, int, int]
"""A result: the layer's name, which of its calls, which of the call's results."""


def _chain(listed: Sequence[Described]) -> dict[str, list[list[History]]]:
    reads: dict[str, list[list[History]]] = {}
    before = ""
    for layer in listed:
        reads[_name(layer)] = [] if layer["class_name"] == "InputLayer" else [[(before, 0, 0)]]
        before = _name(layer)
    return reads


def _functional(layers: Mapping[str, Described]) -> dict[str, list[list[History]]]:
    reads = {}
    for name, layer in layers.items():
        calls = [list(_call(node, name, layers)) for node in layer.get("inbound_nodes") or []]
        reads[name] = [call for call in calls if call]
    return reads


def _call(node: Any, name: str, layers: Mapping[str, Described]) -> Iterator[History]:
    """What one call of a layer reads: {"args": ..., "kwargs": ...} in Keras 3, before it [[name, call, result, {}]]."""
    if isinstance(node, Mapping):
        yield from _tensors(node.get("args"))
        for option, value in (node.get("kwargs") or {}).items():
            given = list(_tensors(value))
            # Keras 3 writes masks that it made itself as operations; those come from the layers here too.
            own = option == "mask" and all(_makes_masks(layers[each]) for each, _, _ in given)
            if given and not own:
                raise refused(f"{option}= from another layer", name, "import encoder and decoder apart: start=, stop=")
        return
    for source in [node] if node and isinstance(node[0], str) else node:
        yield (str(source[0]), int(source[1]), int(source[2]))
        if len(source) > 3 and list(_tensors([value for key, value in source[3].items() if key != "training"])):
            raise refused("arguments from another layer", name, "import encoder and decoder apart: start=, stop=")


def _makes_masks(layer: Described) -> bool:
    return layer["class_name"] in (
        "Any",
        "Concatenate",
        "ExpandDims",
        "LogicalOr",
        "NotEqual",
        "Squeeze",
        "Where",
    ) and ("ops" in str(layer.get("module", "ops")))


def _tensors(part: Any) -> Iterator[History]:
    if isinstance(part, Mapping):
        if part.get("class_name") == "__keras_tensor__":
            name, call, result = part["config"]["keras_history"]
            yield (str(name), int(call), int(result))
        else:
            for value in part.values():
                yield from _tensors(value)
    elif isinstance(part, list):
        if len(part) >= 3 and isinstance(part[0], str) and all(isinstance(each, int) for each in part[1:3]):
            yield (part[0], part[1], part[2])  # Keras 2's spelling of a tensor among arguments
            return
        for value in part:
            yield from _tensors(value)


def _histories(part: Any) -> list[History]:
    """The results that a model's input_layers or output_layers name: one, a list, or a mapping."""
    if isinstance(part, Mapping):
        part = list(part.values())
    if part and isinstance(part[0], str):
        part = [part]
    return [(str(name), int(call), int(result)) for name, call, result in part]


class _Reading:
    """Reads a model's results one after the other, each with what it needs."""

    def __init__(self, topology: _Topology, weights: Weights, version: str) -> None:
        self._topology, self._version = topology, 2 if version.startswith(("1", "2")) else 3
        self._stored = weights.layers(topology.listed)
        self.lengths: dict[str, int | None] = {}
        self._flows: dict[History, Flow] = {}

    def graph(self) -> KerasGraph:
        inputs = self._inputs()
        to = Building(GraphBuilder(inputs), self._version)
        found = [self._flow(to, each) for each in self._topology.outputs]
        outputs: list[str] = []
        for (layer, _, _), flow in zip(self._topology.outputs, list(found), strict=True):
            if flow.name in inputs or outputs.count(flow.name):
                raise refused("an output that is an input, or stands twice", layer)
            new = to.builder.free(layer)
            to.builder.rename(flow.name, new)
            outputs.append(new)
            found = [each._replace(name=new) if each.name == flow.name else each for each in found]
        graph, tensors = to.builder.build(*outputs)
        return KerasGraph(graph, tensors, self.lengths, to.notes)

    def _inputs(self) -> dict[str, Value]:
        """What is known of the graph's inputs; they become the first flows."""
        topology, values = self._topology, dict[str, Value]()
        if topology.start is not None:
            name = "input"
            sources = topology.reads[topology.start]
            if len(sources) != 1 or len(sources[0]) != 1:
                raise ConfigError(f"start={topology.start!r}: a part must begin with a layer of one input")
            values[name] = self._value_read_by(topology.layers[topology.start])
            self._flows[sources[0][0]], self.lengths[name] = Flow(name), None
            return values
        needed = self._needed()
        for layer in topology.inputs:
            name = layer or "input"
            if layer in needed:
                values[name] = self._input(layer, name)
                self._flows[(layer, 0, 0)] = Flow(name)
        return values

    def _needed(self) -> set[str]:
        found, left = set[str](), [name for name, _, _ in self._topology.outputs]
        while left:
            if (name := left.pop()) not in found:
                found.add(name)
                left += [source for call in self._topology.reads.get(name, []) for source, _, _ in call]
        return found

    def _input(self, layer: str, name: str) -> Value:
        described = self._topology.layers[layer] if layer else self._topology.listed[0]
        config = described["config"]
        shape = config.get("batch_shape", config.get("batch_input_shape")) or (
            described.get("build_config", {}).get("input_shape")
        )
        if not isinstance(shape, list | tuple) or len(shape) < 2:
            raise refused("an input without a shape", name)
        readers = [described] if not layer else self._topology.readers(layer)
        tables = {int(reader["config"]["input_dim"]) for reader in readers if reader["class_name"] == "Embedding"}
        self.lengths[name] = shape[1]
        if len(shape) == 2 and len(tables) == 1 and all(reader["class_name"] == "Embedding" for reader in readers):
            return Value(tables.pop(), ids=True)
        if len(shape) != 3 or shape[2] is None or tables:
            raise refused(
                f"an input of shape {tuple(shape)}",
                name,
                "sequences of numbers (time, size), and of ids for one Embedding, come in; or a part: start=, stop=",
            )
        return Value(int(shape[2]))

    def _value_read_by(self, layer: Described) -> Value:
        """What a layer reads, by its weights."""
        kind, inner = str(layer["class_name"]), layer
        if kind in ("Bidirectional", "TimeDistributed"):
            inner = layer["config"]["layer"]
        arrays = self._arrays(layer)
        if kind == "Embedding":
            return Value(len(arrays[0]), ids=True)
        if not arrays or inner["class_name"] not in RECURRENT | {"Dense", "BatchNormalization"}:
            raise ConfigError(
                f"start={_name(layer)!r}: the size of its input is unknown. "
                "Start with a Dense, Embedding or recurrent layer."
            )
        return Value(len(arrays[0]))

    def _flow(self, to: Building, wanted: History) -> Flow:
        """The value of a result; what it needs first. Not by recursion alone: long chains would be too deep."""
        left = [wanted]
        while left:
            history = left[-1]
            if history in self._flows:
                left.pop()
            elif missing := [each for each in self._sources(history) if each not in self._flows]:
                if len(left) > 10_000:
                    raise refused("a circle of layers", history[0])
                left += missing
            else:
                self._read(to, history)
                if history not in self._flows:
                    raise refused(f"result number {history[2]} (a cell's state)", history[0], "the outputs come in")
        return self._flows[wanted]

    def _sources(self, history: History) -> list[History]:
        calls = self._topology.reads.get(history[0], [])
        if not calls:
            raise refused("an input that the model does not declare", history[0] or "the model")
        return calls[history[1] if history[1] < len(calls) else 0]

    def _read(self, to: Building, history: History) -> None:
        """Add a layer's call to the graph."""
        name, call, _ = history
        layer = self._topology.layers[name]
        to.layer = name
        inputs = [self._flows[each] for each in self._sources(history)]
        for number, flow in enumerate(self._results(to, layer, inputs)):
            self._flows[(name, call, number)] = flow

    def _results(self, to: Building, layer: Described, inputs: Sequence[Flow]) -> Sequence[Flow]:
        kind, config = str(layer["class_name"]), layer["config"]
        if kind in _MODELS:
            return self._nested(to, layer, inputs)
        custom = layer.get("registered_name") not in (None, kind) or "." in kind or ">" in kind
        if custom or kind not in LAYERS:
            reason = NEAREST.get(kind, f"layers that come in: {', '.join(sorted(LAYERS))}; or a part: start=, stop=")
            raise refused(f"{'the custom' if custom else 'the'} layer {kind!r:.60}", to.layer, reason)
        try:
            return LAYERS[kind](to, config, self._arrays(layer), inputs)
        except InputError:
            raise
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise refused(f"{kind} with these options and weights ({error})", to.layer) from error

    def _nested(self, to: Building, layer: Described, inputs: Sequence[Flow]) -> Sequence[Flow]:
        """A model inside the model: its inputs are values of the outer graph."""
        inner = _Topology(layer)
        reading = _Reading(inner, self._weights(layer), f"{self._version}")
        if len(inner.inputs) != len(inputs):
            raise refused(f"a model called with {len(inputs)} inputs", to.layer)
        reading._flows = {(name, 0, 0): flow for name, flow in zip(inner.inputs, inputs, strict=True)}
        outer = to.layer
        found = [reading._flow(to, each) for each in inner.outputs]
        to.layer = outer
        return found

    def _weights(self, layer: Described) -> Weights:
        found = self._stored.get(_name(layer))
        if found is None:
            raise ConfigError(f"{_name(layer)}: the file holds no weights for this layer")
        return found

    def _arrays(self, layer: Described) -> list[NDArray[Any]]:
        found = self._stored.get(_name(layer))
        return [] if found is None else found.arrays()


def _name(layer: Described) -> str:
    return str(layer.get("name") or layer["config"].get("name", ""))
