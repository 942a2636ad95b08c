"""Exports to ONNX give the model's numbers in other runtimes: whole, ragged, in pieces, and step by step."""

import json

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import KINDS, example, functions, masked, model, recurrent
from numpy.testing import assert_allclose

from penstock.cells import VARIANTS
from penstock.convert import to_onnx, to_openvino
from penstock.convert.exporting import onnx_file, runtimes
from penstock.convert.exporting.onnx_model import OPSETS, Form, onnx_model
from penstock.convert.exporting.verification import (
    padded,
    random_sequences,
    started,
    states_of,
    stream_error,
    whole_error,
)
from penstock.errors import ConfigError
from penstock.network import Dense, GraphBuilder, Recurrent, RecurrentLayers, Value
from penstock.runtime import GraphModel

TOLERANCE = 2e-6  # sums in another order
LAYERS = (*VARIANTS, ("lstm", {"zoneout": (0.1, 0.4), "peephole": True}), ("gru", {"zoneout": 0.3}))


def variant(cell, form):
    return cell, {name: 2 if value is None else value for name, value in form.items()}


@st.composite
def layers(draw):
    cell, form = variant(*draw(st.sampled_from(LAYERS)))
    spec = Recurrent(
        cell=cell,
        input_size=3,
        hidden_size=draw(st.integers(3, 6)),
        num_layers=draw(st.integers(1, 3)),
        bidirectional=draw(st.booleans()),
        bias=draw(st.booleans()),
        **form,
    )
    return RecurrentLayers(spec, reverse=draw(st.booleans()), initial=draw(st.booleans()))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(layers(), st.lists(st.integers(0, 9), min_size=1, max_size=4), st.booleans())
def test_random_layers_in_onnx_runtime(operation, lengths, portable):
    exported = recurrent(operation)
    sequences = random_sequences(exported.graph, lengths=tuple(lengths))
    run = runtimes.onnx_runtime(onnx_model(exported, Form(portable=portable)).SerializeToString())
    assert whole_error(run, exported, sequences) < TOLERANCE
    if exported.graph.streams:
        made = onnx_model(exported, Form(streaming=True))
        run = runtimes.onnx_runtime(made.SerializeToString())
        assert stream_error(run, exported, states_of(made), sequences, lengths=True) < TOLERANCE


@pytest.mark.parametrize("kind", KINDS)
def test_every_operation_is_written(kind):
    exported = example(kind)
    run = runtimes.onnx_runtime(onnx_model(exported, Form()).SerializeToString())
    assert whole_error(run, exported, random_sequences(exported.graph)) < TOLERANCE


