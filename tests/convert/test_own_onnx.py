"""ONNX files that Penstock wrote come back in with the same graph and the same numbers, or are refused by name."""

import json

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import KINDS, draw, example, functions, masked, model, recurrent
from numpy.testing import assert_array_equal
from test_onnx import layers

import penstock
from penstock.convert import from_onnx, to_onnx
from penstock.convert.exporting.exported import of_model
from penstock.convert.exporting.onnx_model import Form, onnx_model
from penstock.errors import BundleError, ConfigError
from penstock.network import Dense, GraphBuilder, Lookup, Recurrent, RecurrentLayers, Value
from penstock.runtime import GraphModel


def comes_back(exported, form):
    """Read an export again; the import itself compares it with ONNX Runtime."""
    found = from_onnx(onnx_model(exported, form))
    assert found.metrics["import"]["checked"]["largest_difference"] < 1e-5
    assert found.network == exported.graph
    for name, array in exported.tensors.items():
        assert_array_equal(found.tensors[name], array)
    return found


@settings(max_examples=8, deadline=None, derandomize=True)
@given(layers(), st.booleans())
def test_random_layers(operation, streaming):
    """Those that are operators, and those that are loops over a cell's equations."""
    exported = recurrent(operation)
    comes_back(exported, Form(streaming=streaming and exported.graph.streams))


@pytest.mark.parametrize("kind", KINDS)
def test_every_operation(kind):
    exported = example(kind)
    comes_back(exported, Form())
    if exported.graph.streams:
        comes_back(exported, Form(streaming=True))


def test_functions_and_masks():
    comes_back(functions(), Form())
    layers = Recurrent(cell="lstm", input_size=2, hidden_size=3, num_layers=2, bidirectional=True)
    comes_back(masked(layers), Form())


def test_equal_parameters_share_a_constant():
    builder, operation = (
        GraphBuilder({"x": Value(3)}),
        RecurrentLayers(Recurrent(input_size=3, hidden_size=4, zoneout=0.5)),
    )
    zeros = {name: np.zeros(shape) for name, shape in operation.parameter_shapes().items()}
    same = GraphModel(*builder.build(builder.add(operation, "x", **zeros)))
    assert sum(array.size for array in same.tensors.values()) > 0
    comes_back(of_model(same), Form())


def test_a_table_that_is_also_the_weight_of_a_layer_comes_back():
    builder, table = GraphBuilder({"ids": Value(4, ids=True)}), np.random.default_rng(0).normal(size=(4, 3))
    vectors = builder.add(Lookup(4, 3), "ids", weight=table.astype(np.float32))
    tied = builder.tensors[f"{vectors}.weight"]
    comes_back(of_model(GraphModel(*builder.build(builder.add(Dense(3, 4, bias=False), vectors, weight=tied)))), Form())


@pytest.mark.usefixtures("onnx_runtime_alone")
@pytest.mark.parametrize("streaming", [False, True])
def test_a_file_becomes_a_bundle_that_predicts_the_same(tmp_path, streaming):
    to_onnx(model(), tmp_path / "tagger.onnx", streaming=streaming)
    found = from_onnx(tmp_path / "tagger.onnx")
    assert "written by Penstock" in found.metrics["import"]["notes"][0]
    loaded = penstock.load(found.save(tmp_path / "bundle"))
    random = np.random.default_rng(0)
    item = {"word": random.integers(0, 5, 7), "level": random.normal(size=(7, 2)).astype(np.float32)}
    for name, array in model().predict([item])[0].items():
        assert_array_equal(loaded.predict([item])[0][name], array)


@pytest.mark.usefixtures("onnx_runtime_alone")
def test_changed_weights_are_named(tmp_path):
    builder, operation = GraphBuilder({"x": Value(8)}), RecurrentLayers(Recurrent(input_size=8, hidden_size=64))
    tensors = draw(operation.parameter_shapes(), np.random.default_rng(0))
    large = GraphModel(*builder.build(builder.add(operation, "x", **tensors)))
    to_onnx(large, tmp_path / "small.onnx", int8=True)
    with pytest.raises(ConfigError, match=r"'recurrence.weight_ih_l0' are not as Penstock .*int8.*float32 file"):
        from_onnx(tmp_path / "small.onnx")


def changed(exported, **about):
    made = onnx_model(exported, Form())
    now = {each.key: each.value for each in made.metadata_props} | about
    onnx.helper.set_model_props(made, now)
    return made


def dense():
    builder = GraphBuilder({"x": Value(3)})
    operation = Dense(3, 2)
    tensors = draw(operation.parameter_shapes(), np.random.default_rng(0))
    return of_model(GraphModel(*builder.build(builder.add(operation, "x", **tensors))))


@pytest.mark.parametrize(
    ("pieces", "message"),
    [
        ({}, "'dense.weight' are not as Penstock wrote them"),
        ({"dense.weight": [["dense.weight", 0, [1, 2**40]]]}, "are not as Penstock wrote them"),
        ({"dense.weight": [["dense.weight", -3, [1, 3]]]}, "are not as Penstock wrote them"),
        ({"dense.weight": [["dense.weight", 0, [0, 0]]]}, "the pieces overlap"),
        ({"dense.weight": [["dense.bias", 0, [1]]]}, "another number of numbers"),
        ({"dense.weight": 3}, "are not as Penstock wrote them"),
    ],
)
def test_damaged_places_are_refused(pieces, message):
    with pytest.raises(ConfigError, match=message):
        from_onnx(changed(dense(), pieces=json.dumps(pieces)))


def test_a_damaged_description_is_refused():
    with pytest.raises(BundleError, match="the description of the network in the file's metadata is damaged"):
        from_onnx(changed(dense(), graph="{"))


def test_nodes_that_were_changed_since_are_noticed():
    made = onnx_model(dense(), Form())
    next(node for node in made.graph.node if node.op_type == "Add").op_type = "Sub"
    with pytest.raises(ConfigError, match="the imported dense differs from that of ONNX Runtime"):
        from_onnx(made)


def test_a_forecaster_with_a_look_back_is_refused_by_name():
    made = changed(dense(), form="window")
    with pytest.raises(ConfigError, match=r"a forecaster with a look-back has operations .* Load the bundle"):
        from_onnx(made)
