"""Chains of labels: each algorithm ≡ all paths one by one, whatever else is in the batch."""

from itertools import pairwise, product

import numpy as np
import pytest

from penstock.errors import ConfigError
from penstock.heads import Chain, FixedLag, Viterbi, marginals
from penstock.sequences import Sequences

LENGTHS = (4, 0, 1, 5, 2, 5, 3)


def chain_and_scores(labels=3, lengths=LENGTHS, seed=0):
    draw = np.random.default_rng(seed)
    transitions, start, end = (draw.normal(size=shape).astype(np.float32) for shape in ((labels,) * 2, labels, labels))
    transitions[0, 1] = -10_000  # forbidden
    scores = draw.normal(size=(sum(lengths), labels)).astype(np.float32)
    chain = Chain.of({"transitions": transitions, "start": start, "end": end})
    return chain, Sequences(scores, np.cumsum([0, *lengths]))


def paths(chain, scores):
    """Every path of labels (paths, steps), and its score."""
    several = np.array(list(product(range(len(chain)), repeat=len(scores))))
    each = chain.start[several[:, 0]] + chain.end[several[:, -1]]
    each = each + scores.astype(np.float64)[np.arange(len(scores)), several].sum(axis=1)
    return several, each + chain.transitions[several[:, :-1], several[:, 1:]].sum(axis=1)


@pytest.mark.parametrize("labels", [2, 3, 4])
def test_the_best_path_is_that_of_all_paths(labels):
    chain, scores = chain_and_scores(labels)
    expected = []
    for each in scores:
        if len(each):
            several, found = paths(chain, each)
            expected += several[found.argmax()].tolist()
    assert Viterbi(chain).several(scores).tolist() == expected


@pytest.mark.parametrize("labels", [2, 3, 4])
def test_probabilities_are_sums_over_all_paths(labels):
    chain, scores = chain_and_scores(labels)
    found = Sequences(marginals(chain, scores), scores.offsets)
    for each, probabilities in zip(scores, found, strict=True):
        if not len(each):
            continue
        several, total = paths(chain, each)
        shares = np.exp(total - total.max())
        shares /= shares.sum()
        expected = [[shares[several[:, step] == label].sum() for label in range(labels)] for step in range(len(each))]
        np.testing.assert_allclose(probabilities, expected, rtol=1e-10, atol=1e-12)


def test_of_equal_paths_it_is_the_first():
    zero = Chain(np.zeros((3, 3)), np.zeros(3), np.zeros(3))
    assert Viterbi(zero).whole(np.zeros((4, 3), np.float32)).tolist() == [0] * 4
    assert FixedLag(zero, 1).whole(np.zeros((4, 3), np.float32)).tolist() == [0] * 4


@pytest.mark.parametrize("labels", [2, 9])
def test_the_bits_of_a_sequence_do_not_depend_on_the_others(labels, monkeypatch):
    lengths = tuple(np.random.default_rng(3).integers(0, 30, 40).tolist())
    chain, scores = chain_and_scores(labels, lengths)
    together = marginals(chain, scores)
    alone = [marginals(chain, Sequences(each, np.array([0, len(each)]))) for each in scores]
    np.testing.assert_array_equal(np.concatenate(alone), together)
    decoders = Viterbi(chain), FixedLag(chain, 2)
    several = [decoder.several(scores) for decoder in decoders]
    for decoder, found in zip(decoders, several, strict=True):
        np.testing.assert_array_equal(np.concatenate([decoder.whole(each) for each in scores]), found)
    monkeypatch.setattr("penstock.heads.chain._ENTRIES", 1)
    np.testing.assert_array_equal(marginals(chain, scores), together)
    np.testing.assert_array_equal([decoder.several(scores) for decoder in decoders], several)


def lagged(chain, scores, lookahead):
    """Fixed-lag decoding, written down from its definition: of all paths that begin with what is final."""
    final = []
    for step in range(len(scores)):
        several, total = paths(chain, scores[: step + 1])
        total = total - chain.end[several[:, -1]]
        begun = (several[:, : len(final)] == np.array(final, np.int64)).all(axis=1)
        best = several[begun][total[begun].argmax()]
        if step >= lookahead:
            final.append(int(best[step - lookahead]))
    several, total = paths(chain, scores)
    begun = (several[:, : len(final)] == np.array(final, np.int64)).all(axis=1)
    return several[begun][total[begun].argmax()].tolist()


@pytest.mark.parametrize("lookahead", [0, 1, 2, 3, 9])
def test_a_label_is_that_of_the_best_path_when_it_becomes_final(lookahead):
    chain, scores = chain_and_scores(3, (6, 1, 0, 5, 6), seed=4)
    decoder = FixedLag(chain, lookahead)
    expected = [label for each in scores if len(each) for label in lagged(chain, each, lookahead)]
    assert decoder.several(scores).tolist() == expected
    if lookahead == 9:
        assert expected == Viterbi(chain).several(scores).tolist()
    assert not any(before == 0 and after == 1 for before, after in pairwise(expected[:6]))


def test_the_best_path_has_no_stream():
    with pytest.raises(ConfigError, match="lookahead=k"):
        Viterbi(chain_and_scores()[0]).stream()
