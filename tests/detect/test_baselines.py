"""The baselines of detectors, held to scikit-learn and to slow references."""

import numpy as np
import pytest
from sklearn.ensemble import IsolationForest

from penstock.detect.baseline_training import find_season, fit_baselines
from penstock.detect.baselines import BASELINES, DetectionBaselines, path_constant, windows_of
from penstock.errors import BundleError


def series(steps=600, season=24, seed=0):
    generator = np.random.default_rng(seed)
    return (np.sin(2 * np.pi * np.arange(steps) / season) + 0.1 * generator.standard_normal(steps))[:, None]


@pytest.fixture(scope="module")
def arrays():
    return fit_baselines([series(), series(seed=1)])[0]


def test_the_forest_agrees_with_scikit_learn(arrays) -> None:
    windows = np.concatenate([windows_of(each, 16) for each in (series(), series(seed=1))])
    theirs = IsolationForest(n_estimators=100, max_samples=256, random_state=0).fit(windows)
    values = series(seed=2)
    found = DetectionBaselines(arrays).scores("isolation_forest", values)
    assert np.isnan(found[:15]).all()
    np.testing.assert_allclose(found[15:], -theirs.score_samples(windows_of(values, 16)), rtol=1e-12)


def test_the_constant_of_path_lengths() -> None:
    assert [path_constant(samples) for samples in (0, 1, 2)] == [0, 0, 1]
    assert path_constant(256) == pytest.approx(10.2448, abs=1e-4)  # as Liu et al. (2008) give it


def test_the_rolling_z_score_by_its_definition(arrays) -> None:
    values = np.concatenate([series(300), 2 * series(300, seed=3)], axis=1)
    values[40:60, 0] = values[200, 1] = np.nan
    found = DetectionBaselines(arrays).scores("rolling_z", values)
    for step in (5, 10, 47, 99, 150, 200, 299):
        before = values[max(step - 100, 0) : step]
        expected = [
            abs(values[step, target] - np.nanmean(before[:, target])) / np.nanstd(before[:, target])
            for target in range(2)
            if step >= 10 and np.isfinite(values[step, target])
        ]
        assert found[step] == pytest.approx(max(expected), rel=1e-9) if expected else np.isnan(found[step])


def test_the_seasonal_residual_by_its_definition(arrays) -> None:
    values = series(seed=4)
    values[100] = np.nan
    found = DetectionBaselines(arrays).scores("seasonal_residual", values)
    assert np.isnan(found[[0, 23, 100, 124]]).all()
    first, second = (np.sqrt(np.mean((each[24:] - each[:-24]) ** 2)) for each in (series(), series(seed=1)))
    assert found[200] == pytest.approx(abs(values[200, 0] - values[176, 0]) / ((first + second) / 2))
    known = DetectionBaselines(arrays).scores("seasonal_residual", values, 2)
    assert known[200] == pytest.approx(abs(values[200, 0] - values[176, 0]) / second)


def test_the_season_is_found_in_each_series() -> None:
    assert find_season(series(season=24)) == find_season(series(500, 24, seed=3)) == 24
    assert find_season(np.concatenate([series(), series(seed=1)], axis=1)) == 24
    gaps = series(season=40)
    gaps[np.random.default_rng(1).random(600) < 0.05] = np.nan
    assert find_season(gaps) == 40
    walk = np.cumsum(np.random.default_rng(0).standard_normal((500, 1)), axis=0)
    assert find_season(walk) == find_season(np.zeros((300, 1))) == find_season(walk[:3]) == 1
    arrays, settings = fit_baselines([series(season=24), series(season=30), series(season=24, seed=1)])
    assert arrays["seasons"].tolist() == [24, 24, 30, 24]
    assert settings["seasonal_residual"] == {"season": 24}


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_are_causal_and_find_a_spike(arrays, name) -> None:
    baselines, values = DetectionBaselines(arrays), series(seed=5)
    values[400] += 4
    found = baselines.scores(name, values)
    np.testing.assert_array_equal(found[:401], baselines.scores(name, values[:401]))
    assert np.nanargmax(found[:410]) in range(400, 410)
    assert baselines.flags(name, found)[400:416].any()
    assert baselines.flags(name, found)[:400].mean() < 0.02


def test_a_training_part_shorter_than_a_window_has_no_forest() -> None:
    arrays, settings = fit_baselines([series(12)])
    assert DetectionBaselines(arrays).names == ("seasonal_residual", "rolling_z")
    assert list(settings) == ["seasonal_residual", "rolling_z"]


def test_a_constant_series_has_no_deviation() -> None:
    baselines = DetectionBaselines(fit_baselines([np.zeros((200, 1))])[0])
    for name in baselines.names:
        assert not baselines.flags(name, baselines.scores(name, np.zeros((100, 1)))).any()


def test_damaged_arrays_are_refused(arrays) -> None:
    with pytest.raises(BundleError, match="lacks rolling"):
        DetectionBaselines({name: each for name, each in arrays.items() if name != "rolling"})
    with pytest.raises(BundleError, match="lacks splits"):
        DetectionBaselines({name: each for name, each in arrays.items() if name != "splits"})
    with pytest.raises(BundleError, match="same number of nodes"):
        DetectionBaselines(arrays | {"splits": arrays["splits"][:-1]})
    around = arrays["left"].copy()
    around[2] = 0  # a walk would never end
    for damage in ({"left": around}, {"left": arrays["left"] + 10**6}, {"features": arrays["features"] + 16}):
        with pytest.raises(BundleError, match="forest of the baseline is damaged"):
            DetectionBaselines(arrays | damage)
