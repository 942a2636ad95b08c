"""Recurrent layers as ONNX nodes: LSTM, GRU and RNN where they have the cell, else a Scan over its equations."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.cells import Zoneout
from penstock.convert.exporting.onnx_arrays import BATCH, Traced
from penstock.convert.exporting.onnx_nodes import Nodes, onnx_package
from penstock.convert.exporting.onnx_steps import StateInput, Steps
from penstock.network import Recurrent, RecurrentLayers

__all__ = ["layer_stack", "write_recurrence"]

Tensors = Mapping[str, NDArray[Any]]

_GATES = {"rnn": (0,), "lstm": (0, 3, 1, 2), "gru": (1, 0, 2)}
"""Our gates in ONNX's order: input, output, forget, cell; update, reset, hidden."""
_PEEPHOLES = (0, 2, 1)


def write_recurrence(
    steps: Steps, name: str, operation: RecurrentLayers, tensors: Tensors, x: str, mask: str = ""
) -> str:
    """Write recurrent layers; x (time, batch, input) -> (time, batch, output)."""
    kept = steps.kept(mask)
    if operation.reverse:
        x, kept = steps.reversed(x), kept and steps.reversed(kept)
    spec, cell = operation.layers, operation.layers.declaration
    rows = spec.num_layers * (2 if spec.bidirectional else 1)
    sizes = cell.state_sizes(spec.hidden_size, **spec.options)
    states = [
        StateInput(f"{name}.{state}", (rows, None, size), _start(tensors.get(f"initial_{state}")))
        for state, size in zip(cell.states, sizes, strict=True)
    ]
    initial = [steps.state(each) if steps.streaming else _repeated(steps, each) for each in states]
    y, final = layer_stack(steps, name, spec, tensors, x, initial, kept if mask else "")
    if mask and operation.at_masked == "zero":
        y = steps.nodes.add("Where", kept, y, np.float32(0))
    if steps.streaming or not steps.portable:
        for state, value in zip(states, final, strict=True):
            steps.keep(state, value)
    return steps.reversed(y) if operation.reverse else y


def layer_stack(
    steps: Steps, name: str, spec: Recurrent, tensors: Tensors, x: str, initial: list[str], kept: str = ""
) -> tuple[str, list[str]]:
    """Write a stack of layers from initial states (layers * directions, batch, size) to the final ones.

    With `kept` (time, batch, 1), a step where it is false is not read: its output is that of the last step read.
    """
    directions = ("", "_reverse") if spec.bidirectional else ("",)
    pieces = [_split(steps.nodes, each, spec.num_layers, len(directions)) for each in initial]
    finals: list[list[str]] = [[] for _ in initial]
    for layer in range(spec.num_layers):
        start = [piece[layer] for piece in pieces]
        parameters = [_of_layer(tensors, f"_l{layer}{direction}") for direction in directions]
        where = f"{name}.layer{layer}"
        x, found = _layer(steps, where, spec, parameters, x, start, kept)
        for final, value in zip(finals, found, strict=True):
            final.append(value)
    return x, [steps.nodes.add("Concat", *each, axis=0) if len(each) > 1 else each[0] for each in finals]


def _layer(
    steps: Steps, name: str, spec: Recurrent, parameters: Sequence[Tensors], x: str, initial: list[str], kept: str
) -> tuple[str, list[str]]:
    """Write one layer in its directions; initial and final states (directions, batch, size)."""
    beyond = spec.options.get("proj_size") or spec.options.get("zoneout")
    known = spec.cell in _GATES and not beyond and not kept
    if known and steps.portable and spec.options.get("peephole"):
        known = False
    if known and (len(parameters) == 1 or not steps.portable):
        return _operator(steps, name, spec, parameters, x, initial)
    outputs, finals = [], []
    for number, own in enumerate(parameters):
        start = [_split(steps.nodes, each, len(parameters), 1)[number] for each in initial]
        read = steps.reversed(x) if number else x
        where = f"{name}{'_reverse' * number}"
        if known:
            y, final = _operator(steps, where, spec, [own], read, start)
        else:
            valid = kept or steps.valid
            valid = steps.reversed(valid) if number and kept else valid
            y, final = _scan(steps, where, spec, own, read, start, valid)
        outputs.append(steps.reversed(y) if number else y)
        finals.append(final)
    if len(outputs) == 1:
        return outputs[0], finals[0]
    joined = [steps.nodes.add("Concat", *each, axis=0) for each in zip(*finals, strict=True)]
    return steps.nodes.add("Concat", *outputs, axis=2), joined


