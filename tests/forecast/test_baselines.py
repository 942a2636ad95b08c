"""The baselines of a forecaster, beside the obvious way to say the same."""

import numpy as np
import pytest

from penstock.errors import BundleError
from penstock.forecast.baselines import ForecastBaselines, Origins
from penstock.forecast.features import ForecastFeatures, measured_scale
from penstock.panels.panel_columns import arrays_panel

VALUES = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, np.nan, 5.0])
ARRAYS = {"order": np.array([0, 1, 2]), "ridge": np.array([[0, 0, 1], [0, 1, 1], [1, 0, 0], [0, 0, 0], [0, 0, 0]])}


@pytest.fixture
def features():
    return ForecastFeatures(
        horizon=5, context=3, quantiles=(0.5,), targets=("y",), season=3, scales={}, covariate_scale=np.zeros((2, 0))
    )


@pytest.fixture
def origins(features):
    (series,) = arrays_panel(VALUES).series
    return Origins(series, features.encode(series), np.array([4, 10]))


def test_the_last_value_is_repeated(features, origins):
    found = ForecastBaselines(ARRAYS, features).answers("naive", origins)
    np.testing.assert_array_equal(found[..., 0], [[1] * 5, [5] * 5])


def test_the_last_season_is_repeated(features, origins):
    found = ForecastBaselines(ARRAYS, features).answers("seasonal_naive", origins)
    np.testing.assert_array_equal(found[0, :, 0], [1, 4, 1, 1, 4])
    np.testing.assert_array_equal(found[1, :, 0], [6, 6, 5, 6, 6])  # a missing value is the one before it


def test_ridge_reads_lags_relative_to_the_last_value(features, origins):
    baselines = ForecastBaselines(ARRAYS, features)
    scale = measured_scale(VALUES[:3, None], features)  # an unknown series: its first values
    scaled = (np.array([1.0, 4.0, 1.0]) - scale.location) / scale.scale
    relative = scaled - scaled[-1]
    expected = (ARRAYS["ridge"] @ relative + scaled[-1]) * scale.scale + scale.location
    np.testing.assert_allclose(baselines.answers("ridge", origins)[0, :, 0], expected, rtol=1e-5)  # float32
    assert baselines.names == ("ridge", "seasonal_naive", "naive")


def test_damaged_arrays_are_refused(features):
    for arrays in ({}, {"order": np.array([0])}, {"order": np.array([7])}):
        with pytest.raises(BundleError, match="damaged"):
            ForecastBaselines(arrays, features)
    with pytest.raises(BundleError, match="must forecast 5 steps; got 2"):
        ForecastBaselines({"order": np.array([0]), "ridge": np.zeros((2, 3))}, features)
