"""Conversion of a point to an ONNX model, for runtimes that read ONNX."""

from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from penstock.bench.workload import Workload

__all__ = ["as_onnx"]

# Positions of ONNX's gates in PyTorch's order: iofc in ifgo, zrh in rzn.
_ORDERS = {"rnn": (0,), "lstm": (0, 3, 1, 2), "gru": (1, 0, 2)}


def as_onnx(workload: Workload) -> tuple[bytes, dict[str, np.ndarray]]:
    """Return the model, and its inputs by name. For a step, states are inputs and outputs."""
    point, weights = workload.point, workload.weights
    w, r = (_gates(point.cell, weights[name])[None] for name in ("weight_ih", "weight_hh"))
    b = np.concatenate([_gates(point.cell, weights[name]) for name in ("bias_ih", "bias_hh")])[None]
    inputs = {"X": workload.x}
    outputs = {"Y": [point.time, 1, point.batch, point.hidden]}
    names = ["X", "W", "R", "B", "", "", ""]
    if workload.lengths is not None:
        names[4], inputs["L"] = "L", workload.lengths.astype(np.int32)
    if point.what == "step":
        for place, name in enumerate(("h", "c")[: 2 if point.cell == "lstm" else 1]):
            names[5 + place], inputs[name] = name, np.zeros((1, point.batch, point.hidden), np.float32)
            outputs[f"{name}n"] = [1, point.batch, point.hidden]
    attributes: dict[str, Any] = {"hidden_size": point.hidden}
    if point.cell == "gru":
        attributes["linear_before_reset"] = 1
    while not names[-1]:
        names.pop()
    node = helper.make_node(point.cell.upper(), names, list(outputs), **attributes)
    graph = helper.make_graph(
        [node],
        point.name,
        [
            helper.make_tensor_value_info(
                name, TensorProto.INT32 if array.dtype == np.int32 else TensorProto.FLOAT, array.shape
            )
            for name, array in inputs.items()
        ],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(array, name) for name, array in (("W", w), ("R", r), ("B", b))],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString(), inputs


def _gates(cell: str, array: np.ndarray) -> np.ndarray:
    blocks = np.split(array, len(_ORDERS[cell]))
    return np.concatenate([blocks[place] for place in _ORDERS[cell]])
