"""Imported networks with one stack of recurrent layers are looked into as trained ones are."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from penstock.errors import ConfigError
from penstock.inspection import memory_horizon, saturation, trace
from penstock.network import (
    Dense,
    Differs,
    GraphBuilder,
    Lookup,
    Pool,
    Recurrent,
    RecurrentLayers,
    Value,
)
from penstock.runtime import GraphModel, Recurrence

RANDOM = np.random.default_rng(4)
IDS = RANDOM.integers(0, 7, 23)


def added(builder, operation, *inputs):
    tensors = {name: RANDOM.normal(0, 0.6, shape) for name, shape in operation.parameter_shapes().items()}
    return builder.add(operation, *inputs, **tensors)


def network(*, pool=None, layers=2, **options):
    """The usual imported network: a table, recurrent layers, a pool or none, a linear layer."""
    builder = GraphBuilder({"word": Value(7, ids=True)})
    spec = Recurrent(cell="gru", input_size=3, hidden_size=4, num_layers=layers, **options)
    y = added(builder, RecurrentLayers(spec), added(builder, Lookup(7, 3), "word"))
    y = builder.add(Pool(pool), y) if pool else y
    return GraphModel(*builder.build(added(builder, Dense(spec.output_size, 2), y)))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_traces_are_those_of_the_layers_alone(bidirectional):
    model = network(pool="max", bidirectional=bidirectional)
    tensors = {name.partition(".")[2]: each for name, each in model.tensors.items() if name.startswith("recurrence.")}
    table = model.tensors["lookup.weight"]
    expected = trace(Recurrence(tensors, cell="gru"), table[IDS])
    found = trace(model, IDS)
    assert found.gates == ("reset", "update", "candidate")
    for name, array in found.items():
        assert_array_equal(array.values, expected[name].values)
    assert saturation(model, [IDS, IDS[:5]])["steps"] == 28


@pytest.mark.parametrize(("pool", "bidirectional"), [("last", False), (None, False), ("mean", True), (None, True)])
def test_what_is_remembered_is_what_the_last_steps_predict(pool, bidirectional):
    model = network(pool=pool, bidirectional=bidirectional)
    reading = model.reading(IDS)
    assert reading.around is (bidirectional and pool is None)
    recalled = reading.recall([0, 4, 23])
    if reading.around:
        expected = [model.predict([IDS[11 - n : 12 + n]])[0][n] for n in (0, 4)]
        assert_allclose(recalled[:2], expected, atol=1e-6)
        assert_array_equal(recalled[2], model.predict([IDS])[0][11])
        return
    ends = [model.predict([IDS[23 - n :]])[0] for n in (4, 23)]
    assert_array_equal(recalled[1:], [each if pool else each[-1] for each in ends])
    assert memory_horizon(model, [IDS])["examples"] == 1


def test_the_command_looks_into_an_imported_network(penstock, tmp_path):
    network(pool="last").save(tmp_path / "model")
    np.savez(tmp_path / "ids.npz", IDS, IDS[:9])
    result = penstock("inspect", tmp_path / "model", tmp_path / "ids.npz", "--json")
    assert result.code == 0, result.err
    assert json.loads(result.out)["saturation"]["steps"] == 32


def two():
    builder = GraphBuilder({"x": Value(3)})
    y = added(builder, RecurrentLayers(Recurrent(input_size=3, hidden_size=2)), "x")
    return builder, added(builder, RecurrentLayers(Recurrent(input_size=2, hidden_size=2)), y)


def masked():
    builder = GraphBuilder({"x": Value(3)})
    layers = RecurrentLayers(Recurrent(input_size=3, hidden_size=2), masked=True)
    return builder, added(builder, layers, "x", builder.add(Differs(0.0), "x"))


def started():
    builder = GraphBuilder({"x": Value(3)})
    return builder, added(builder, RecurrentLayers(Recurrent(input_size=3, hidden_size=2), initial=True), "x")


def without():
    builder = GraphBuilder({"x": Value(3)})
    return builder, builder.add(Pool("mean"), "x")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (two, r"one stack of recurrent layers; got 2 \(recurrence, recurrence_2\)"),
        (masked, "recurrence of the imported network has masks"),
        (started, "recurrence of the imported network has initial states"),
        (without, "one stack of recurrent layers; got none"),
    ],
)
def test_what_cannot_be_looked_into_is_named(make, message):
    builder, output = make()
    with pytest.raises(ConfigError, match=message):
        trace(GraphModel(*builder.build(output)), np.ones((4, 3)))
