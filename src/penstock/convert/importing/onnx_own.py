"""ONNX files that Penstock wrote: their metadata hold the graph, and where its tensors are among the constants."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from penstock.convert.exporting.onnx_pieces import assembled
from penstock.convert.exporting.onnx_steps import StateInput
from penstock.convert.exporting.verification import states_of
from penstock.convert.importing.onnx_reading import initializers
from penstock.errors import BundleError, ConfigError, ShapeError
from penstock.network import Graph, Recurrent, RecurrentLayers
from penstock.runtime.layouts import Conventions, parameters_of

if TYPE_CHECKING:
    import onnx

__all__ = ["own_graph"]

Tensors = dict[str, NDArray[np.float32]]


def own_graph(model: "onnx.ModelProto") -> tuple[Graph, Tensors] | None:
    """Return the graph of a file that Penstock wrote and its tensors; None for other files.

    Raises:
        ConfigError: a forecaster with a look-back, or weights that were changed since, such as int8 ones.
        BundleError: the description is damaged.
    """
    about = {each.key: each.value for each in model.metadata_props}
    if not {"penstock", "form"} <= about.keys():
        return None
    if about["form"] == "window":
        raise ConfigError(
            "a forecaster with a look-back has operations that no imported network has: its windows and scales. "
            "Load the bundle that it was exported from."
        )
    if "graph" not in about:
        return None
    constants, states = dict(_constants(model.graph)), states_of(model)
    try:
        graph, pieces = Graph.from_json(json.loads(about["graph"])), json.loads(about["pieces"])
    except (KeyError, ValueError, RecursionError, ConfigError) as error:
        raise BundleError(f"the description of the network in the file's metadata is damaged: {error}") from error
    tensors: Tensors = {}
    for node in graph.nodes:
        known = _of_operators(node.name, node.operation, constants) | _of_states(node.name, states)
        for name, shape in node.operation.parameter_shapes().items():
            place = f"{node.name}.{name}"
            try:
                tensors[place] = known[name] if name in known else assembled(tuple(shape), pieces[place], constants)
            except (KeyError, TypeError, ValueError) as error:
                raise ConfigError(
                    f"the weights {place!r} are not as Penstock wrote them ({error}), as after a change to int8. "
                    "Import the float32 file, or load the bundle that it was exported from."
                ) from error
    return graph, tensors


def _constants(graph: Any) -> Iterator[tuple[str, NDArray[Any]]]:
    """All constants by name, those of loops too, whose names are their own."""
    yield from initializers(graph)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _constants(attribute.g)


def _of_operators(name: str, operation: Any, constants: Mapping[str, NDArray[Any]]) -> Tensors:
    """The parameters of the layers that are an operator LSTM, GRU or RNN, which has its own order of gates."""
    if not isinstance(operation, RecurrentLayers):
        return {}
    spec, found = operation.layers, Tensors()
    for layer in range(spec.num_layers):
        place = f"{name}.layer{layer}"
        arrays = {part: constants[f"{place}.{part}"] for part in "WRBP" if f"{place}.{part}" in constants}
        if {"W", "R"} <= arrays.keys():
            for key, array in _parameters(arrays, spec).items():
                found[key.replace("_l0", f"_l{layer}")] = array
    return found


def _of_states(name: str, states: Iterable[StateInput]) -> Tensors:
    """The initial states of a layer, which a stream's caller gives."""
    return {
        f"initial_{each.name.removeprefix(f'{name}.')}": each.start[:, 0]
        for each in states
        if each.start is not None and each.name.startswith(f"{name}.")
    }


def _parameters(arrays: Mapping[str, NDArray[Any]], spec: Recurrent) -> Tensors:
    conventions = Conventions(reset_after=spec.options["reset_after"] if spec.cell == "gru" else None)
    try:
        return parameters_of([arrays], spec.cell, "onnx", conventions)[0]
    except (ConfigError, ShapeError):
        return {}  # weights that were changed: the caller says which
