"""Figures of forecasts against plain loops; missing truth counts nowhere."""

import numpy as np
import pytest

from penstock.forecast.metrics import Errors


def test_figures_match_plain_loops():
    draw = np.random.default_rng(0)
    truth, found = draw.normal(size=(2, 4, 3, 2)), draw.normal(size=(2, 4, 3, 2))  # series, origins, horizon, targets
    truth[0, 1, 2, 0] = np.nan
    low, high = found - 1, found + 1
    spreads, seasons = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.5, 1.0, np.nan, 2.0])
    errors = Errors(spreads, seasons, 3)
    for series in range(2):
        for piece in (slice(0, 3), slice(3, 4)):
            rows = slice(2 * series, 2 * series + 2)
            errors.add(rows, truth[series, piece], found[series, piece], (low[series, piece], high[series, piece]))
    squared, absolute, symmetric, scaled, inside = [], [], [], [], []
    for series, origin, step, target in np.ndindex(truth.shape):
        y, f, row = truth[series, origin, step, target], found[series, origin, step, target], 2 * series + target
        if np.isnan(y):
            continue
        squared.append(((y - f) / spreads[row]) ** 2)
        absolute.append(abs(y - f) / spreads[row])
        symmetric.append(200 * abs(y - f) / (abs(y) + abs(f)))
        inside.append(abs(y - f) <= 1)
        if not np.isnan(seasons[row]):
            scaled.append(abs(y - f) / seasons[row])
    expected = {"mse": squared, "mae": absolute, "smape": symmetric, "mase": scaled, "coverage_80": inside}
    assert errors.metrics() == pytest.approx({name: np.mean(each) for name, each in expected.items()})
    assert errors.origins == 8
    assert np.mean(errors.by_step()) == pytest.approx(np.mean(absolute), rel=0.05)
    assert len(errors.by_row()) == 4


def test_zero_forecast_of_zero_is_no_error():
    errors = Errors([1.0], [1.0], 1)
    errors.add(slice(0, 1), np.zeros((1, 1, 1)), np.zeros((1, 1, 1)))
    assert errors.metrics() == {"mse": 0.0, "mae": 0.0, "smape": 0.0, "mase": 0.0}


def test_nothing_measured_is_no_number():
    errors = Errors([1.0], [1.0], 1)
    errors.add(slice(0, 1), np.full((1, 1, 1), np.nan), np.zeros((1, 1, 1)))
    assert all(np.isnan(value) for value in errors.metrics().values())
