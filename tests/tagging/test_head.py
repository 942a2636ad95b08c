"""Inputs and head of taggers: each distinct spelling once, with bits of its own; what of them can be exported."""

import numpy as np
import pytest
import torch

from penstock.errors import ConfigError
from penstock.network import Network, Recurrent
from penstock.network.lowering import graph_of
from penstock.runtime import scorer
from penstock.runtime.graph_scorer import GraphScorer
from penstock.sequences import Sequences
from penstock.tagging.head import SpelledWordInputs
from penstock.tagging.layers import FORBIDDEN, SpelledWordsModule, TagHeadModule
from penstock.tagging.spec import SpelledWords, TagHead
from penstock.tagging.spellings import distinct


def drawn(described, *size):
    draw = np.random.default_rng(0)
    shapes = described.parameter_shapes(*size).items()
    return {name: draw.normal(size=shape).astype(np.float32) for name, shape in shapes}


def test_distinct_spellings_are_all_there_the_shortest_first():
    rows = np.array([[3, 2, 0], [1, 0, 0], [3, 2, 0], [0, 0, 0], [3, 2, 1], [1, 0, 0]], np.int32)
    found, lengths, which = distinct(rows)
    assert len(found) == 4
    assert lengths.tolist() == [0, 1, 2, 3]
    np.testing.assert_array_equal(found[which], rows)
    for empty in (rows[:0], rows[:, :0]):
        found, lengths, which = distinct(empty)
        np.testing.assert_array_equal(found[which], empty)
        assert len(lengths) == len(found)


def test_the_bits_of_a_word_do_not_depend_on_other_words_or_padding(monkeypatch):
    spec = SpelledWords(50, 6, 9, 4, 3)
    inputs = SpelledWordInputs(spec, drawn(spec))
    draw = np.random.default_rng(1)
    rows = draw.integers(1, 9, size=(40, 13)).astype(np.int32)
    rows[:, 1:][np.arange(12) >= draw.integers(0, 13, 40)[:, None]] = 0
    together = inputs(rows)
    assert together.shape == (40, spec.size)
    np.testing.assert_array_equal(inputs(rows.reshape(5, 8, 13)).reshape(40, -1), together)
    for row, expected in zip(rows, together, strict=True):
        alone = row[: 1 + np.count_nonzero(row[1:])]
        np.testing.assert_array_equal(inputs(alone[None])[0], expected)
        np.testing.assert_array_equal(inputs(np.concatenate([alone, np.zeros(30, np.int32)])), expected)
    monkeypatch.setattr("penstock.tagging.head._BATCH", 3)
    np.testing.assert_array_equal(inputs(rows), together)


def test_pairs_on_both_sides_are_read_as_in_pytorch():
    spec = SpelledWords(9, 3, pairs=5, pair_size=2, neighbours=2)
    tensors, rows = drawn(spec), np.random.default_rng(1).integers(0, 5, size=(4, 6, 3)).astype(np.int32)
    module = SpelledWordsModule(spec)
    module.load_state_dict({name: torch.from_numpy(array) for name, array in tensors.items()})
    found = SpelledWordInputs(spec, tensors)(rows)
    assert found.shape == (4, 6, 7)
    np.testing.assert_array_equal(found, module(torch.from_numpy(rows.astype(np.int64))).detach())
    np.testing.assert_array_equal(found[..., 3:5], tensors["pairs.weight"][rows[..., 1]])


@pytest.mark.parametrize(
    ("spec", "options", "message"),
    [
        (SpelledWords, {"words": 0, "word_size": 2}, "words must be a whole number, at least 1"),
        (SpelledWords, {"words": 5, "word_size": 2, "characters": 3}, "character_size must be .* at least 1"),
        (SpelledWords, {"words": 5, "word_size": 2, "character_size": 3}, "must be 0 where characters is 0"),
        (SpelledWords, {"words": 5, "word_size": 2, "neighbours": 1}, "neighbours must be 0 where pairs is 0"),
        (
            SpelledWords,
            {"words": 5, "word_size": 2, "pairs": 3, "pair_size": 2, "neighbours": 3},
            "neighbours must be at most 2; got 3",
        ),
        (TagHead, {"classes": 1}, "classes must be a whole number, at least 2"),
        (TagHead, {"classes": 3, "crf": 1}, "crf must be True or False"),
        (TagHead, {"classes": 3, "lookahead": -1}, "lookahead must be a whole number, at least 0"),
        (TagHead, {"classes": 3, "crf": False, "lookahead": 1}, "lookahead needs crf=True"),
    ],
)
def test_descriptions_that_make_no_sense_are_refused(spec, options, message):
    with pytest.raises(ConfigError, match=message):
        spec(**options)


def test_the_graph_of_a_tagger_by_words_gives_the_scores_of_its_tags():
    network = Network(SpelledWords(11, 4), Recurrent(input_size=4, hidden_size=6, bidirectional=True), TagHead(3))
    tensors = drawn(network)
    words = np.random.default_rng(2).integers(11, size=9).astype(np.int32)
    expected = scorer.build(network, tensors).scores(Sequences(words[:, None], np.array([0, 5, 9])))
    graph, named = graph_of(network, tensors)
    found = GraphScorer(graph, named).scores({"ids": Sequences(words, np.array([0, 5, 9]))})["scores"]
    np.testing.assert_array_equal(found.values, expected.values)
    spelled = Network(SpelledWords(11, 2, 5, 2, 1), network.encoder, network.head)
    with pytest.raises(ConfigError, match=r"spelled_words.*read characters"):
        graph_of(spelled, drawn(spelled))


@pytest.mark.parametrize("crf", [True, False])
def test_errors_are_minus_the_logarithm_of_probabilities(crf):
    torch.manual_seed(0)
    head = TagHeadModule(TagHead(2, crf), features=3)
    y, lengths = torch.randn(2, 3, 3), torch.tensor([3, 2])
    every = torch.tensor([[a, b, c] for a in range(2) for b in range(2) for c in range(2)])
    total = sum(torch.exp(-head.errors(head(y[:1]), tags[None], lengths[:1])).item() for tags in every)
    assert total == pytest.approx(1)
    padded = head.errors(head(y), torch.tensor([[0, 1, 0], [1, 0, -100]]), lengths)
    alone = head.errors(head(y[1:, :2]), torch.tensor([[1, 0]]), lengths[1:])
    torch.testing.assert_close(padded[1:], alone)


def test_a_forbidden_transition_is_never_taken_and_never_trained():
    torch.manual_seed(0)
    head = TagHeadModule(TagHead(3), features=2)
    allowed = np.ones((3, 3), bool)
    allowed[1, 2] = False
    head.forbid(allowed, np.array([True, True, False]), np.array([True, False, True]))
    head.errors(head(torch.randn(1, 4, 2)), torch.tensor([[0, 1, 1, 0]]), torch.tensor([4])).sum().backward()
    assert head.transitions[1, 2] == head.start[2] == head.end[1] == FORBIDDEN
    assert head.transitions.grad[1, 2] == head.start.grad[2] == head.end.grad[1] == 0
