"""Figures of forecasts against plain loops; missing truth counts nowhere."""

import numpy as np
import pytest

from penstock.forecast.metrics import Errors, Stretches
from penstock.panels.panel import Series
from penstock.runtime.resampling import compared


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


def test_zero_forecast_of_zero_is_not_an_error():
    errors = Errors([1.0], [1.0], 1)
    errors.add(slice(0, 1), np.zeros((1, 1, 1)), np.zeros((1, 1, 1)))
    assert errors.metrics() == {"mse": 0.0, "mae": 0.0, "smape": 0.0, "mase": 0.0}


def test_a_missing_measurement_is_not_a_number():
    errors = Errors([1.0], [1.0], 1)
    errors.add(slice(0, 1), np.full((1, 1, 1), np.nan), np.zeros((1, 1, 1)))
    assert all(np.isnan(value) for value in errors.metrics().values())


def series(name, start, values):
    steps = len(values)
    none = np.zeros((steps, 0))
    return Series(name, start, np.asarray(values, float)[:, None], none, none)


def test_stretches_are_a_horizon_at_least_and_shared_by_all_series():
    both = [series("a", 0, np.zeros(60)), series("b", 10, np.zeros(60))]
    found = Stretches.of(both, context=5, horizon=7)
    assert found == Stretches(first=5, length=7)
    assert found(both[0], np.array([5, 11, 12])).tolist() == [0, 0, 1]
    assert found(both[1], np.array([5])).tolist() == [1]  # step 15 of the grid
    assert Stretches.of([series("a", 0, np.zeros(1010))], context=5, horizon=1).length == 11  # of 1,005 origins


def test_sums_of_stretches_give_the_figures():
    draw = np.random.default_rng(1)
    truth, found = draw.normal(size=(2, 40, 3, 1)), draw.normal(size=(2, 40, 3, 1))
    truth[0, 5] = np.nan
    errors = Errors([1.0, 2.0], [0.5, np.nan], 3)
    for number in range(2):
        at = np.arange(40) // 3
        errors.add(slice(number, number + 1), truth[number], found[number], (found[number] - 1, found[number] + 1), at)
    sums = errors.sums()
    assert sums.units == 14
    assert {k: float(v) for k, v in sums.scores(sums.values.sum(axis=0)).items()} == pytest.approx(errors.metrics())
    low, high = compared(sums, {})["interval"]["mae"]
    assert low < errors.metrics()["mae"] < high


def test_intervals_by_step_and_by_row_are_those_of_a_plain_bootstrap_of_stretches():
    draw = np.random.default_rng(2)
    truth, found = draw.normal(size=(2, 60, 2, 2)), draw.normal(size=(2, 60, 2, 2))  # series, origins, horizon, targets
    truth[0, 7, 1, 0] = np.nan
    stretches = np.arange(60) // 2
    errors = Errors(np.ones(4), np.ones(4), 2)
    for number in range(2):
        for piece in (slice(0, 31), slice(31, 60)):  # the first stretch of the second piece began in the first
            rows = slice(2 * number, 2 * number + 2)
            errors.add(rows, truth[number, piece], found[number, piece], stretches=stretches[piece])
    absolute = np.abs(truth - found)
    resamples = [np.concatenate([[2 * k, 2 * k + 1] for k in draw.integers(30, size=30)]) for _ in range(2000)]

    def expected(values):
        """Of values (origins, ...): the quantiles of their mean over resampled pairs of origins."""
        return np.quantile([np.nanmean(values[rows]) for rows in resamples], [0.025, 0.975])

    for step, interval in enumerate(errors.step_intervals()):
        plain = expected(absolute[:, :, step].transpose(1, 0, 2))
        # Two bootstraps of 2,000 resamples: a quantile's standard error is 4 to 5 % of the interval's width.
        np.testing.assert_allclose(interval, plain, atol=0.15 * np.ptp(plain))
        assert interval[0] < errors.by_step()[step] < interval[1]
    for row in range(4):
        plain = expected(absolute[row // 2, :, :, row % 2])
        np.testing.assert_allclose(errors.row_intervals(row)["mae"], plain, atol=0.15 * np.ptp(plain))


def test_a_row_with_few_stretches_has_no_interval():
    errors = Errors(np.ones(9), np.ones(9), 1)
    for row in range(9):
        errors.add(slice(row, row + 1), np.full((1, 1, 1), row), np.zeros((1, 1, 1)), stretches=np.zeros(1, int))
    assert errors.row_intervals(3) == {"mse": None, "mae": None, "smape": None, "mase": None}
    assert errors.step_intervals()[0] is not None  # by series, as in `sums`


@pytest.mark.parametrize(("count", "groups"), [(30, 30), (2500, 2000)])
def test_many_short_series_are_resampled_as_series(count, groups):
    errors = Errors(np.ones(count), np.ones(count), 2)
    for number in range(count):
        errors.add(
            slice(number, number + 1), np.full((1, 2, 1), number), np.zeros((1, 2, 1)), stretches=np.zeros(1, int)
        )
    sums = errors.sums()
    assert (sums.units, len(sums.values)) == (count, groups)
    assert float(sums.scores(sums.values.sum(axis=0))["mae"]) == pytest.approx((count - 1) / 2)
