"""A network of three parts and its graph give the same bits."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from penstock.errors import ConfigError
from penstock.forecast.spec import ForecastHead, Segments
from penstock.network import ClassHead, Embedding, Network, Numbers, Recurrent, RegressionHead, StepClassHead
from penstock.network.lowering import graph_of
from penstock.runtime.graph_scorer import GraphScorer
from penstock.runtime.scorer import build
from penstock.sequences import Sequences

RANDOM = np.random.default_rng(3)
HEADS = [
    *[ClassHead(3, pooling) for pooling in ("last", "mean", "max", "mean_max")],
    RegressionHead(2, "mean"),
    StepClassHead(4),
]


def tensors_of(network):
    shapes = network.parameter_shapes()
    return {name: RANDOM.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("head", HEADS, ids=repr)
@pytest.mark.parametrize("inputs", [Numbers(3), Embedding(6, 3)], ids=repr)
def test_bits_are_those_of_the_scorer(inputs, head, bidirectional):
    encoder = Recurrent(cell="gru", input_size=3, hidden_size=5, num_layers=2, bidirectional=bidirectional)
    network = Network(inputs, encoder, head)
    tensors = tensors_of(network)
    graph, named = graph_of(network, tensors)
    lengths = (0, 1, 5, 9)
    if isinstance(inputs, Embedding):
        sequences = Sequences.from_list([RANDOM.integers(0, 6, length) for length in lengths])
    else:
        sequences = Sequences.from_list([RANDOM.normal(size=(length, 3)).astype(np.float32) for length in lengths])
    (found,) = GraphScorer(graph, named).scores({next(iter(graph.inputs)): sequences}).values()
    expected = build(network, tensors).scores(sequences)
    if isinstance(head, StepClassHead):
        found, expected = found.values, expected.values
    assert_array_equal(found, expected)


def test_a_forecast_has_no_graph():
    encoder = Recurrent(input_size=4, hidden_size=5)
    segments = Segments(length=1, features=3, size=4)
    network = Network(segments, encoder, ForecastHead(horizon=2, targets=1, quantiles=3, known=0))
    with pytest.raises(ConfigError, match="carried"):
        graph_of(network, tensors_of(network))
