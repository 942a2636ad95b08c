"""Layers that follow each other are one stack after import, with the same bits."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from penstock.convert.importing.stacking import stacked
from penstock.inspection import trace
from penstock.network import Concatenate, Dense, GraphBuilder, Recurrent, RecurrentLayers, Value
from penstock.runtime import GraphModel

RANDOM = np.random.default_rng(3)


def added(builder, operation, *inputs):
    tensors = {name: RANDOM.normal(0, 0.6, shape) for name, shape in operation.parameter_shapes().items()}
    return builder.add(operation, *inputs, **tensors)


def layers(inputs, *, hidden=4, layers=1, **options):
    return RecurrentLayers(Recurrent(input_size=inputs, hidden_size=hidden, num_layers=layers, **options))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_chain_becomes_one_stack(bidirectional):
    builder = GraphBuilder({"x": Value(3)})
    size = 8 if bidirectional else 4
    y = added(builder, layers(3, bidirectional=bidirectional), "x")
    for count in (2, 1):
        y = added(builder, layers(size, layers=count, bidirectional=bidirectional), y)
    before = GraphModel(*builder.build(added(builder, Dense(size, 2), y)))
    graph, tensors = stacked(before.network, before.tensors)
    after = GraphModel(graph, tensors)
    assert [node.name for node in graph.nodes] == ["recurrence_3", "dense"]
    assert graph.nodes[0].operation.layers.num_layers == 4
    x = RANDOM.normal(size=(9, 3)).astype(np.float32)
    assert_array_equal(after.predict([x])[0], before.predict([x])[0])
    assert trace(after, x)["h"].values.shape[0] == 4


def test_what_is_read_elsewhere_or_of_another_form_stays_apart():
    builder = GraphBuilder({"x": Value(3)})
    first = added(builder, layers(3), "x")
    second = added(builder, layers(4), first)
    third = added(builder, layers(4, hidden=5), second)
    graph, tensors = builder.build(builder.add(Concatenate(), third, first))
    assert stacked(graph, tensors)[0] == graph
    graph, tensors = builder.build(second, first)
    assert stacked(graph, tensors)[0] == graph