@pytest.mark.parametrize("at_masked", ["repeat", "zero"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_steps_that_a_mask_leaves_out_are_not_read(at_masked, bidirectional):
    layers = Recurrent(cell="lstm", input_size=2, hidden_size=3, num_layers=2, bidirectional=bidirectional)
    exported = masked(layers, at_masked)
    sequences = random_sequences(exported.graph, lengths=(9, 0, 14, 1, 6))
    run = runtimes.onnx_runtime(onnx_model(exported, Form()).SerializeToString())
    assert whole_error(run, exported, sequences) < TOLERANCE
    if not bidirectional:
        made = onnx_model(exported, Form(streaming=True))
        run = runtimes.onnx_runtime(made.SerializeToString())
        assert stream_error(run, exported, states_of(made), sequences, lengths=True) < TOLERANCE


def test_every_function_is_written():
    exported = functions()
    run = runtimes.onnx_runtime(onnx_model(exported, Form()).SerializeToString())
    assert whole_error(run, exported, random_sequences(exported.graph)) < TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize(("cell", "form"), VARIANTS)
def test_layers_in_openvino(cell, form):
    cell, form = variant(cell, form)
    spec = Recurrent(cell=cell, input_size=3, hidden_size=4, num_layers=1, bidirectional=True, **form)
    exported = recurrent(RecurrentLayers(spec, initial=True), pools=("last", "max"))
    read = runtimes.openvino_read(onnx_model(exported, Form(portable=True)).SerializeToString())
    run = runtimes.openvino_model(read)
    assert whole_error(run, exported, random_sequences(exported.graph, lengths=(3, 0, 5, 1))) < TOLERANCE


@pytest.mark.usefixtures("onnx_runtime_alone")
def test_int8_is_smaller_and_its_loss_is_measured(tmp_path):
    builder, layers = GraphBuilder({"x": Value(8)}), RecurrentLayers(Recurrent(input_size=8, hidden_size=64))
    random = np.random.default_rng(0)
    tensors = {name: random.normal(0, 0.3, shape) for name, shape in layers.parameter_shapes().items()}
    large = GraphModel(*builder.build(builder.add(layers, "x", **tensors)))
    whole = to_onnx(large, tmp_path / "whole.onnx").files[0].stat().st_size
    given = [random.normal(size=(length, 8)) for length in (5, 1, 9)]
    for data, words in ((None, "5 random sequences"), (given, "3 given sequences")):
        written = to_onnx(large, tmp_path / "small.onnx", int8=True, data=data, overwrite=True)
        assert written.files[0].stat().st_size < 0.4 * whole
        assert written.measures["compared on"] == words
        assert 1e-5 < written.measures["largest difference"] < 0.1
    assert "fingerprint" in {each.key for each in onnx.load(written.files[0]).metadata_props}
    with pytest.raises(ConfigError, match="data are for the loss by int8 weights"):
        to_onnx(large, tmp_path / "a.onnx", data=given)


@pytest.mark.slow
@pytest.mark.parametrize("streaming", [False, True])
def test_files_of_openvino(tmp_path, streaming):
    written = to_openvino(model(), tmp_path / "tagger.xml", streaming=streaming)
    assert [path.name for path in written.files] == ["tagger.xml", "tagger.bin"]
    assert written.errors["OpenVINO"] < TOLERANCE
    assert "fingerprint" in written.files[0].read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tagger.bin", "tagger.xml"]


@pytest.mark.parametrize("opset", [OPSETS[0], OPSETS[-1]])
def test_opsets(opset):
    exported = recurrent(RecurrentLayers(Recurrent(cell="lstm", input_size=3, hidden_size=4, bidirectional=True)))
    made = onnx_model(exported, Form(opset=opset))
    assert [each.version for each in made.opset_import] == [opset]
    run = runtimes.onnx_runtime(made.SerializeToString())
    assert whole_error(run, exported, random_sequences(exported.graph)) < TOLERANCE
    with pytest.raises(ConfigError, match="opset must be a whole number from 18 to 23; got 9"):
        to_onnx(model(), "never.onnx", opset=9)


def test_a_file_names_its_parts_and_says_what_it_is(tmp_path):
    written = to_onnx(model(), tmp_path / "tagger.onnx")
    assert written.files == (tmp_path / "tagger.onnx",)
    assert set(written.errors) == {"ONNX Runtime", "OpenVINO"}
    read = onnx.load(written.files[0])
    assert [each.name for each in read.graph.input] == ["word", "level", "lengths"]
    assert [each.name for each in read.graph.output] == ["recurrence", "kind", "recurrence.h_after"]
    assert [each.dim_param for each in read.graph.input[1].type.tensor_type.shape.dim] == ["batch", "time", ""]
    about = {each.key: each.value for each in read.metadata_props}
    assert (about["task"], about["form"], json.loads(about["features"])) == ("network", "whole", {"kind": "arrays"})
    assert {"GRU"} <= {node.op_type for node in read.graph.node}


@pytest.mark.usefixtures("onnx_runtime_alone")
def test_pieces_of_any_length_continue(tmp_path):
    """Two sequences in pieces of their own lengths, with final states of one call as the next one's."""
    to_onnx(model(), tmp_path / "stream.onnx", streaming=True)
    made = onnx.load(tmp_path / "stream.onnx")
    run, states = runtimes.onnx_runtime(made.SerializeToString()), states_of(made)
    assert [each.name for each in states] == ["recurrence.h", "pool.value", "pool.steps"]
    assert states[0].start is not None
    sequences = random_sequences(model().network, lengths=(9, 6))
    whole = model().scorer.scores(sequences)
    inputs, held = padded(sequences, lengths=False), started(states, 2)
    for begin, counts in ((0, [2, 3]), (3, [0, 3]), (2, [4, 0]), (6, [3, 0])):
        piece = {name: array[:, begin : begin + max(counts)] for name, array in inputs.items()}
        found = run({**piece, **held, "lengths": np.array(counts)})
        held = {each.name: found[f"{each.name}_after"] for each in states}
    assert_allclose(found["kind"], whole["kind"], atol=TOLERANCE)


def test_what_differs_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setitem(onnx_file.RUNTIMES, "ONNX Runtime", lambda content: lambda inputs: wrong(inputs))

    def wrong(inputs):
        batch, time = inputs["word"].shape
        return {"recurrence": np.zeros((batch, time, 4)), "kind": np.ones((batch, 4))}

    with pytest.raises(ConfigError, match="in ONNX Runtime computes something else than the model: it differs by"):
        to_onnx(model(), tmp_path / "tagger.onnx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("onnx_runtime_alone")
def test_what_cannot_be_written_is_named(tmp_path):
    backward = GraphBuilder({"x": Value(3)})
    layers = RecurrentLayers(Recurrent(input_size=3, hidden_size=2, bidirectional=True))
    tensors = {name: np.zeros(shape) for name, shape in layers.parameter_shapes().items()}
    with pytest.raises(ConfigError, match="recurrence read each sequence from its end too, so there is no streaming"):
        to_onnx(GraphModel(*backward.build(backward.add(layers, "x", **tensors))), tmp_path / "a", streaming=True)
    taken = GraphBuilder({"lengths": Value(3)})
    dense = taken.add(Dense(3, 1, bias=False), "lengths", weight=np.ones((1, 3)))
    with pytest.raises(ConfigError, match="is called 'lengths'"):
        to_onnx(GraphModel(*taken.build(dense)), tmp_path / "a")
    (tmp_path / "b").write_bytes(b"mine")
    with pytest.raises(ConfigError, match=r"exists already.*--overwrite"):
        to_onnx(model(), tmp_path / "b")
    with pytest.raises(ConfigError, match="there is no folder"):
        to_onnx(model(), tmp_path / "nowhere" / "a.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
    assert (tmp_path / "b").read_bytes() == b"mine"
    assert to_onnx(model(), tmp_path / "b", overwrite=True).files[0].read_bytes()[:4] != b"mine"
