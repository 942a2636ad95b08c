"""For every kind in the table: PyTorch ≡ runtime ≡ its graph, and whole ≡ step by step.

A kind without a case here fails.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch

from penstock import engine, network, nn
from penstock.detect.reconstruct.spec import ReconstructionHead
from penstock.detect.spec import DistributionHead
from penstock.errors import ConfigError, ShapeError
from penstock.forecast.spec import ForecastHead, SegmentForecastHead, Segments
from penstock.language.spec import BernoulliHead, NextTokenHead
from penstock.network import KINDS, LANGUAGE, Network, Numbers, Recurrent
from penstock.network.lowering import graph_of
from penstock.runtime import scorer
from penstock.runtime.graph_scorer import GraphScorer
from penstock.sequences import Sequences
from penstock.speech.spec import CtcHead
from penstock.tagging.spec import SpelledWords, TagHead
from penstock.translate.spec import AttentionDecoder

LENGTHS = (7, 0, 3, 9, 1, 9)
SIZE, CONTEXT, HORIZON, COVARIATES = 4, 7, 5, 2
SEGMENTS = Segments(3, 1 + COVARIATES, SIZE, identities=2)
WORDS = 11
FORECAST = {"horizon": HORIZON, "quantiles": 3, "known": 2}
DESCRIPTIONS = {
    "inputs": {
        "embedding": network.Embedding(11, SIZE),
        "numbers": Numbers(SIZE),
        "segments": SEGMENTS,
        "spelled_words": SpelledWords(11, 1, 7, 3, 1, pairs=7, pair_size=1, neighbours=1),
    },
    "encoder": {"recurrent": Recurrent(cell="gru", input_size=SIZE, hidden_size=6, num_layers=2)},
    "head": {
        "class": network.ClassHead(3, "mean_max"),
        "regression": network.RegressionHead(2, "last"),
        "step_class": network.StepClassHead(3),
        "tags": TagHead(3),
        "distribution": DistributionHead(2),
        "reconstruction": ReconstructionHead(2, Recurrent(cell="lstm", input_size=6, hidden_size=5)),
        "forecast": ForecastHead(**FORECAST, known_size=4),
        "segment_forecast": SegmentForecastHead(**FORECAST, length=3, size=SIZE, context=CONTEXT, highway=2),
        "attention_decoder": AttentionDecoder(WORDS, SIZE, Recurrent(cell="lstm", input_size=SIZE, hidden_size=5)),
        "next_token": NextTokenHead(11),
        "bernoulli": BernoulliHead(SIZE),
        "ctc": CtcHead(5),
    },
}
"""One description of each kind."""
ACTIVATIONS = {"class": lambda scores: scores.softmax(-1)}
"""What the runtime's side of a head does to the scores that PyTorch's gives."""


def joined(part, name):
    """A network with a part of this kind, and other parts that go with it."""
    description = DESCRIPTIONS[part][name]
    encoder = DESCRIPTIONS["encoder"]["recurrent"]
    if part == "inputs":
        head = DESCRIPTIONS["head"]["segment_forecast" if KINDS[part][name].identified else "class"]
        return Network(description, encoder, head)
    if part == "encoder":
        return Network(Numbers(SIZE), description, DESCRIPTIONS["head"]["class"])
    wiring = KINDS[part][name].wiring
    inputs = {"carried": Segments(1, SIZE, SIZE, 2), "windowed": SEGMENTS}.get(wiring.name, Numbers(SIZE))
    inputs = network.Embedding(11, SIZE) if name == "next_token" else inputs
    return Network(inputs, encoder, description)


@dataclass
class Sides:
    """A network in PyTorch and on the engine, with the same weights; buffers, which nothing draws, are drawn too."""

    network: Network

    def __post_init__(self):
        torch.manual_seed(0)
        self.module: Any = nn.build(self.network).eval()
        for buffer in self.module.buffers():
            buffer.copy_(torch.rand_like(buffer) + 0.5)
        tensors = {name: value.numpy() for name, value in self.module.state_dict().items()}
        self.scorer = scorer.build(self.network, tensors)
        self.shapes = {name: array.shape for name, array in tensors.items()}


def drawn(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def read(inputs):
    """Features for all steps of sequences of these lengths: ids, or numbers."""
    draw, total = np.random.default_rng(1), sum(LENGTHS)
    if isinstance(inputs, network.Embedding):
        return draw.integers(11, size=total).astype(np.int32)
    if not isinstance(inputs, SpelledWords):
        return drawn(total, SIZE)
    rows = draw.integers(1, 7, size=(total, 7)).astype(np.int32)
    rows[:, 2:][np.arange(5) >= draw.integers(6, size=total)[:, None]] = 0  # words of 0 to 5 characters
    return rows[np.arange(total) % 17]  # some occur twice


def of_sequences(sides):
    """(PyTorch's, the runtime's whole, the runtime's step by step) for sequences of unequal lengths."""
    values = read(sides.network.inputs)
    sequences = Sequences(values, np.cumsum([0, *LENGTHS]))
    padded, lengths = sequences.pad()
    with torch.no_grad():
        ids = padded.dtype == np.int32
        found = sides.module(torch.tensor(padded.astype(np.int64) if ids else padded), torch.tensor(lengths))
    found = ACTIVATIONS.get(sides.network.head.kind, lambda scores: scores)(found).numpy()
    whole, head = sides.scorer.scores(sequences), sides.scorer.head
    pooled = sides.network.wiring == network.POOLED
    stepped = []
    for each in sequences:
        step, carry = sides.scorer.encoder.step(), head.init(1) if pooled else None
        rows = []
        for vector in sides.scorer.vectors(each):
            y = step(vector[None])
            rows.append(head.step(carry, y) if pooled else head(y)[0])
        stepped.append(head.read(carry)[0] if pooled else np.array(rows, np.float32).reshape(-1, head.outputs))
    if pooled:
        return found, whole, np.stack(stepped)
    inside = np.concatenate([row[:length] for row, length in zip(found, lengths, strict=True)])
    np.testing.assert_array_equal(whole.offsets, sequences.offsets)
    return inside, whole.values, np.concatenate(stepped)


def of_carried(sides):
    """The same for forecasts after each step of two series."""
    steps, last, known = drawn(2, 8, SIZE), drawn(2, 8, 1, seed=2), drawn(2, 8, HORIZON, 2, seed=3)
    identity = np.array([2, 0])
    with torch.no_grad():
        found, _ = sides.module(*map(torch.from_numpy, (steps, last, known, identity)))
    y, _ = sides.scorer.fold(steps.swapaxes(0, 1), identity)
    head, shape = sides.scorer.head, found.shape
    about = last.reshape(16, 1), known.reshape(16, HORIZON, 2)
    whole = head(y.swapaxes(0, 1).reshape(16, -1), *about).reshape(shape)
    step, stepped = sides.scorer.encoder.step(2), np.empty(shape, np.float32)
    for time in range(8):
        out = step(sides.scorer.vectors(steps[:, time], identity))
        stepped[:, time] = head(out, last[:, time], known[:, time])
    return found.numpy(), whole, stepped


def of_windows(sides):
    """The same for forecasts from look-backs; they have no steps, so each is taken alone instead."""
    values, covariates, known = (
        drawn(3, CONTEXT, 1),
        drawn(3, CONTEXT, COVARIATES, seed=2),
        drawn(3, HORIZON, 2, seed=3),
    )
    window = values, covariates, known, np.array([2, 0, 1])
    with torch.no_grad():
        found, _ = sides.module(*map(torch.from_numpy, window))
    alone = [sides.scorer(*(array[row : row + 1] for array in window)) for row in range(3)]
    return found.numpy(), sides.scorer(*window), np.concatenate(alone)


def of_translations(sides):
    """The log-probabilities of targets; the runtime's for all sources at once, and for each one alone."""
    lengths, targets = (7, 1, 3, 9), (4, 9, 2, 6)
    sources = Sequences(drawn(sum(lengths), SIZE), np.cumsum([0, *lengths]))
    words = Sequences(np.random.default_rng(1).integers(WORDS, size=sum(targets)), np.cumsum([0, *targets]))
    (values, steps), (tokens, _) = sources.pad(), words.pad()
    with torch.no_grad():
        scores = sides.module(*map(torch.from_numpy, (values, steps, tokens[:, :-1]))).log_softmax(-1).numpy()
    found = np.take_along_axis(scores, tokens[:, 1:, None], 2)[..., 0]
    inside = np.concatenate([row[: length - 1] for row, length in zip(found, targets, strict=True)])
    alone = [sides.scorer.scores(sources[[row]], words[[row]]).values for row in range(4)]
    return inside, sides.scorer.scores(sources, words).values, np.concatenate(alone)


def of_language(sides):
    """The same for the log-probability of each token or frame."""
    total, ids = sum(LENGTHS), isinstance(sides.network.inputs, network.Embedding)
    values = np.random.default_rng(1).integers(11, size=total).astype(np.int32) if ids else drawn(total, SIZE) > 0
    sequences = Sequences(values if ids else values.astype(np.float32), np.cumsum([0, *LENGTHS]))
    first = 2 if ids else np.zeros(SIZE, np.float32)
    whole = sides.scorer.log_probabilities(sequences, first)
    expected, stepped = [], []
    for targets in sequences:
        read = np.concatenate([np.asarray(first, targets.dtype)[None], targets[:-1]])[: len(targets)]
        step = sides.scorer.encoder.step()
        for value, target in zip(read, targets, strict=True):
            y = step(sides.scorer.vectors(value[None]))
            stepped.append(sides.scorer.head.log_probabilities(y, target[None])[0])
        if len(targets):
            given, wanted = (torch.tensor(array.astype(np.int64) if ids else array) for array in (read, targets))
            with torch.no_grad():
                y, _ = sides.module.encode(sides.module.vectors(given[None]))
                expected.append(-sides.module.head.losses(y[0], wanted, sides.module.table).numpy())
    return np.concatenate(expected), whole, np.array(stepped, np.float32)


def of_speech(sides):
    """The same for a head that looks ahead, of outputs that arrive in pieces."""
    sides = Sides(replace(sides.network, head=replace(sides.network.head, lookahead=3)))
    sides.module.head.lookahead.data.copy_(torch.from_numpy(drawn(4, 6)))
    tensors = {name: value.detach().numpy() for name, value in sides.module.state_dict().items()}
    sides.scorer = scorer.build(sides.network, tensors)
    sequences = Sequences(drawn(sum(LENGTHS), SIZE), np.cumsum([0, *LENGTHS]))
    padded, lengths = sequences.pad()
    with torch.no_grad():
        found = sides.module(torch.from_numpy(padded), torch.from_numpy(lengths)).numpy()
    inside = np.concatenate([row[:length] for row, length in zip(found, LENGTHS, strict=True)])
    head, stepped = sides.scorer.head, []
    for each in sequences:
        step, ahead = sides.scorer.encoder.step(), head.lookahead()
        y = np.array([step(vector[None])[0].copy() for vector in each], np.float32).reshape(len(each), 6)
        pieces = [ahead.push(piece) for piece in np.split(y, range(1, len(y), 2))]
        stepped += [head(piece) for piece in (*pieces, ahead.finish())]
    return inside, sides.scorer.scores(sequences).values, np.concatenate(stepped)


def of_examples(sides):
    """The same for scores of every step, which follow from the last one's output."""
    sequences = Sequences(drawn(sum(LENGTHS), SIZE), np.cumsum([0, *LENGTHS]))
    padded, lengths = sequences.pad()
    with torch.no_grad():
        found = sides.module(torch.from_numpy(padded), torch.from_numpy(lengths)).numpy()
    inside = np.concatenate([row[:length] for row, length in zip(found, LENGTHS, strict=True)])
    stepped = []
    for each in filter(len, sequences):
        step = sides.scorer.encoder.step()
        for vector in each:
            y = step(vector[None])
        stepped += sides.scorer.head(y, np.array([len(each)]))
    return inside, sides.scorer.scores(sequences).values, np.concatenate(stepped)


RUNS: dict[str, Callable[[Sides], tuple[np.ndarray, np.ndarray, np.ndarray]]] = {
    "pooled": of_sequences,
    "stepwise": of_sequences,
    "reproducing": of_examples,
    "carried": of_carried,
    "windowed": of_windows,
    "attending": of_translations,
    "language": of_language,
    "listening": of_speech,
}
OF_STEPS = [
    name for name, kind in KINDS["head"].items() if kind.wiring in (network.POOLED, network.STEPWISE, network.LISTENING)
]
"""Heads whose scorers read whole sequences."""
ROWS = [(part, name) for part, kinds in KINDS.items() for name in kinds]


@pytest.mark.parametrize(("part", "name"), ROWS, ids=["-".join(row) for row in ROWS])
def test_pytorch_the_runtime_and_the_runtime_step_by_step_agree(part, name):
    assert name in DESCRIPTIONS[part], f"add a description of {part} of kind {name!r} to DESCRIPTIONS"
    sides = Sides(joined(part, name))
    assert sides.network.wiring.name in RUNS, f"add a run of networks wired {sides.network.wiring.name!r} to RUNS"
    assert sides.shapes == {key: tuple(shape) for key, shape in sides.network.parameter_shapes().items()}
    expected, whole, stepped = RUNS[sides.network.wiring.name](sides)
    assert len(np.unique(whole.round(4))) > 10, "the outputs must differ for this test to mean anything"
    np.testing.assert_array_equal(stepped, whole)
    # The same bits through the recurrence; sums in heads run in another order.
    np.testing.assert_allclose(whole, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", OF_STEPS)
def test_a_network_that_reads_backward_too_agrees_and_has_no_stream(name):
    encoder = Recurrent(cell="lstm", input_size=SIZE, hidden_size=3, bidirectional=True)
    sides = Sides(Network(Numbers(SIZE), encoder, DESCRIPTIONS["head"][name]))
    sequences = Sequences(drawn(sum(LENGTHS), SIZE), np.cumsum([0, *LENGTHS]))
    padded, lengths = map(torch.tensor, sequences.pad())
    with torch.no_grad():
        expected = ACTIVATIONS.get(name, lambda scores: scores)(sides.module(padded, lengths)).numpy()
    whole = sides.scorer.scores(sequences)
    if sides.network.wiring != network.POOLED:
        expected = np.concatenate([row[:length] for row, length in zip(expected, LENGTHS, strict=True)])
        whole = whole.values
    np.testing.assert_allclose(whole, expected, rtol=1e-4, atol=1e-5)
    assert not sides.scorer.pools
    with pytest.raises(ConfigError, match=r"bidirectional|can't share a pool"):
        sides.scorer.pool()


@pytest.mark.parametrize("name", OF_STEPS)
def test_long_sequences_in_spans_and_threads_give_the_same_bits(name, monkeypatch):
    sides = Sides(joined("head", name))
    lengths = (40, 3, 0, 25)
    sequences = Sequences(drawn(sum(lengths), SIZE), np.cumsum([0, *lengths]))

    def bits():
        found = sides.scorer.scores(sequences)
        return getattr(found, "values", found).tobytes()

    whole, threads = bits(), engine.get_num_threads()
    monkeypatch.setattr(scorer, "_STEPS", 6)
    assert bits() == whole
    try:
        engine.set_num_threads(3)
        assert bits() == whole
    finally:
        engine.set_num_threads(threads)


@pytest.mark.parametrize(("part", "name"), ROWS, ids=["-".join(row) for row in ROWS])
def test_its_graph_gives_the_same_bits_or_is_refused_by_name(part, name):
    sides = Sides(joined(part, name))
    tensors = {key: value.numpy() for key, value in sides.module.state_dict().items()}
    if sides.network.wiring == network.WINDOWED:
        with pytest.raises(ConfigError, match="windowed"):
            graph_of(sides.network, tensors)
        return
    if sides.network.inputs.kind == "spelled_words":
        with pytest.raises(ConfigError, match=r"spelled_words.*--no-spelling"):
            graph_of(sides.network, tensors)
        return
    if sides.network.wiring in (network.ATTENDING, network.REPRODUCING):
        with pytest.raises(ConfigError, match=f"a head of kind '{name}' can't be exported"):
            graph_of(sides.network, tensors)
        return
    graph, named = graph_of(sides.network, tensors)
    if sides.network.wiring == network.CARRIED:  # its bits are held in tests/runtime/test_lowering.py
        assert set(named) == set(graph.parameter_shapes())
        return
    sequences = Sequences(read(sides.network.inputs), np.cumsum([0, *LENGTHS]))
    (found,) = GraphScorer(graph, named).scores({next(iter(graph.inputs)): sequences}).values()
    if sides.network.wiring == LANGUAGE:  # whose scorer keeps the scores of targets alone
        values, lengths = sequences.pad()
        y, _ = sides.scorer.encode(sides.scorer.vectors(values), lengths=lengths)
        expected = sides.scorer.head.scores(y[np.arange(y.shape[1]) < lengths[:, None]])
    else:
        expected = sides.scorer.scores(sequences)
    np.testing.assert_array_equal(getattr(found, "values", found), getattr(expected, "values", expected))


@pytest.mark.parametrize(("part", "name"), ROWS, ids=["-".join(row) for row in ROWS])
def test_every_description_comes_back_from_json(part, name):
    described = joined(part, name)
    assert Network.from_json(described.to_json()) == described


def test_tensors_that_are_not_those_of_the_description_are_refused():
    sides = Sides(joined("head", "class"))
    tensors = {name: value.numpy() for name, value in sides.module.state_dict().items()}
    for wrong in (np.zeros((3, 5), np.float32), None):
        changed = {name: wrong if name == "head.weight" else array for name, array in tensors.items()}
        with pytest.raises(ShapeError, match=r"head.weight must be \(3, 12\), .*; got (\(3, 5\)|absent)"):
            scorer.build(sides.network, {name: array for name, array in changed.items() if array is not None})
