"""Thresholds from peaks over a level: the fit beside SciPy's, the rate of alarms, and series beside each other."""

import numpy as np
import pytest
from scipy.stats import genpareto

from penstock.detect.threshold import PEAKS, add_scores, fitted_peaks, joint, limits, rarity, share_of


def memory_of(scores, rate=1e-3):
    """What is kept of the scores of several series, (series, scores)."""
    peaks = [fitted_peaks(each) for each in scores]
    memory = {name: np.array([each[name] for each in peaks]) for name in PEAKS}
    return memory | {"limit": limits(memory, rate)}


@pytest.mark.parametrize("shape", [0.0, 0.2])
def test_the_limit_is_near_that_of_a_fit_by_likelihood(shape):
    scores = genpareto.rvs(shape, size=20_000, random_state=0)
    level = np.quantile(scores, 0.98)
    fitted, _, scale = genpareto.fit(scores[scores > level] - level, floc=0)
    expected = level + genpareto.ppf(1 - 1e-3 / 0.02, fitted, scale=scale)
    # Both are estimates from 400 peaks; at this quantile their standard errors are about a twentieth.
    np.testing.assert_allclose(memory_of([scores])["limit"], expected, rtol=0.1)


def test_ordinary_scores_exceed_it_at_the_stated_rate_also_after_they_have_grown():
    draw, rate = np.random.default_rng(0), 1e-3
    memory = memory_of(draw.exponential(size=(50, 1000)), rate)
    exceeded = []
    for step in range(3000):
        scores = draw.exponential(size=50) * (1 if step < 1000 else 2)
        exceeded.append(scores > memory["limit"])
        add_scores(memory, scores, np.ones(50, bool), rate)
    assert 0.5e-3 < np.mean(exceeded[:1000]) < 2e-3
    assert np.mean(exceeded[1000:1100]) > 5e-3  # twice as large all at once
    assert np.mean(exceeded[2500:]) < 3e-3


def test_a_series_has_the_same_bits_alone_and_beside_others_and_what_does_not_count_changes_nothing():
    draw = np.random.default_rng(0)
    first = draw.exponential(size=(3, 300))
    together, alone = memory_of(first), memory_of(first[1:2])
    for step in range(200):
        scores = draw.exponential(size=3) * 3
        counted = np.array([step % 2 == 0, True, False])
        add_scores(together, scores, counted, 1e-3)
        add_scores(alone, scores[1:2], counted[1:2], 1e-3)
    for name, array in together.items():
        np.testing.assert_array_equal(array[1:2], alone[name])
        np.testing.assert_array_equal(array[2:], memory_of(first)[name][2:])


def test_equal_scores_have_a_limit_too():
    assert limits({name: np.array([each]) for name, each in fitted_peaks(np.ones(50)).items()}, 1e-3)[0] > 1


def test_rarity_is_the_inverse_of_limits_and_grows_with_the_score():
    draw = np.random.default_rng(0)
    memory = memory_of([draw.exponential(size=2000), genpareto.rvs(0.3, size=2000, random_state=0), np.zeros(50)])
    for rate in (1e-3, 1e-6):
        np.testing.assert_allclose(rarity(memory, limits(memory, rate)), -np.log10(rate), rtol=1e-9)
    growing = np.stack([rarity(memory, np.full(3, score)) for score in np.linspace(0, 30, 200)])
    assert (growing[0] == 0).all()
    assert (np.diff(growing, axis=0) >= 0).all()
    # As large as the level, which two in a hundred exceed, and the one that is counted besides.
    np.testing.assert_allclose(rarity(memory, memory["level"])[0], -np.log10(11 / 500), rtol=1e-9)


def test_the_rarest_of_several_is_as_rare_as_chance_makes_it():
    draw, kinds = np.random.default_rng(0), 3
    several = -np.log10(draw.uniform(size=(200_000, kinds)))
    found = joint(several)
    for p in (0.5, 0.1, 0.01):
        # 200,000 draws: five standard errors
        assert abs((found >= -np.log10(p)).mean() - p) < 5 * np.sqrt(p * (1 - p) / 200_000)
    rate = 1e-3
    alone = np.array([[-np.log10(share_of(rate, kinds)), 0.0, 0.0]])
    np.testing.assert_allclose(joint(alone), 3.0, rtol=1e-9)
    np.testing.assert_allclose(
        joint(np.array([[9.0, 1.0], [9.0000001, 1.0], [400.0, 0.0]])), [8.69897, 8.69897, 399.69897]
    )
