"""ONNX models as graphs: operators, attributes and layouts beside ONNX Runtime; refusals by name."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import penstock
from penstock.convert import from_onnx
from penstock.errors import BundleError, ConfigError

onnx = pytest.importorskip("onnx", reason="the package onnx is not installed")
pytest.importorskip("onnxruntime", reason="ONNX Runtime is the reference")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402  # after the check that it is there

RANDOM = np.random.default_rng(5)
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


def tensor(name, *shape):
    return numpy_helper.from_array(RANDOM.normal(0, 0.5, shape).astype(np.float32), name)


def constant(name, values, dtype=np.int64):
    return numpy_helper.from_array(np.asarray(values, dtype), name)


def value(name, *shape, kind=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def model_of(nodes, inputs, outputs, constants, opset=17):
    graph = helper.make_graph(nodes, "test", inputs, outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


def recurrent(
    operator="LSTM", *, layout=0, direction="forward", inputs=3, hidden=4, extra=(), more=(), outputs=("y",), **given
):
    """A node that reads `x`, its constants, and the further inputs `extra` by their places from 4 on."""
    count = 2 if direction == "bidirectional" else 1
    rows = GATES[operator] * hidden
    constants = [tensor("W", count, rows, inputs), tensor("R", count, rows, hidden), tensor("B", count, 2 * rows)]
    node = helper.make_node(
        operator,
        ["x", "W", "R", "B", *extra],
        list(outputs),
        hidden_size=hidden,
        direction=direction,
        **({"layout": layout} if layout else {}),
        **given,
    )
    return node, [*constants, *more]


def checked(model):
    """The imported model; the import itself compares it with ONNX Runtime."""
    found = from_onnx(model)
    assert found.metrics["import"]["checked"]["largest_difference"] < 1e-5
    assert "ONNX Runtime" in found.metrics["import"]["checked"]["against"]
    return found


@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize(
    ("operator", "given"),
    [("LSTM", {}), ("GRU", {}), ("GRU", {"linear_before_reset": 1}), ("RNN", {}), ("RNN", {"activations": ["Relu"]})],
)
def test_operators_and_directions(operator, given, direction):
    count = 2 if direction == "bidirectional" else 1
    given = {name: each * count if isinstance(each, list) else each for name, each in given.items()}
    node, constants = recurrent(operator, direction=direction, outputs=("y", "h"), **given)
    final = helper.make_node("Identity", ["h"], ["last"])
    outputs = [value("y", None, count, None, 4), value("last", count, None, 4)]
    found = checked(model_of([node, final], [value("x", None, None, 3)], outputs, constants))
    assert found.streams == (direction == "forward")


def test_batch_first_is_found_out_and_may_be_given():
    node, constants = recurrent("GRU")
    turned = helper.make_node("Transpose", ["z"], ["x"], perm=[1, 0, 2])
    model = model_of([turned, node], [value("z", None, None, 3)], [value("y", None, 1, None, 4)], constants)
    checked(model)
    with pytest.raises(ConfigError, match=r"'y' \(GRU\): reads \(time, batch, features\)"):
        from_onnx(model, batch_first=False)


def test_peepholes_and_initial_states():
    more = [tensor("P", 1, 12), tensor("h0", 1, 1, 4), tensor("c0", 1, 1, 4)]
    node, constants = recurrent(extra=("", "h0", "c0", "P"), more=more)
    found = checked(model_of([node], [value("x", None, 1, 3)], [value("y", None, 1, 1, 4)], constants))
    assert {"y.weight_ch_l0", "y.initial_c"} <= set(found.tensors)


def test_states_and_lengths_disappear():
    node, constants = recurrent(extra=("n", "h0", "c0"), outputs=("y", "hn", "cn"))
    inputs = [
        value("x", None, None, 3),
        value("n", None, kind=TensorProto.INT32),
        value("h0", 1, None, 4),
        value("c0", 1, None, 4),
    ]
    outputs = [value("y", None, 1, None, 4), value("hn", 1, None, 4), value("cn", 1, None, 4)]
    found = checked(model_of([node], inputs, outputs, constants))
    assert list(found.network.inputs) == ["x"]
    assert found.network.outputs == ("y",)
    assert found.metrics["import"]["notes"] == [
        "h0, c0, hn, cn: states, which a stream keeps",
        "n: lengths, which sequences have",
    ]


def test_a_network_around_the_recurrence():
    node, constants = recurrent("GRU", direction="bidirectional", hidden=2, inputs=5)
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["looked"]),
        helper.make_node("Transpose", ["looked"], ["x"], perm=[1, 0, 2]),
        node,
        helper.make_node("Transpose", ["y"], ["turned"], perm=[2, 0, 1, 3]),
        helper.make_node("Reshape", ["turned", "shape"], ["joined"]),
        helper.make_node("LayerNormalization", ["joined", "g", "b"], ["normal"], axis=-1),
        helper.make_node("MatMul", ["normal", "M"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["biased"]),
        helper.make_node("HardSigmoid", ["biased"], ["gated"]),
        helper.make_node("Mul", ["gated", "biased"], ["times"]),
        helper.make_node("Sub", ["one", "times"], ["less"]),
        helper.make_node("ReduceMax", ["less"], ["most"], axes=[1], keepdims=0),
        helper.make_node("Gemm", ["most", "G", "gb"], ["logits"], transB=1, alpha=0.5),
        helper.make_node("Softmax", ["logits"], ["p"], axis=1),
    ]
    constants += [tensor("table", 9, 5), constant("shape", [0, 0, 4]), tensor("g", 4), tensor("b", 4)]
    constants += [tensor("M", 4, 6), tensor("bias", 6), constant("one", 1.0, np.float32), tensor("G", 3, 6)]
    constants += [tensor("gb", 3)]
    inputs = [value("ids", None, None, kind=TensorProto.INT64)]
    found = checked(model_of(nodes, inputs, [value("p", None, 3)], constants))
    kinds = [each.operation.kind for each in found.network.nodes]
    before = ["lookup", "recurrence", "standardize", "scale", "dense", "pointwise", "multiply", "scale"]
    assert kinds == [*before, "pool", "dense", "pointwise"]
    assert found.predict([[1, 2, 8], []])[0].shape == (3,)


def test_parts_of_axes():
    node, constants = recurrent("RNN", layout=0, direction="bidirectional")
    nodes = [
        node,
        helper.make_node("Slice", ["y", "from", "to", "axis"], ["back"]),
        helper.make_node("Squeeze", ["back", "axis"], ["flat"]),
        helper.make_node("Split", ["flat"], ["low", "high"], axis=2),
        helper.make_node("Concat", ["high", "low", "flat"], ["all"], axis=-1),
        helper.make_node("Gather", ["all", "end"], ["last"], axis=0),
        helper.make_node("Neg", ["last"], ["less"]),
    ]
    constants += [constant("from", [1]), constant("to", [2**40]), constant("axis", [1]), constant("end", -1)]
    checked(model_of(nodes, [value("x", None, None, 3)], [value("less", None, 8)], constants))


def test_fixed_sizes_and_shapes_that_the_model_computes():
    node, constants = recurrent("GRU", extra=("", "h0"))
    nodes = [
        helper.make_node("Shape", ["x"], ["size"]),
        helper.make_node("Gather", ["size", "place"], ["batch"]),
        helper.make_node("Concat", ["one", "batch", "units"], ["states"], axis=0),
        helper.make_node("ConstantOfShape", ["states"], ["h0"]),
        node,
        helper.make_node("Squeeze", ["y", "one"], ["out"]),
    ]
    constants += [constant("place", [1]), constant("one", [1]), constant("units", [4])]
    for shape in [(None, None, 3), (5, None, 3), (5, 1, 3)]:
        found = checked(model_of(nodes, [value("x", *shape)], [value("out", shape[0], shape[1], 4)], constants))
        assert [each.operation.kind for each in found.network.nodes] == ["recurrence"]


def test_a_constant_that_depends_on_the_length_is_refused():
    node, constants = recurrent("GRU")
    nodes = [
        node,
        helper.make_node("ReduceSum", ["y", "zero"], ["sum"]),
        helper.make_node("Shape", ["x"], ["size"]),
        helper.make_node("Gather", ["size", "place"], ["steps"]),
        helper.make_node("Cast", ["steps"], ["count"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["sum", "count"], ["mean"]),
    ]
    constants += [constant("zero", [0]), constant("place", [0])]
    with pytest.raises(ConfigError, match="depends on the number of steps"):
        from_onnx(model_of(nodes, [value("x", None, None, 3)], [value("mean", 1, 1, None, 4)], constants))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"clip": 2.0}, r"'y' \(LSTM\): clip=2 is not read"),
        ({"input_forget": 1}, "input_forget=1"),
        ({"activations": ["HardSigmoid", "Tanh", "Tanh"]}, "must be Sigmoid, Tanh, Tanh; got HardSigmoid"),
    ],
)
def test_attributes_that_the_engine_lacks_are_refused(given, message):
    node, constants = recurrent(**given)
    with pytest.raises(ConfigError, match=message):
        from_onnx(model_of([node], [value("x", None, None, 3)], [value("y", None, 1, None, 4)], constants))


@pytest.mark.parametrize(
    ("operator", "more", "message"),
    [
        ("Conv", ["K"], r"\(Conv\): is not among the operators that are read: Abs, Add"),
        ("Add", ["steps"], r"\(Add\): a constant of shape \(7, 1, 1, 1\)"),
        ("Softmax", [], r"the features must be the last axis"),
    ],
)
def test_other_operators_are_named(operator, more, message):
    node, constants = recurrent("GRU", direction="bidirectional")
    constants += [tensor("K", 2, 2, 1, 1), tensor("steps", 7, 1, 1, 1)]
    after = helper.make_node(operator, ["y", *more], ["z"])
    with pytest.raises(ConfigError, match=message):
        from_onnx(model_of([node, after], [value("x", 7, None, 3)], [value("z", None, 2, None, 4)], constants))


def test_a_model_without_recurrence_is_refused():
    node = helper.make_node("Relu", ["x"], ["y"])
    with pytest.raises(ConfigError, match="no recurrent operator"):
        from_onnx(model_of([node], [value("x", None, None, 3)], [value("y", None, None, 3)], []))


def test_bombs_are_refused_before_they_go_off():
    node, constants = recurrent("GRU", extra=("", "h0"))
    bomb = helper.make_node("ConstantOfShape", ["huge"], ["h0"])
    constants += [constant("huge", [1, 2**20, 2**20])]
    with pytest.raises(ConfigError, match=r"makes a constant of \d+ numbers"):
        from_onnx(model_of([bomb, node], [value("x", None, None, 3)], [value("y", None, 1, None, 4)], constants))


def test_files_are_read_and_damage_is_named(tmp_path):
    node, constants = recurrent("LSTM")
    model = model_of([node], [value("x", None, None, 3)], [value("y", None, 1, None, 4)], constants)
    path = tmp_path / "model.onnx"
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    found = from_onnx(path)
    loaded = penstock.load(found.save(tmp_path / "bundle"))
    item = RANDOM.normal(size=(6, 3))
    assert_array_equal(loaded.predict([item])[0], found.predict([item])[0])
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(BundleError, match="weights must lie in the model's own folder"):
        from_onnx(path)
    path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(BundleError, match="damaged or not ONNX"):
        from_onnx(path)
    with pytest.raises(BundleError, match="can't be read as ONNX"):
        from_onnx(tmp_path / "nowhere.onnx")


@pytest.mark.parametrize("damage", ["cut", "type"])
def test_a_damaged_tensor_is_named(damage):
    node, constants = recurrent("LSTM")
    model = model_of([node], [value("x", None, None, 3)], [value("y", None, 1, None, 4)], constants)
    tensor = next(each for each in model.graph.initializer if each.raw_data)
    if damage == "cut":
        tensor.raw_data = tensor.raw_data[:-4]
    else:
        tensor.data_type = 32  # which there is not
    with pytest.raises(BundleError, match=f"its tensor {tensor.name!r} can't be read"):
        from_onnx(model)
