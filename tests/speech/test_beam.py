"""Prefix beam search beside all paths one by one, and beside the search written out with dictionaries."""

import itertools
import math
from collections import defaultdict

import numpy as np
import pytest

from penstock.errors import ConfigError
from penstock.speech.beam import PrefixBeam, check_beam
from penstock.speech.paths import Greedy
from penstock.speech.spec import BLANK


def draw(steps, tokens, seed, sharpness=2.0):
    """Log-probabilities (steps, tokens)."""
    scores = np.random.default_rng(seed).normal(size=(steps, tokens)) * sharpness
    return (scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))).astype(np.float32)


def collapsed(path):
    return tuple(token for token, _ in itertools.groupby(path) if token != BLANK)


class Bigrams:
    """A language model of pairs of tokens."""

    def __init__(self, tokens, seed=0):
        self.table = np.random.default_rng(seed).normal(size=(tokens, tokens + 1))

    def begin(self):
        return 0

    def added(self, state, token):
        return float(self.table[state, token])

    def after(self, states, tokens):
        return list(tokens)

    def ended(self, state):
        return float(self.table[state, -1])

    def total(self, tokens, *, ended=False):
        pairs = itertools.pairwise([0, *tokens])
        return sum(self.added(a, b) for a, b in pairs) + (self.ended([0, *tokens][-1]) if ended else 0)


def by_all_paths(rows):
    """Each prefix's log-probability over all its paths, and its likeliest path."""
    sums, best = defaultdict(lambda: -math.inf), {}
    for path in itertools.product(range(rows.shape[1]), repeat=len(rows)):
        likely = float(rows.astype(np.float64)[np.arange(len(rows)), path].sum())
        prefix = collapsed(path)
        sums[prefix] = np.logaddexp(sums[prefix], likely)
        if likely > best.get(prefix, (-math.inf,))[0]:
            best[prefix] = likely, path
    return sums, best


def by_dictionaries(rows, size, fusion=None, floor=-math.inf):
    """Hannun et al. (2014), algorithm 1."""
    held = {(): (0.0, -math.inf)}
    weigh = fusion.total if fusion else lambda prefix: 0.0
    for row in rows.astype(np.float64):
        found = defaultdict(lambda: [-math.inf, -math.inf])
        for prefix, (blank, other) in held.items():
            both, last = np.logaddexp(blank, other), prefix[-1] if prefix else None
            found[prefix][0] = np.logaddexp(found[prefix][0], both + row[BLANK])
            if prefix:
                found[prefix][1] = np.logaddexp(found[prefix][1], other + row[last])
            for token in range(1, len(row)):
                longer = (*prefix, token)
                if row[token] >= floor:
                    start = blank if token == last else both
                    found[longer][1] = np.logaddexp(found[longer][1], start + row[token])
        scores = {prefix: np.logaddexp(*pair) + weigh(prefix) for prefix, pair in found.items()}
        held = {prefix: found[prefix] for prefix in sorted(scores, key=scores.get, reverse=True)[:size]}
    return [(prefix, np.logaddexp(*pair) + weigh(prefix)) for prefix, pair in held.items()]


def searched(rows, size, **how):
    decoder = PrefixBeam(rows.shape[1], size, **how)
    for step, row in enumerate(rows):
        decoder.push(row, step)
    return decoder


@pytest.mark.parametrize("fusion", [None, Bigrams(3)])
@pytest.mark.parametrize("seed", range(4))
def test_a_beam_that_holds_every_prefix_sums_over_all_paths(seed, fusion):
    rows = draw(6, 3, seed)
    sums, best = by_all_paths(rows)
    decoder = searched(rows, 200, least_probability=0, margin=math.inf, fusion=fusion)
    count = int(decoder._count[0])
    found = {tuple(decoder._path(row).tokens.tolist()): row for row in range(count)}
    assert found.keys() == sums.keys()
    for prefix, row in found.items():
        assert np.logaddexp(*decoder._sums[row]) == pytest.approx(sums[prefix], abs=1e-9)
        likely, path = best[prefix]
        assert decoder._best[row].max() == pytest.approx(likely, abs=1e-9)
        spans = [
            (token, [step for step, _ in steps])
            for token, steps in ((k, list(g)) for k, g in itertools.groupby(enumerate(path), lambda each: each[1]))
            if token != BLANK
        ]
        own = decoder._path(row)
        assert own.steps.tolist() == [[steps[0], steps[-1]] for _, steps in spans]
        np.testing.assert_array_equal(own.peaks, [rows[steps, token].max() for token, steps in spans])
    if fusion:
        winner = max(sums, key=lambda prefix: sums[prefix] + fusion.total(prefix, ended=True))
        assert tuple(decoder.finished().tokens.tolist()) == winner


