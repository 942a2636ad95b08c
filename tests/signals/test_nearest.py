"""The nearest signal, beside scikit-learn and beside warping by the definition."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from penstock.signals import nearest as module
from penstock.signals.nearest import nearest, resampled, warped_distances

DRAW = np.random.default_rng(0)
KNOWN, QUERIES = DRAW.normal(size=(13, 11, 2)), DRAW.normal(size=(9, 11, 2))


def warped(a, b, band):
    """Dynamic time warping by its definition, cell by cell."""
    cost = np.full((len(a) + 1, len(b) + 1), np.inf)
    cost[0, 0] = 0
    for i in range(len(a)):
        for j in range(len(b)):
            if abs(i - j) <= band:
                best = min(cost[i, j], cost[i, j + 1], cost[i + 1, j])
                cost[i + 1, j + 1] = ((a[i] - b[j]) ** 2).sum() + best
    return cost[-1, -1]


@pytest.mark.parametrize("chunk", [10**7, 30])
def test_euclidean_is_scikit_learn_s(chunk, monkeypatch):
    monkeypatch.setattr(module, "_CHUNK", chunk)
    reference = KNeighborsClassifier(1).fit(KNOWN.reshape(13, -1), np.arange(13))
    np.testing.assert_array_equal(nearest(QUERIES, KNOWN), reference.predict(QUERIES.reshape(9, -1)))


@pytest.mark.parametrize("band", [0, 1, 3, 11])
def test_warping_is_that_of_the_definition(band):
    expected = [[warped(query, known, band) for known in KNOWN] for query in QUERIES]
    # Sums of at most 22 terms in float64, in the same order.
    np.testing.assert_allclose(warped_distances(QUERIES, KNOWN, band), expected, rtol=1e-13)


@pytest.mark.parametrize("chunk", [10**7, 100])
def test_warping_finds_what_is_shifted(chunk, monkeypatch):
    monkeypatch.setattr(module, "_CHUNK", chunk)
    known = np.zeros((2, 20, 1))
    known[0, 5:8], known[1, 5:8] = 1, -1
    shifted = np.roll(known, 2, axis=1)
    assert nearest(shifted[::-1], known, "dtw").tolist() == [1, 0]


def test_nothing_is_nearest_to_nothing():
    assert nearest(QUERIES[:0], KNOWN).shape == (0,)


def test_resampling_keeps_what_fits_and_stretches_lines():
    line = np.linspace(0, 1, 5)[:, None]
    assert resampled(line, 5) is not None
    np.testing.assert_array_equal(resampled(line, 5), line)
    np.testing.assert_allclose(resampled(line, 9), np.linspace(0, 1, 9)[:, None], atol=1e-15)
    np.testing.assert_array_equal(resampled(line[:1], 3), np.zeros((3, 1)))
    np.testing.assert_array_equal(resampled(line[:0], 3), np.zeros((3, 1)))