def _operator(
    steps: Steps, name: str, spec: Recurrent, parameters: Sequence[Tensors], x: str, initial: list[str]
) -> tuple[str, list[str]]:
    """Write a layer as a node of its own; directions after the first read from the end."""
    nodes, order = steps.nodes, _GATES[spec.cell]

    def stacked(name_of: str, tensor: str) -> str:
        return nodes.constant(np.stack([_ordered(each[tensor], order) for each in parameters]), f"{name}.{name_of}")

    bias = None
    if spec.bias:
        joined = [np.concatenate([_ordered(own[each], order) for each in _BIASES]) for own in parameters]
        bias = nodes.constant(np.stack(joined), f"{name}.B")
    use_lengths = steps.lengths and not steps.portable
    lengths = nodes.add("Cast", steps.lengths, to=onnx_package().TensorProto.INT32) if use_lengths else None
    inputs: list[Any] = [x, stacked("W", "weight_ih"), stacked("R", "weight_hh"), bias, lengths, *initial]
    if spec.options.get("peephole"):
        peepholes = [own["weight_ch"][list(_PEEPHOLES)].ravel() for own in parameters]
        inputs.append(nodes.constant(np.stack(peepholes), f"{name}.P"))
    y, *final = nodes.several(spec.cell.upper(), inputs, 1 + len(initial), **_attributes(spec, len(parameters)))
    if use_lengths:  # ONNX says nothing of the final states of an empty sequence
        some = nodes.add("Unsqueeze", nodes.add("Greater", steps.lengths, np.int64(0)), np.array([0, 2]))
        final = [nodes.add("Where", some, each, start) for each, start in zip(final, initial, strict=True)]
    if len(parameters) == 1:
        return nodes.add("Squeeze", y, np.array([1])), final
    side_by_side = nodes.add("Transpose", y, perm=[0, 2, 1, 3])
    return nodes.add("Reshape", side_by_side, np.array([0, 0, -1])), final


def _scan(
    steps: Steps, name: str, spec: Recurrent, own: Tensors, x: str, initial: list[str], valid: str
) -> tuple[str, list[str]]:
    """Write one direction of a layer as a loop over the cell's equations, forward.

    Where `valid` (time, batch, 1) is false, states and output stay as they are.
    """
    helper, types = onnx_package().helper, onnx_package().TensorProto
    cell, body = spec.declaration, Nodes(name)
    width = own["weight_ih"].shape[1]
    sizes = cell.state_sizes(spec.hidden_size, **spec.options)
    before = [Traced(body, f"{name}.{state}", (BATCH, size)) for state, size in zip(cell.states, sizes, strict=True)]
    after = cell.step(Traced(body, f"{name}.x", (BATCH, width)), tuple(before), own, **spec.options)
    if shares := cell.zoneout(spec.options):
        after = Zoneout(shares)(tuple(before), after)
    scanned, inputs = [x], [(f"{name}.x", types.FLOAT, width)]
    kept = [each.name for each in after]
    if valid:
        scanned.append(valid)
        inputs.append((f"{name}.valid", types.BOOL, 1))
        kept = [body.add("Where", f"{name}.valid", new.name, old.name) for new, old in zip(after, before, strict=True)]
    outputs = [body.free(each) for each in (*cell.states, "y")]
    for value, output in zip([*kept, kept[0]], outputs, strict=True):
        body.named(value, output)
    batch = steps.nodes.free("batch")  # another one in each loop: a forecaster's second one has more rows
    stated = [(each.name, types.FLOAT, size) for each, size in zip(before, sizes, strict=True)]
    graph = body.graph(
        name,
        [helper.make_tensor_value_info(key, kind, [batch, size]) for key, kind, size in stated + inputs],
        [
            helper.make_tensor_value_info(key, types.FLOAT, [batch, size])
            for key, size in zip(outputs, [*sizes, sizes[0]], strict=True)
        ],
    )
    flat = [steps.nodes.add("Squeeze", each, np.array([0])) for each in initial]
    steps.nodes.read += body.read
    results = len(flat) + 1
    *final, y = steps.nodes.several("Scan", [*flat, *scanned], results, body=graph, num_scan_inputs=len(scanned))
    return y, [steps.nodes.add("Unsqueeze", each, np.array([0])) for each in final]


_BIASES = ("bias_ih", "bias_hh")


def _attributes(spec: Recurrent, directions: int) -> dict[str, Any]:
    found: dict[str, Any] = {"hidden_size": spec.hidden_size}
    if directions == 2:
        found["direction"] = "bidirectional"
    if spec.cell == "gru":
        found["linear_before_reset"] = int(spec.options["reset_after"])
    if spec.cell == "rnn":
        found["activations"] = [spec.options["nonlinearity"].capitalize()] * directions
    return found


def _ordered(parameter: NDArray[Any], order: tuple[int, ...]) -> NDArray[Any]:
    """Blocks of rows in another order."""
    blocks = np.split(parameter, len(order))
    return np.concatenate([blocks[block] for block in order])


def _of_layer(tensors: Tensors, suffix: str) -> dict[str, NDArray[Any]]:
    return {name.removesuffix(suffix): array for name, array in tensors.items() if name.endswith(suffix)}


def _start(initial: NDArray[Any] | None) -> NDArray[np.float32] | None:
    """An initial state (rows, size) as (rows, 1, size)."""
    return None if initial is None else np.asarray(initial, np.float32)[:, None]


def _repeated(steps: Steps, state: StateInput) -> str:
    """The start of a state for each sequence, (rows, batch, size)."""
    rows, _, size = state.shape
    assert rows is not None
    assert size is not None
    start = np.zeros((1, 1, 1), np.float32) if state.start is None else state.start
    shape = steps.nodes.add("Concat", np.array([rows]), steps.batch, np.array([size]), axis=0)
    return steps.nodes.add("Expand", start, shape)


def _split(nodes: Nodes, states: str, parts: int, rows: int) -> list[str]:
    """States (parts * rows, batch, size) in parts of `rows`."""
    if parts == 1:
        return [states]
    return nodes.several("Split", [states, np.full(parts, rows)], parts, axis=0)
