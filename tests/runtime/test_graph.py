"""Graphs on the engine: against a plain reference in NumPy, whole, streamed, saved and pickled."""

import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import penstock
from penstock import pauses
from penstock.errors import BundleError, ConfigError, DataError, ShapeError
from penstock.network import (
    Add,
    Concatenate,
    Dense,
    Graph,
    GraphBuilder,
    Lookup,
    Multiply,
    Pointwise,
    Pool,
    Recurrent,
    RecurrentLayers,
    Reverse,
    Scale,
    Slice,
    Value,
    from_json,
)
from penstock.network.operations import FUNCTIONS
from penstock.runtime import GraphModel, Recurrence, graph_scorer, operations, stack
from penstock.runtime.stack import Stack

RANDOM = np.random.default_rng(7)
LENGTHS = (0, 1, 2, 7, 13)


def draw(shapes):
    return {name: RANDOM.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}


def layers(cell="lstm", *, reverse=False, initial=False, **options):
    return RecurrentLayers(Recurrent(cell=cell, **options), reverse=reverse, initial=initial)


def added(builder, operation, *inputs, **more):
    return builder.add(operation, *inputs, **more, **draw(operation.parameter_shapes()))


def tagger():
    """Ids and numbers, two recurrent branches, a score for each step and one for the whole."""
    builder = GraphBuilder({"word": Value(5, ids=True), "level": Value(2)})
    word = added(builder, Lookup(5, 3), "word")
    level = added(builder, Scale(2), "level")
    joined = builder.add(Concatenate(), word, level)
    first = added(builder, layers("gru", input_size=5, hidden_size=4, num_layers=2, initial=True), joined)
    second = added(builder, layers("rnn", input_size=5, hidden_size=4), joined)
    both = builder.add(Multiply(), builder.add(Add(), first, second), first)
    scores = added(builder, Dense(2, 3, blocks=2), both, name="scores")
    kind = builder.add(Pointwise("softmax"), added(builder, Dense(4, 2), builder.add(Pool("mean"), both)), name="kind")
    return GraphModel(*builder.build(scores, kind))


def sequences(model):
    return [
        {
            name: RANDOM.integers(0, value.size, length)
            if value.ids
            else RANDOM.normal(size=(length, value.size)).astype(np.float32)
            for name, value in model.network.inputs.items()
        }
        for length in LENGTHS
    ]


def test_values_are_those_of_the_equations():
    model = tagger()
    tensors = model.tensors
    for item, found in zip(inputs := sequences(model), model.predict(inputs), strict=True):
        x = np.hstack([tensors["lookup.weight"][item["word"]], item["level"] * tensors["scale.scale"]])
        x[:, 3:] += tensors["scale.offset"]
        parameters = {name: {} for name in ("recurrence", "recurrence_2")}
        for name, array in tensors.items():
            node, _, tensor = name.partition(".")
            parameters.get(node, {})[tensor] = array
        initial = parameters["recurrence"].pop("initial_h")
        first = Recurrence(parameters["recurrence"], "gru")(x, initial)[0] if len(x) else np.zeros((0, 4))
        second = Recurrence(parameters["recurrence_2"], "rnn")(x)[0] if len(x) else np.zeros((0, 4))
        both = (first + second) * first
        scores = both.reshape(-1, 2) @ tensors["scores.weight"].T + tensors["scores.bias"]
        assert_allclose(found["scores"], scores.reshape(-1, 6), atol=1e-6)
        pooled = both.mean(axis=0) if len(x) else np.zeros(4)
        logits = pooled @ tensors["dense.weight"].T + tensors["dense.bias"]
        assert_allclose(found["kind"], np.exp(logits) / np.exp(logits).sum(), atol=1e-6)


def test_streamed_equals_whole_and_alone():
    model = tagger()
    inputs = sequences(model)
    stream = model.stream()
    for item, whole in zip(inputs, model.predict(inputs), strict=True):
        for name, array in model.predict([item])[0].items():
            assert_array_equal(array, whole[name])
        stream.reset()
        pushed = [stream.push({name: array[step] for name, array in item.items()}) for step in range(len(item["word"]))]
        assert_array_equal(np.array([each["scores"] for each in pushed]).reshape(-1, 6), whole["scores"])
        assert_array_equal(stream.finish()["kind"], whole["kind"])


