"""Beam search beside a brute-force search, and one source beside a batch of them."""

from itertools import product
from typing import NamedTuple

import numpy as np
import pytest

from penstock.errors import ConfigError
from penstock.translate.beam import Beam, log_probabilities, search

BEGIN, END, LETTERS = 1, 2, (3, 4)
VOCABULARY = 5


class Source(NamedTuple):
    """A source that a toy decoder attends to."""

    steps: int
    seed: int


class Rows(NamedTuple):
    """Targets that are being written: the source and the tokens of each."""

    sources: list
    written: list

    def take(self, rows, counts):
        kept = [source for source, count in zip(self.sources, counts, strict=True) if count]
        assert sum(counts) == len(rows)
        return Rows(kept, [self.written[row] for row in rows])


class Toy:
    """Scores drawn anew for each source and prefix: a network that no shortcut can guess."""

    def begin(self, sources):
        return Rows(sources, [(source, ()) for source in sources])

    def step(self, rows, tokens):
        written = [
            (source, (*before, int(token))) for (source, before), token in zip(rows.written, tokens, strict=True)
        ]
        scores = np.stack([self.scores(source, prefix) for source, prefix in written])
        widest = max(source.steps for source, _ in written)
        weights = np.zeros((len(written), widest), np.float32)
        for row, (source, prefix) in enumerate(written):
            weights[row, len(prefix) % source.steps] = 1
        return scores, weights, Rows(rows.sources, written)

    def scores(self, source, prefix):
        return np.random.default_rng([source.seed, *prefix]).normal(0, 2, VOCABULARY).astype(np.float32)


def brute_force(source, longest, normalization):
    """All targets of at most `longest` letters, with their scores, the best first."""
    found = []
    for length in range(longest + 1):
        for letters in product(LETTERS, repeat=length):
            tokens, total = [BEGIN, *letters, END], 0.0
            for step in range(length + 1):
                scores = Toy().scores(source, tokens[: step + 1]).astype(np.float64)
                total += scores[tokens[step + 1]] - np.log(np.exp(scores).sum())
            found.append((total / (length + 1) ** normalization, letters))
    return sorted(found, key=lambda each: -each[0])


@pytest.mark.parametrize("normalization", [0.0, 0.7, 1.0])
def test_a_wide_beam_finds_what_a_search_of_all_targets_finds_in_its_order(normalization):
    sources = [Source(3, 0), Source(1, 1), Source(4, 2)]
    beam = Beam(begin=BEGIN, end=END, banned=(0, 1), size=40, normalization=normalization, max_length=4)
    for source, found in zip(sources, search(Toy(), sources, beam), strict=True):
        expected = brute_force(source, 4, normalization)
        assert [tuple(each.tokens.tolist()) for each in found] == [letters for _, letters in expected]
        # The engine's softmax is float32.
        np.testing.assert_allclose([each.score for each in found], [score for score, _ in expected], atol=1e-5)
        best = found[0]
        assert best.weights.shape == (len(best.tokens) + 1, source.steps)
        assert best.weights.argmax(1).tolist() == [step % source.steps for step in range(1, len(best.tokens) + 2)]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_source_gives_the_same_alone_and_among_others(size):
    sources = [Source(steps, seed) for seed, steps in enumerate((3, 1, 7, 2, 5))]
    beam = Beam(begin=BEGIN, end=END, banned=(0, 1), size=size, max_length=2, ratio=1.5)
    for source, found in zip(sources, search(Toy(), sources, beam), strict=True):
        (alone,) = search(Toy(), [source], beam)
        assert len(found) == len(alone) == size
        assert all(len(each.tokens) <= max(2, int(1.5 * source.steps)) for each in found)
        for ours, theirs in zip(found, alone, strict=True):
            assert ours.score == theirs.score
            np.testing.assert_array_equal(ours.tokens, theirs.tokens)
            np.testing.assert_array_equal(ours.weights, theirs.weights)


def test_a_beam_of_one_takes_the_best_token_of_each_step():
    source = Source(2, 5)
    (found,) = search(Toy(), [source], Beam(begin=BEGIN, end=END, banned=(0, 1), size=1, max_length=6))
    prefix = [BEGIN]
    while prefix[-1] != END:
        scores = Toy().scores(source, prefix)
        scores[[0, 1]] = -np.inf
        prefix.append(END if len(prefix) == 7 else int(scores.argmax()))
    assert found[0].tokens.tolist() == prefix[1:-1]


def test_the_best_tokens_of_a_large_vocabulary_are_those_of_a_sort():
    from penstock.translate.beam import _largest

    scores = np.random.default_rng(0).normal(size=(20, 1013)).round(1).astype(np.float32)  # with many equal ones
    found = np.take_along_axis(scores, _largest(scores, 5), 1)
    np.testing.assert_array_equal(found, -np.sort(-scores, axis=1)[:, :5])


def test_log_probabilities_are_those_of_a_softmax():
    scores = np.random.default_rng(0).normal(0, 5, (6, 50)).astype(np.float32)
    tokens = np.arange(12).reshape(6, 2)
    wide = scores.astype(np.float64)
    expected = np.take_along_axis(wide - np.log(np.exp(wide).sum(1, keepdims=True)), tokens, 1)
    # The engine's softmax is float32.
    np.testing.assert_allclose(log_probabilities(scores, tokens), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"size": 0}, "beam must be a whole number, at least 1; got 0"),
        ({"size": True}, "beam must be a whole number, at least 1; got True"),
        ({"max_length": 0}, "max_length must be a whole number, at least 1; got 0"),
        ({"normalization": -1}, "normalization must be a number, at least 0; got -1"),
    ],
)
def test_settings_that_make_no_search_are_refused(options, said):
    with pytest.raises(ConfigError, match=said):
        Beam(begin=BEGIN, end=END, **options)
