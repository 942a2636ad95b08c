"""Residuals: their figures, and a histogram that holds them all."""

import numpy as np
import pytest

from penstock.tasks.regression_measures import residuals


@pytest.mark.parametrize("size", [1, 2, 30, 5000])
def test_the_histogram_holds_every_residual(size):
    left = np.random.default_rng(size).normal(1.0, 2.0, size)
    found = residuals(left)
    assert sum(found["counts"]) == size
    assert len(found["edges"]) == len(found["counts"]) + 1 <= 31
    assert found["edges"][0] <= left.min()
    assert left.max() <= found["edges"][-1]
    assert found["mean"] == pytest.approx(np.mean(left))
    assert found["std"] == pytest.approx(np.std(left))
    assert found["median_absolute"] == pytest.approx(np.median(np.abs(left)))


def test_residuals_that_are_all_alike_are_one_bar():
    found = residuals(np.zeros(7))
    assert [count for count in found["counts"] if count] == [7]
