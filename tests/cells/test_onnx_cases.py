"""The ONNX project's own test cases for RNN, LSTM and GRU, and its reference code at random weights.

ONNX orders the gates of an LSTM i o f c, of a GRU z r h, and gives peepholes as one row i o f; our order is
PyTorch's.
"""

from typing import Any

import numpy as np
import onnx
import onnx.backend.test.case.node as onnx_cases
import pytest
from onnx.backend.test.case.node import gru, lstm, rnn

from penstock.cells import find, sweep

INPUTS = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")
ONNX_GATES = {
    "rnn": ("hidden",),
    "lstm": ("input", "output", "forget", "cell"),
    "gru": ("update", "reset", "candidate"),
}
ONNX_PEEPHOLES = ("input", "output", "forget")

CASES = [
    case
    for case in onnx_cases._NodeTestCases
    if case.model is not None and case.model.graph.node[0].op_type in ("RNN", "LSTM", "GRU")
]


def _reordered(rows: np.ndarray, given: tuple[str, ...], wanted: tuple[str, ...]) -> np.ndarray:
    """Blocks of rows, one for each of the `given` names, in the order `wanted`."""
    blocks = dict(zip(given, np.split(rows, len(given)), strict=True))
    return np.concatenate([blocks[name] for name in wanted])


def _parameters(name: str, inputs: dict[str, np.ndarray], direction: int) -> dict[str, np.ndarray]:
    """One direction of ONNX's W, R, B, P under our names and in our order."""
    own = {"weight_ih": inputs["W"][direction], "weight_hh": inputs["R"][direction]}
    if "B" in inputs:
        own["bias_ih"], own["bias_hh"] = np.split(inputs["B"][direction], 2)
    own = {key: _reordered(rows, ONNX_GATES[name], find(name).gates) for key, rows in own.items()}
    if "P" in inputs:
        rows = _reordered(inputs["P"][direction], ONNX_PEEPHOLES, ("input", "forget", "output"))
        own["weight_ch"] = rows.reshape(3, -1)
    return own


def _options(name: str, inputs: dict[str, np.ndarray], attributes: dict[str, Any]) -> dict[str, Any]:
    return {
        "rnn": {},
        "lstm": {"peephole": "P" in inputs},
        "gru": {"reset_after": bool(attributes.get("linear_before_reset", 0))},
    }[name]


def _run(name: str, inputs: dict[str, np.ndarray], attributes: dict[str, Any]) -> dict[str, np.ndarray]:
    """ONNX's inputs through our sweeps to ONNX's outputs Y (time, directions, batch, hidden), Y_h and Y_c."""
    cell, batchwise = find(name), attributes.get("layout", 0) == 1
    x = inputs["X"].swapaxes(0, 1) if batchwise else inputs["X"]
    given = [inputs[f"initial_{state}"] for state in cell.states if f"initial_{state}" in inputs]
    given = [state.swapaxes(0, 1) for state in given] if batchwise else given
    outputs, finals = [], []
    for direction in range(inputs["W"].shape[0]):
        y, final = sweep(
            cell,
            x,
            tuple(state[direction] for state in given) or None,
            _parameters(name, inputs, direction),
            inputs.get("sequence_lens"),
            reverse=attributes.get("direction") == b"reverse" or direction == 1,
            **_options(name, inputs, attributes),
        )
        outputs.append(y)
        finals.append(final)
    y, final = np.stack(outputs, axis=1), [np.stack(states) for states in zip(*finals, strict=True)]
    if batchwise:
        y, final = y.transpose(2, 0, 1, 3), [state.swapaxes(0, 1) for state in final]
    return {"Y": y} | {f"Y_{state}": value for state, value in zip(cell.states, final, strict=True)}


def test_cases_are_all_there():
    names = [case.name for case in CASES]
    assert len(names) == len(set(names)) >= 15
    for part in ("peepholes", "initial_bias", "seq_length", "batchwise"):
        assert any(part in name for name in names), part


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_case_of_the_onnx_project(case):
    node = case.model.graph.node[0]
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    named = [n for n, given in zip(INPUTS, node.input, strict=False) if given]
    for values, outputs in case.data_sets:
        got = _run(node.op_type.lower(), dict(zip(named, values, strict=True)), attributes)
        wanted = [name for name in ("Y", "Y_h", "Y_c") if name in node.output]
        assert len(wanted) == len(outputs)
        for name, expected in zip(wanted, outputs, strict=True):
            # Both sides are float32.
            np.testing.assert_allclose(got[name], expected, rtol=1e-5, atol=1e-6)


# The cases above hold equal weights for all gates; random ones tell the gates apart.
@pytest.mark.parametrize(
    ("name", "helper", "attributes"),
    [
        ("rnn", rnn.RNNHelper, {}),
        ("lstm", lstm.LSTMHelper, {}),
        ("gru", gru.GRUHelper, {"linear_before_reset": 0}),
        ("gru", gru.GRUHelper, {"linear_before_reset": 1}),
    ],
    ids=["rnn", "lstm-peephole", "gru-reset-before", "gru-reset-after"],
)
@pytest.mark.parametrize("direction", ["forward", "bidirectional"])
def test_random_weights_equal_the_onnx_reference_code(name, helper, attributes, direction):
    rng = np.random.default_rng(0)
    directions, steps, batch, input_size, hidden = 1 + (direction == "bidirectional"), 5, 3, 4, 6
    rows = len(find(name).gates) * hidden
    shapes = {
        "X": (steps, batch, input_size),
        "W": (directions, rows, input_size),
        "R": (directions, rows, hidden),
        "B": (directions, 2 * rows),
        "initial_h": (directions, batch, hidden),
    }
    if name == "lstm":
        shapes |= {"initial_c": (directions, batch, hidden), "P": (directions, 3 * hidden)}
    inputs = {key: rng.uniform(-1, 1, shape) for key, shape in shapes.items()}
    expected = helper(**inputs, **attributes, direction=direction).step()
    got = _run(name, inputs, attributes)
    for mine, wanted in zip(got.values(), expected, strict=True):
        np.testing.assert_allclose(mine, wanted, rtol=1e-12, atol=1e-12)
