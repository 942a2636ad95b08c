"""A network of three parts and its graph give the same bits."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from penstock.errors import ConfigError
from penstock.forecast.spec import ForecastHead, SegmentForecastHead, Segments
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


@pytest.mark.parametrize("known", [0, 2])
@pytest.mark.parametrize("identities", [0, 3])
def test_a_carried_forecast_has_the_bits_of_its_scorer(known, identities):
    head = ForecastHead(horizon=3, targets=2, quantiles=3, known=known, known_size=4)
    encoder = Recurrent(cell="gru", input_size=4, hidden_size=5)
    network = Network(Segments(length=1, features=6, size=4, identities=identities), encoder, head)
    tensors = tensors_of(network)
    graph, named = graph_of(network, tensors)
    draw = {name: RANDOM.normal(size=(9, value.size)).astype(np.float32) for name, value in graph.inputs.items()}
    draw["identity"] = np.full(9, 2 if identities else 0)
    given = {name: Sequences.from_list([draw[name]]) for name in graph.inputs}
    (found,) = GraphScorer(graph, named).scores(given).values()
    scorer = build(network, tensors)
    y, _ = scorer.fold(draw["x"][:, None], draw["identity"][:1])
    about = draw["last"], draw.get("known", np.zeros((9, 0), np.float32)).reshape(9, 3, known)
    assert_array_equal(found.values, scorer.head(y[:, 0], *about).reshape(9, -1))


def test_a_look_back_has_no_graph():
    encoder = Recurrent(input_size=4, hidden_size=5)
    head = SegmentForecastHead(horizon=2, length=2, size=4, context=6)
    network = Network(Segments(length=2, features=1, size=4), encoder, head)
    with pytest.raises(ConfigError, match="the wiring 'windowed' reads a fixed window, and has no graph"):
        graph_of(network, tensors_of(network))
