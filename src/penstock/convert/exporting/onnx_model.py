"""A graph as an ONNX model: whole sequences, or a stream whose states are inputs and outputs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from penstock.convert.exporting.exported import NamedGraph
from penstock.convert.exporting.onnx_nodes import Nodes, onnx_package
from penstock.convert.exporting.onnx_operations import WRITERS
from penstock.convert.exporting.onnx_pieces import pieces_of
from penstock.convert.exporting.onnx_steps import StateInput, Steps
from penstock.errors import ConfigError

__all__ = ["OPSET", "OPSETS", "Form", "checked_opset", "onnx_model", "proto"]

OPSET = 18
"""The opset by default: ONNX Runtime from 1.14 on reads it."""
OPSETS = range(18, 24)
LENGTHS = "lengths"


@dataclass(frozen=True)
class Form:
    """Which form of a network a file holds.

    Attributes:
        streaming: whether states are inputs and outputs, so that a call goes on where the one before ended.
        portable: whether it is for runtimes that ignore sequence_lens and peepholes; see `Steps`.
        opset: the version of ONNX's operators.
    """

    streaming: bool = False
    portable: bool = False
    opset: int = OPSET

    @property
    def lengths(self) -> bool:
        """Whether the steps of each sequence are an input."""
        return not (self.streaming and self.portable)


def onnx_model(exported: NamedGraph, form: Form) -> Any:
    """Return the ModelProto of a network.

    Its inputs are those of the graph, (batch, time, size) or ids (batch, time), `lengths` (batch,), and in a stream
    the states. Its outputs are those of the graph, and the final states, called `<state>_after`. The metadata hold the
    graph and where its tensors are among the constants, so that `from_onnx` reads it back.

    Raises:
        ConfigError: a stream of a network that reads backward, or an operation that has no ONNX form.
        MissingExtraError: onnx isn't installed.
    """
    graph = exported.graph
    if form.streaming and graph.backward:
        raise ConfigError(
            f"{', '.join(graph.backward)} read each sequence from its end too, so there is no streaming form. "
            "Export whole sequences, or train with bidirectional=False."
        )
    if LENGTHS in graph.values:
        raise ConfigError(f"a value of the network is called {LENGTHS!r}, as the input with the steps is. Rename it.")
    nodes = Nodes()
    steps = _steps(nodes, exported, form)
    values = {
        name: nodes.add("Transpose", name, perm=[1, 0] if value.ids else [1, 0, 2])
        for name, value in graph.inputs.items()
    }
    steps.ids.update(values[name] for name, value in graph.inputs.items() if value.ids)
    for node in graph.nodes:
        if node.operation.kind not in WRITERS:
            raise ConfigError(f"{node.name}: the operation {node.operation.kind!r} has no ONNX form in WRITERS yet")
        names = node.operation.parameter_shapes()
        tensors = {name: exported.tensors[f"{node.name}.{name}"] for name in names}
        read = [values[name] for name in node.inputs]
        values[node.name] = WRITERS[node.operation.kind](steps, node.name, node.operation, tensors, *read)
    outputs = _outputs(steps, exported, values)
    described = {each.name: _described(each) for each in steps.states}
    about = {**exported.about, "form": "stream" if form.streaming else "whole"}
    about |= {"states": json.dumps(described)} if described else {}
    about |= {"graph": json.dumps(graph.to_json()), "pieces": json.dumps(pieces_of(exported.tensors, nodes.read))}
    return proto(nodes, _inputs(steps, exported, form), outputs, about, form.opset)


def proto(nodes: Nodes, inputs: list[Any], outputs: list[Any], about: Mapping[str, str], opset: int) -> Any:
    """Return a checked ModelProto."""
    onnx = onnx_package()
    opsets = [onnx.helper.make_opsetid("", opset)]
    made = onnx.helper.make_model(
        nodes.graph("penstock", inputs, outputs, about.get("note", "")),
        opset_imports=opsets,
        ir_version=onnx.helper.find_min_ir_version_for(opsets),
        producer_name="penstock",
        producer_version=about["penstock"],
    )
    onnx.helper.set_model_props(made, dict(about))
    onnx.checker.check_model(made, full_check=True)
    return made


def checked_opset(opset: int) -> int:
    """Return an opset that can be written; ConfigError for others."""
    if opset not in OPSETS:
        raise ConfigError(f"opset must be a whole number from {OPSETS[0]} to {OPSETS[-1]}; got {opset!r}")
    return opset


def _steps(nodes: Nodes, exported: NamedGraph, form: Form) -> Steps:
    first = next(iter(exported.graph.inputs))
    shape = nodes.add("Shape", first)
    batch, time = (nodes.add("Slice", shape, np.array([axis]), np.array([axis + 1])) for axis in (0, 1))
    lengths = LENGTHS if form.lengths else ""
    return Steps(nodes, lengths, form.streaming, form.portable, batch, time, values=exported.graph.values)


def _inputs(steps: Steps, exported: NamedGraph, form: Form) -> list[Any]:
    helper, types = onnx_package().helper, onnx_package().TensorProto
    found = [
        helper.make_tensor_value_info(
            name, types.INT64 if value.ids else types.FLOAT, ["batch", "time", *([] if value.ids else [value.size])]
        )
        for name, value in exported.graph.inputs.items()
    ]
    if form.lengths:
        found.append(helper.make_tensor_value_info(LENGTHS, types.INT64, ["batch"]))
    return found + [_state_info(each.name, each) for each in steps.states]


def _outputs(steps: Steps, exported: NamedGraph, values: Mapping[str, str]) -> list[Any]:
    helper, types = onnx_package().helper, onnx_package().TensorProto
    found = []
    for name in exported.graph.outputs:
        value, output = exported.graph.values[name], name if name not in exported.graph.inputs else f"{name}_output"
        if value.steps:
            steps.nodes.several("Transpose", [values[name]], 1, names={0: output}, perm=[1, 0, 2])
        else:
            steps.nodes.named(values[name], output)
        shape = ["batch", *(["time"] if value.steps else []), value.size]
        found.append(helper.make_tensor_value_info(output, types.FLOAT, shape))
    for name, (value_name, state) in steps.after.items():
        steps.nodes.named(value_name, name)
        found.append(_state_info(name, state))
    return found


def _state_info(name: str, state: StateInput) -> Any:
    onnx = onnx_package()
    shape = ["batch" if size is None else size for size in state.shape]
    return onnx.helper.make_tensor_value_info(name, onnx.helper.np_dtype_to_tensor_dtype(np.dtype(state.dtype)), shape)


def _described(state: StateInput) -> dict[str, Any]:
    """A state in the metadata: its axes, with null for the batch, and its start, 0 or an array that broadcasts."""
    start = 0 if state.start is None else state.start.tolist()
    return {"shape": list(state.shape), "dtype": np.dtype(state.dtype).name, "start": start}