def test_long_sequences_are_divided_with_the_same_bits(monkeypatch):
    model = tagger()
    inputs = sequences(model)
    whole = model.predict(inputs)
    monkeypatch.setattr("penstock.runtime.graph_scorer._NUMBERS", 60)
    for found, expected in zip(model.predict(inputs), whole, strict=True):
        assert_array_equal(found["scores"], expected["scores"])
        assert_array_equal(found["kind"], expected["kind"])


def test_what_reads_from_the_end_is_divided_too_and_has_a_limit(monkeypatch):
    builder = GraphBuilder({"x": Value(2)})
    both = added(builder, layers("gru", input_size=2, hidden_size=3, bidirectional=True), "x")
    scores = added(builder, Dense(3, 4, blocks=2), both, name="scores")
    model = GraphModel(*builder.build(scores, builder.add(Pool("max"), scores, name="most")))
    inputs = sequences(model)
    whole = model.predict(inputs)
    monkeypatch.setattr(Stack, "_span", lambda *_: 3)
    monkeypatch.setattr(operations, "_ROWS", 5)
    monkeypatch.setattr(graph_scorer, "_NUMBERS", 20)
    for found, expected in zip(model.predict(inputs), whole, strict=True):
        for name, array in expected.items():
            assert_array_equal(found[name], array)
    monkeypatch.setattr(stack, "_MOST_NUMBERS", 12 * 8)
    with pauses.interrupted_by(lambda: None), pytest.raises(DataError, match="has 13 steps"):
        model.predict(inputs)


def test_a_stream_is_saved_loaded_and_forked():
    model = tagger()
    item = sequences(model)[-1]
    steps = [{name: array[step] for name, array in item.items()} for step in range(13)]
    stream = model.stream()
    for step in steps[:6]:
        stream.push(step)
    unpickled = pickle.loads(pickle.dumps(stream))  # noqa: S301  # our own bytes
    others = [model.stream().load(stream.save()), stream.fork(), copy.copy(stream), unpickled]
    for step in steps[6:]:
        expected = stream.push(step)
        for other in others:
            assert_array_equal(other.push(step)["scores"], expected["scores"])


@pytest.mark.parametrize("bidirectional", [False, True])
def test_reading_from_the_end_is_a_reversed_recurrence(bidirectional):
    options = {"input_size": 3, "hidden_size": 4, "bidirectional": bidirectional}
    tensors = draw(layers("lstm", **options).parameter_shapes())
    backward = GraphBuilder({"x": Value(3)})
    network = backward.add(layers("lstm", reverse=True, **options), "x", **tensors)
    turned = GraphBuilder({"x": Value(3)})
    inner = turned.add(layers("lstm", **options), turned.add(Reverse(), "x"), **tensors)
    inputs = [RANDOM.normal(size=(length, 3)) for length in LENGTHS]
    model, other = GraphModel(*backward.build(network)), GraphModel(*turned.build(turned.add(Reverse(), inner)))
    for found, expected in zip(model.predict(inputs), other.predict(inputs), strict=True):
        assert_array_equal(found, expected)
    assert not model.streams
    with pytest.raises(ConfigError, match="recurrence read each sequence from its end"):
        model.stream()


@pytest.mark.parametrize("over", ["first", "last", "sum", "mean", "max"])
def test_pooling(over):
    builder = GraphBuilder({"x": Value(2)})
    model = GraphModel(*builder.build(builder.add(Pool(over), "x")))
    inputs = [RANDOM.normal(size=(length, 2)).astype(np.float32) for length in LENGTHS]
    reference = {"first": lambda x: x[0], "last": lambda x: x[-1], "sum": np.sum, "mean": np.mean, "max": np.max}[over]
    for item, found in zip(inputs, model.predict(inputs), strict=True):
        axis = {} if over in ("first", "last") else {"axis": 0}
        assert_allclose(found, reference(item, **axis) if len(item) else np.zeros(2), atol=1e-5)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_functions_are_pytorchs(function):
    torch = pytest.importorskip("torch", reason="PyTorch is the reference")
    x = np.concatenate([RANDOM.normal(0, 3, (40, 5)), np.zeros((1, 5))]).astype(np.float32)
    if function in ("log", "sqrt"):
        x = np.abs(x) + np.float32(0.1)
    names = {
        "clip": lambda t: t.clamp(0, 1),
        "gelu_tanh": lambda t: torch.nn.functional.gelu(t, approximate="tanh"),
        "hard_sigmoid": torch.nn.functional.hardsigmoid,
        "log_softmax": lambda t: t.log_softmax(-1),
        "softmax": lambda t: t.softmax(-1),
    }
    expected = names.get(function) or getattr(torch.nn.functional, function, None) or getattr(torch, function)
    builder = GraphBuilder({"x": Value(5)})
    model = GraphModel(*builder.build(builder.add(Pointwise(function), "x")))
    assert_allclose(model.predict([x])[0], expected(torch.tensor(x)).numpy(), atol=2e-6, rtol=2e-6)