@pytest.mark.parametrize("least", [0, 0.05])
@pytest.mark.parametrize("fusion", [None, Bigrams(6)])
@pytest.mark.parametrize("size", [1, 2, 7])
def test_a_narrow_beam_keeps_what_the_search_by_dictionaries_keeps(size, fusion, least):
    rows = draw(40, 6, 5)
    decoder = searched(rows, size, least_probability=least, margin=math.inf, fusion=fusion)
    expected = by_dictionaries(rows, size, fusion, math.log(least) if least else -math.inf)
    own = [tuple(decoder._path(row).tokens.tolist()) for row in range(int(decoder._count[0]))]
    assert own == [prefix for prefix, _ in expected]
    scores = np.logaddexp(*decoder._sums[: len(own)].T) + decoder._fused[: len(own)]
    np.testing.assert_allclose(scores, [score for _, score in expected], rtol=1e-12)


def test_what_all_hypotheses_share_is_settled():
    rows = draw(30, 5, 2, sharpness=5)
    settled = set()
    for steps in range(1, 31):
        decoder = searched(rows[:steps], 4)
        paths = [decoder._path(row).tokens.tolist() for row in range(int(decoder._count[0]))]
        assert decoder.settled == sum(
            1 for _ in itertools.takewhile(lambda each: len(set(each)) == 1, zip(*paths, strict=False))
        )
        settled.add(decoder.settled)
    assert len(settled) > 3


def test_hypotheses_far_below_the_best_are_dropped():
    rows = draw(30, 5, 2, sharpness=5)
    decoder = searched(rows, 50, margin=0.5)
    count = int(decoder._count[0])
    scores = np.logaddexp(*decoder._sums[:count].T)
    assert 1 < count < 50
    assert scores.min() >= scores.max() - 0.5


@pytest.mark.parametrize("make", [lambda: PrefixBeam(5, 4, fusion=Bigrams(5)), lambda: Greedy(5)])
def test_memory_that_is_copied_goes_on_with_the_same_bits_also_after_a_cut(make, monkeypatch):
    for name in ("penstock.speech.paths.LONGEST", "penstock.speech.beam.LONGEST"):
        monkeypatch.setattr(name, 8)
    rows, decoder = draw(60, 5, 1, sharpness=4), make()
    cuts = 0
    for step, row in enumerate(rows):
        if decoder.full:
            assert len(decoder.cut(4).tokens) == 4
            cuts += 1
        twin = make()
        for name, array in twin.arrays().items():
            array[...] = decoder.arrays()[name]
        twin.restore()
        for each in (decoder, twin):
            each.push(row, step)
        for name, array in twin.arrays().items():
            np.testing.assert_array_equal(array, decoder.arrays()[name])
    assert cuts > 1
    decoder.clear()
    fresh = make()
    for name, array in fresh.arrays().items():
        np.testing.assert_array_equal(array, decoder.arrays()[name])


def test_greedy_takes_the_likeliest_token_of_each_step():
    rows = draw(50, 4, 3)
    decoder = Greedy(4)
    for step, row in enumerate(rows):
        decoder.push(row, step)
    assert tuple(decoder.best().tokens.tolist()) == collapsed(rows.argmax(axis=1).tolist())
    assert decoder.settled == len(decoder.best().tokens)


@pytest.mark.parametrize(
    "how", [{"size": 0}, {"size": True}, {"size": 2.0}, {"size": 5000}, {"least": 1.0}, {"least": "a"}, {"margin": 0}]
)
def test_odd_settings_are_refused(how):
    with pytest.raises(ConfigError, match=r"(beam|least_probability|margin) must be"):
        check_beam(**{"size": 4, "least": 0.1, "margin": 1.0} | how)
