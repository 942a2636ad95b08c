"""ONNX from strangers: constants that a kilobyte can make of any size, functions of functions, long chains."""

import time

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="ONNX is the source")

from onnx import helper  # noqa: E402

from penstock.convert import from_onnx  # noqa: E402
from penstock.errors import BundleError, ConfigError  # noqa: E402


def imported(path, nodes, *, functions=(), **constants):
    """Import a model with an LSTM, and these nodes beside it."""
    weights = {
        "w": np.full((1, 8, 3), 0.1, np.float32),
        "r": np.full((1, 8, 2), 0.1, np.float32),
        "axes": np.array([1]),
    }
    stored = [onnx.numpy_helper.from_array(np.asarray(each), name) for name, each in (weights | constants).items()]
    inputs = [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["time", "batch", 3])]
    outputs = [helper.make_tensor_value_info("z", onnx.TensorProto.FLOAT, ["time", "batch", 2])]
    layer = [node("LSTM", ["x", "w", "r"], "y", hidden_size=2), node("Squeeze", ["y", "axes"], "z")]
    graph = helper.make_graph([*nodes, *layer], "g", inputs, outputs, stored)
    sets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    model = helper.make_model(graph, opset_imports=sets, functions=list(functions), ir_version=10)
    path.write_bytes(model.SerializeToString())
    return from_onnx(path, check=False)


def node(kind, inputs, output, **attributes):
    return helper.make_node(kind, inputs, [output], **attributes)


def function(name, *calls):
    """A function that calls these one after the other."""
    names = [f"v{place}" for place in range(len(calls) + 1)]
    nodes = [
        node(call, [names[place]], names[place + 1], domain="" if call == "Identity" else "own")
        for place, call in enumerate(calls)
    ]
    sets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    return helper.make_function("own", name, names[:1], names[-1:], nodes, sets)


ZEROS = node("ConstantOfShape", ["shape"], "c")
MANY = "makes a constant of .* numbers; at most"


@pytest.mark.parametrize(
    ("nodes", "constants", "message"),
    [
        ([ZEROS], {"shape": [1] * 16 + [1 << 28, 4]}, MANY),
        ([ZEROS], {"shape": np.full(100_000, 1 << 62)}, "a shape has at most 64 axes; got 100000"),
        ([ZEROS], {"shape": [-1]}, "can't be computed"),
        ([ZEROS, node("Expand", ["c", "to"], "d")], {"shape": [1 << 15, 1], "to": [1, 1 << 15]}, MANY),
        ([ZEROS, node("Concat", ["c"] * 300, "d", axis=0)], {"shape": [1 << 20]}, MANY),
        ([node("Gather", ["t", "i"], "d")], {"t": np.zeros((1, 4000)), "i": np.zeros((200, 200), np.int64)}, MANY),
        ([node("Tile", ["t", "to"], "d")], {"t": np.zeros(1000), "to": [1 << 20]}, MANY),
        ([ZEROS, *(node("Neg", ["c"], f"d{place}") for place in range(200))], {"shape": [1 << 20]}, MANY),
        ([node("Range", ["n", "n", "n"], "d")], {"n": np.float32("nan")}, "can't be computed"),
        ([node("Range", ["n", "m", "n"], "d")], {"n": np.float32(1), "m": np.float32("inf")}, "can't be computed"),
    ],
)
def test_constants_that_are_computed_have_a_limit_together(tmp_path, nodes, constants, message):
    with pytest.raises(ConfigError, match=message):
        imported(tmp_path / "m.onnx", nodes, **constants)
    assert (tmp_path / "m.onnx").stat().st_size < 1 << 20


def test_constants_of_many_axes_are_computed(tmp_path):
    assert imported(tmp_path / "m.onnx", [node("Add", ["p", "q"], "d")], p=np.zeros([1] * 20), q=np.zeros([1] * 3))


def test_a_long_chain_of_nodes_is_read(tmp_path):
    chain = [node("Identity", [f"i{place - 1}" if place else "x"], f"i{place}") for place in range(3000)]
    assert imported(tmp_path / "m.onnx", chain)


def test_functions_are_counted_as_often_as_they_are_called(tmp_path):
    start = time.process_time()
    laughs = [function("f0", "Identity"), *(function(f"f{place}", *[f"f{place - 1}"] * 2) for place in range(1, 40))]
    with pytest.raises(BundleError, match=rf"m.onnx: has {2**39 + 3 - 1} nodes; at most 100000 are read"):
        imported(tmp_path / "m.onnx", [node("f39", ["w"], "q", domain="own")], functions=laughs)
    deep = [function("f0", "Identity"), *(function(f"f{place}", f"f{place - 1}") for place in range(1, 100))]
    with pytest.raises(BundleError, match="functions call each other in a circle, or more than 50 deep"):
        imported(tmp_path / "m.onnx", [node("f99", ["w"], "q", domain="own")], functions=deep)
    with pytest.raises(BundleError, match="functions call each other in a circle"):
        imported(tmp_path / "m.onnx", [node("f", ["w"], "q", domain="own")], functions=[function("f", "f")])
    assert time.process_time() - start < 5
    assert imported(tmp_path / "m.onnx", [node("f3", ["w"], "q", domain="own")], functions=laughs[:4])