def test_slices_are_features():
    builder = GraphBuilder({"x": Value(5)})
    model = GraphModel(*builder.build(builder.add(Slice(1, 3), "x")))
    assert_array_equal(model.predict([np.arange(5.0)[None]])[0], [[1, 2]])


def test_a_bundle_keeps_the_model(tmp_path):
    model = tagger()
    inputs = sequences(model)
    loaded = penstock.load(model.save(tmp_path / "tagger"))
    copied = pickle.loads(pickle.dumps(model))  # noqa: S301  # our own bytes
    for other in (loaded, copied):
        assert other.network == model.network
        assert other.fingerprint == model.fingerprint
        for found, expected in zip(other.predict(inputs), model.predict(inputs), strict=True):
            assert_array_equal(found["scores"], expected["scores"])
    assert "recurrence" in (tmp_path / "tagger" / "README.md").read_text()
    assert loaded.info()["task"] == "network"
    with pytest.raises(BundleError, match="exists already"):
        model.save(tmp_path / "tagger")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"word": [0, 9]}, "input 0, word must be whole numbers from 0 to 4"),
        ({"word": [0.5, 1]}, "whole numbers"),
        ({"level": [[0.0, np.nan]] * 2}, "must be finite"),
        ({"level": [[0.0]] * 2}, r"must be \(time, 2\); got \(2, 1\)"),
        ({"level": [["a", "b"]] * 2}, "real numbers"),
        ({"level": [[0.0, 1.0]]}, "same number of steps; word has 2, level has 1"),
        ({"other": [1]}, "inputs word, level"),
    ],
)
def test_wrong_inputs_are_named(change, message):
    item = {"word": np.array([0, 1]), "level": np.zeros((2, 2))} | change
    with pytest.raises(DataError, match=message):
        tagger().predict([item])


@pytest.mark.parametrize(
    ("operation", "inputs", "message"),
    [
        (Dense(3, 2), ["x"], "dense takes 3 features; got 2"),
        (Dense(2, 2), ["ids"], "got ids"),
        (Lookup(3, 2), ["x"], "lookup takes ids below 3"),
        (Add(), ["x"], "two or more inputs"),
        (Add(), ["x", "wide"], "one size; got 2, 4"),
        (Slice(1, 3), ["x"], "there are 2 features"),
        (Pool(), ["nowhere"], "not among the values"),
    ],
)
def test_graphs_that_do_not_fit_are_named(operation, inputs, message):
    builder = GraphBuilder({"x": Value(2), "wide": Value(4), "ids": Value(4, ids=True)})
    name = builder.add(operation, *inputs, **draw(operation.parameter_shapes()))
    with pytest.raises(ConfigError, match=message):
        builder.build(name)


def test_descriptions_are_read_back_and_checked():
    graph = tagger().network
    assert from_json(graph.to_json()) == graph
    for change, message in [
        ({"nodes": [{"name": "a", "kind": "pickle", "inputs": [], "options": {}}]}, "must be one of add"),
        ({"nodes": [3]}, "damaged"),
        ({"outputs": []}, "at least one"),
        ({"more": 1}, "a graph has no more"),
    ]:
        with pytest.raises(ConfigError, match=message):
            Graph.from_json(graph.to_json() | change)
    with pytest.raises(ShapeError, match="tensors must be"):
        GraphBuilder({"x": Value(2)}).add(Dense(2, 1), "x", weight=np.zeros((1, 2)))
