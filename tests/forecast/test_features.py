"""Scales of series, and the way back; the season; the calendar."""

import numpy as np
import pytest

from penstock.errors import ConfigError, DataError
from penstock.forecast.features import ForecastFeatures, filled, measured_scale, scaled, transformed
from penstock.forecast.season import find_season
from penstock.panels.calendar import calendar_features, usual_calendar
from penstock.panels.frequency_search import find_frequency
from penstock.panels.panel import Series
from penstock.panels.panel_columns import arrays_panel
from penstock.panels.times import parse_times


def features(**more):
    options = {"horizon": 2, "context": 4, "quantiles": (0.1, 0.5, 0.9), "targets": ("y",), "names": ("a",)}
    return ForecastFeatures(**(options | {"scales": {}, "covariate_scale": np.zeros((2, 0))} | more))


def fitted(values, **more):
    found = features(**more)
    scale = measured_scale(np.asarray(values, float)[:, None], found)
    found.scales = {name: each[None] for name, each in scale._asdict().items()}
    return found


@pytest.mark.parametrize("transform", ["none", "log", "log1p"])
def test_restoring_undoes_scaling(transform):
    values = np.array([3.0, 5.0, 4.0, 9.0, 7.0])
    found = fitted(values, transform=transform)
    (series,) = arrays_panel({"a": values})
    encoded = found.encode(series)
    assert encoded.values.dtype == np.float32
    assert abs(encoded.values.mean()) < 1e-6
    back = found.restore(encoded.values[..., None], encoded.scale)[..., 0]
    np.testing.assert_allclose(back[:, 0], values, rtol=1e-6)  # through float32


def test_unknown_series_are_scaled_by_their_first_values():
    found = fitted([1.0, 2.0, 3.0, 4.0])
    (series,) = arrays_panel({"b": [10.0, 20.0, 30.0, 40.0, 1e6]})
    encoded = found.encode(series)
    assert encoded.identity == 0
    assert encoded.scale.location == 25.0


def test_missing_values_are_those_before_them():
    values = np.array([[np.nan], [1.0], [np.nan], [np.nan], [2.0]])
    np.testing.assert_array_equal(filled(values)[:, 0], [np.nan, 1, 1, 1, 2])
    scale = measured_scale(values, features())
    assert scaled(filled(values), scale, "none")[0] == 0


def test_a_flat_series_has_some_scale():
    scale = measured_scale(np.full((9, 1), 5.0), features())
    assert scale.scale == scale.spread == 1.0


def test_rounding_is_not_spread():
    scale = measured_scale(np.full((97, 1), 0.1), features())  # whose standard deviation is 1e-17, not 0
    assert scale.scale == scale.spread == 1.0


@pytest.mark.parametrize("unit", [1e-100, 1e-12, 1e12])
def test_the_unit_of_a_series_does_not_matter(unit):
    values = np.array([3.0, 5.0, 4.0, 9.0, 7.0])
    (series,), (other,) = arrays_panel({"a": values}), arrays_panel({"a": values * unit})
    encoded = fitted(values * unit).encode(other)
    np.testing.assert_allclose(encoded.values, fitted(values).encode(series).values, rtol=1e-6)  # through float32


def test_what_lies_far_off_stays_finite():
    found = fitted([1.0, 2.0, 3.0, 4.0], past=("rain",), covariate_scale=np.array([[0.0], [1.0]]))
    values, rain = np.array([[1.0], [2.0], [-1e90], [4.0]]), np.array([[0.0], [np.nan], [1e90], [np.nan]])
    encoded = found.encode(Series("a", 0, values, rain, np.zeros((4, 0))))
    assert np.isfinite(np.square(encoded.values)).all()
    np.testing.assert_array_equal(encoded.covariates[:, 0], np.float32([0, 0, 1e9, 1e9]))


@pytest.mark.parametrize(("transform", "values"), [("log", [1.0, 0.0]), ("log1p", [1.0, -1.0])])
def test_what_has_no_logarithm_is_refused(transform, values):
    with pytest.raises(DataError, match=f"with transform '{transform}' values must be above"):
        transformed(np.array(values), transform)


def test_they_go_to_json_and_back():
    found = fitted([1.0, 2.0, 4.0], frequency=find_frequency([parse_times(["2020-01", "2020-02"])]))
    again = ForecastFeatures.from_json(found.to_json())
    assert again.to_json() == found.to_json()
    with pytest.raises(ConfigError, match="must be of kind"):
        ForecastFeatures.from_json({"kind": "text"})
    with pytest.raises(ConfigError, match="can't be read"):
        ForecastFeatures.from_json({"kind": "forecasts"})
    written = found.to_json()
    for part in ({"names": ["a", "b"]}, {"covariate_scale": [[0.0], [1.0]]}):  # of another number than the scales
        with pytest.raises(ConfigError, match="can't be read"):
            ForecastFeatures.from_json(written | part)


@pytest.mark.parametrize("season", [7, 12, 24])
def test_the_season_is_found(season):
    draw = np.random.default_rng(0)
    steps = np.arange(20 * season)
    values = 10 + 0.05 * steps + np.sin(2 * np.pi * steps / season) * 3 + draw.normal(size=len(steps), scale=0.1)
    # A trend costs a longer season more, so the single one is the best.
    assert find_season(arrays_panel(values).series, horizon=season) == season


def test_a_season_is_found_where_the_horizon_is_a_multiple_of_it():
    draw = np.random.default_rng(0)
    walk = 0.2 * draw.normal(size=2000).cumsum()  # one step ahead, the last value does better
    values = walk + 3 * np.sin(2 * np.pi * np.arange(2000) / 24)
    assert find_season(arrays_panel(values).series, horizon=96) == 24


def test_a_random_walk_has_no_season():
    walk = np.random.default_rng(0).normal(size=500).cumsum()
    assert find_season(arrays_panel(walk).series, horizon=5) == 1
    assert find_season(arrays_panel(np.ones(50)).series, horizon=5) == 1


def test_the_calendar_is_points_on_circles():
    times = parse_times(["2024-01-01 00:00", "2024-01-01 06:00", "2024-01-08 00:00"]).moments
    found = calendar_features(times, ("hour", "weekday"))
    np.testing.assert_allclose(found[0], [0, 1, 0, 1], atol=1e-6)  # midnight, Monday
    np.testing.assert_allclose(found[1, :2], [1, 0], atol=1e-6)
    np.testing.assert_allclose(found[2], found[0], atol=1e-6)
    assert usual_calendar(find_frequency([parse_times(["2024-01-01 00:00", "2024-01-01 01:00"])])) == (
        "hour",
        "weekday",
        "yearday",
    )
    assert usual_calendar(find_frequency([parse_times(["2024-01", "2024-02"])])) == ("month",)
    with pytest.raises(ConfigError, match="among hour, weekday"):
        calendar_features(times, ("tide",))
    with pytest.raises(ConfigError, match="are numbers"):
        calendar_features(np.arange(3), ("hour",))
