"""Intervals known to be too narrow hold, once calibrated, what they promise; nothing else of a forecast moves.

The series are random walks and the forecasts, one step ahead, the last value and that value plus and minus something:
errors are independent and all alike, so that the theory of conformal prediction holds to the letter.
"""

import re
import warnings

import numpy as np
import pytest

import penstock
from penstock.errors import ConfigError
from penstock.forecast.calibration import calibrate
from penstock.forecast.features import ForecastFeatures
from penstock.forecast.model import ForecastModel
from penstock.forecast.spec import ForecastHead, Segments
from penstock.network import Network, Recurrent
from penstock.panels.panel_columns import arrays_panel
from penstock.tasks import Forecaster

LEVELS = (0.1, 0.5, 0.9)


def walks(steps, seed, series=1, targets=1):
    draw = np.random.default_rng(seed)
    return {f"walk {k}": draw.normal(size=(steps, targets)).cumsum(0) for k in range(series)}


def forecaster(offsets, levels=LEVELS, horizon=1, transform="none", targets=1):
    """A model that forecasts the last value plus each of the offsets, at every step ahead."""
    names = tuple(f"target {k + 1}" for k in range(targets)) if targets > 1 else ("y",)
    features = ForecastFeatures(
        horizon=horizon,
        context=1,
        quantiles=levels,
        targets=names,
        transform=transform,
        names=tuple(f"walk {k}" for k in range(9)),
        scales={
            name: np.full((9, targets), value)
            for name, value in (("location", 0.0), ("scale", 1.0), ("spread", 1.0), ("season_error", 1.0))
        },
        covariate_scale=np.zeros((2, 0)),
    )
    network = Network(
        Segments(1, 2, 2, 0),
        Recurrent(cell="rnn", input_size=2, hidden_size=2),
        ForecastHead(horizon, 1, len(levels)),
    )
    tensors = {name: np.zeros(shape, np.float32) for name, shape in network.parameter_shapes().items()}
    tensors["head.bias"] = np.tile(np.float32(offsets), horizon)
    return ForecastModel(network, features, [], tensors)


def panel_of(model, series):
    return model.panel(arrays_panel(series, model.features.targets))


def held(model, panel, low=0, high=-1):
    """The share of values between two quantiles."""
    counts = []
    model.errors(
        panel, watch=lambda _row, _origins, truth, q: counts.append((truth >= q[..., low]) & (truth <= q[..., high]))
    )
    return np.concatenate([each.ravel() for each in counts]).mean()


@pytest.mark.parametrize("transform", ["none", "log"])
def test_intervals_too_narrow_hold_their_share_afterwards(transform):
    """Of 1999 exchangeable scores the 1600th smallest is the factor: the share it holds of new ones has the
    distribution Beta(1600, 400), with a standard deviation of 0.009; that of 1999 new values has as much again. Four
    standard deviations of both together are 0.05.
    """
    model = forecaster((-0.4, 0.0, 0.7), transform=transform)
    valid, test = (panel_of(model, walks(2000, seed)) for seed in (0, 1))
    if transform == "log":
        valid, test = (panel_of(model, {"walk 0": np.exp(0.1 * walks(2000, seed)["walk 0"])}) for seed in (0, 1))
        model = forecaster((-0.04, 0.0, 0.07), transform=transform)
    before = held(model, test)
    assert before < 0.45  # of a standard normal distribution, 0.413 lies from -0.4 to 0.7
    model.features.factors, figures = calibrate(model, valid)
    assert held(model, valid) == pytest.approx(1600 / 1999, abs=1e-3)  # but for what logarithms round
    assert held(model, test) == pytest.approx(0.8, abs=0.05)
    low, middle, high = model.features.factors
    assert (low, middle) == (high, 1.0)
    (pair,) = figures["pairs"]
    assert pair == {"levels": [0.1, 0.9], "factor": low, "before": pair["before"], "after": 1600 / 1999}
    assert pair["before"] == pytest.approx(before, abs=0.05)
    assert figures["stretches"] == 1999


def test_the_median_stays_to_the_bit():
    model = forecaster((-0.3, 0.1, 0.2))
    panel = panel_of(model, walks(100, 0))
    before = model.predict_quantiles(panel)
    model.features.factors, _ = calibrate(model, panel)
    after = model.predict_quantiles(panel)
    np.testing.assert_array_equal(after[..., 1], before[..., 1])
    assert (after[..., 0] < before[..., 0]).all()
    assert (after[..., 2] > before[..., 2]).all()


def test_each_interval_has_a_factor_of_its_own_and_a_quantile_alone_too():
    """0.25 and 0.75 are a pair, 0.1 and 0.95 stand alone: below 0.95 should lie 95 of 100 values, above 0.1 90."""
    levels = (0.1, 0.25, 0.5, 0.75, 0.95)
    model = forecaster((-0.2, -0.1, 0.0, 0.3, 0.4), levels)
    panel = panel_of(model, walks(2000, 2))
    factors, figures = calibrate(model, panel)
    model.features.factors = factors
    assert factors[1] == factors[3] != factors[0]
    assert factors[2] == 1.0
    assert [pair["levels"] for pair in figures["pairs"]] == [[0.25, 0.75], [0.95], [0.1]]
    for pair, share in zip(figures["pairs"], (0.5, 0.95, 0.9), strict=True):
        assert pair["after"] == np.ceil(2000 * share) / 1999
    found = []
    model.errors(panel, watch=lambda _row, _origins, truth, q: found.append((truth[..., None] <= q).mean((0, 1, 2))))
    below = np.average(found, axis=0, weights=[1024, 975])
    assert below[4] == pytest.approx(0.95, abs=1e-3)
    assert below[0] == pytest.approx(0.1, abs=1e-3)


def test_quantiles_rise_whatever_the_factors():
    levels = (0.05, 0.1, 0.5, 0.9, 0.95)
    model = forecaster((-1.1, -1.0, 0.0, 1.0, 1.1), levels)
    model.features.factors = (1.0, 5.0, 1.0, 5.0, 1.0)
    found = model.predict_quantiles(panel_of(model, walks(50, 0)))
    assert (np.diff(found, axis=-1) > 0).all()
    np.testing.assert_array_equal(found[..., 2], walks(50, 0)["walk 0"][None, -1:].astype(np.float32))


def test_intervals_that_hold_enough_are_left_as_they_are():
    model = forecaster((-3.0, 0.0, 3.0))
    factors, figures = calibrate(model, panel_of(model, walks(500, 0)))
    assert factors == ()
    assert figures["pairs"][0]["factor"] == 1.0
    assert figures["pairs"][0]["before"] == figures["pairs"][0]["after"] > 0.98


def test_too_few_stretches_leave_them_as_they_are():
    """With horizon 5, 100 truths hold 20 stretches that share no step, and 99 hold 19, however many origins there are.
    Of a 98 % interval the conformal quantile needs 49.
    """
    model = forecaster((-0.01, 0.0, 0.01), horizon=5)
    for steps, stretches in ((100, 19), (101, 20)):
        factors, figures = calibrate(model, panel_of(model, walks(steps, 0)))
        assert figures["stretches"] == stretches
        assert bool(factors) == (stretches == 20)
        assert figures["pairs"][0]["before"] < 0.1
    series = panel_of(model, walks(14, 0, series=4))
    assert calibrate(model, series)[1]["stretches"] == 4 * 2
    narrow = forecaster((-0.01, 0.0, 0.01), (0.01, 0.5, 0.99))
    assert calibrate(narrow, panel_of(narrow, walks(49, 0)))[0] == ()
    assert calibrate(narrow, panel_of(narrow, walks(51, 0)))[0] != ()


def test_missing_truth_does_not_count():
    model = forecaster((-0.3, 0.0, 0.3))
    values = walks(300, 0)["walk 0"]
    gaps = values.copy()
    gaps[100:200] = np.nan
    factors, figures = calibrate(model, panel_of(model, {"walk 0": gaps}))
    assert figures["stretches"] == 199
    parts = [np.diff(values[:100, 0]), np.diff(values[200:, 0]), [values[200, 0] - values[99, 0]]]
    expected = np.sort(np.abs(np.concatenate(parts)) / 0.3)[int(np.ceil(200 * 0.8)) - 1]
    assert factors[0] == pytest.approx(expected, rel=1e-5)  # float32 of values up to about 20
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gaps[1:] = np.nan
        assert calibrate(model, panel_of(model, {"walk 0": gaps})) == ((), {"stretches": 0, "pairs": []})


def test_an_interval_without_width_is_left_as_it_is():
    model = forecaster((0.0, 0.0, 0.0))
    assert calibrate(model, panel_of(model, walks(300, 0)))[0] == ()


def test_of_many_values_some_origins_will_do(monkeypatch):
    """A third of the origins give about the factor of all: 0.1 is three standard errors of it."""
    model = forecaster((-0.5, 0.0, 0.5), targets=2)
    panel = panel_of(model, walks(1500, 3, series=2, targets=2))
    every, _ = calibrate(model, panel)
    monkeypatch.setattr("penstock.forecast.calibration._MOST_VALUES", 2000)
    some, figures = calibrate(model, panel)
    assert some != every
    assert some[0] / every[0] == pytest.approx(1, abs=0.1)
    assert figures["stretches"] == pytest.approx(2 * 1499, abs=2 * 3)


SMALL = {"horizon": 2, "context": 8, "hidden_size": 8, "epochs": 1, "batch_size": 32}


@pytest.fixture(scope="module", params=["window", "carried"])
def fitted(request):
    """On a walk whose steps grow eight times as large where validation begins; not to be changed."""
    draw = np.random.default_rng(4)
    values = (draw.normal(size=600) * np.where(np.arange(600) < 300, 1, 8)).cumsum()
    train, valid, test = Forecaster.split(arrays_panel(values), (300, 150, 150), 0)
    return Forecaster(**SMALL, memory=request.param).fit(train, valid, test), (train, valid, test)


def test_training_calibrates_what_is_saved_evaluated_and_streamed(fitted, tmp_path):
    estimator, (train, valid, test) = fitted
    figures = estimator.metrics_["intervals"]
    (pair,) = figures["pairs"]
    assert figures["stretches"] == 75
    assert pair["before"] < 0.7
    assert estimator.metrics_["valid"]["coverage_80"] == pytest.approx(pair["after"], abs=1e-9)
    estimator.save(tmp_path / "model")
    model = penstock.load(tmp_path / "model")
    assert model.features.factors == (pair["factor"], 1.0, pair["factor"])
    assert model.fingerprint == estimator.model_.fingerprint
    np.testing.assert_array_equal(model.predict_quantiles(test), estimator.predict_quantiles(test))
    assert model.evaluate(test)["metrics"]["coverage_80"] == estimator.metrics_["test"]["coverage_80"]
    stream = model.stream()
    stream.read(test.series[0].values[:-1, 0])
    np.testing.assert_array_equal(stream.push(test.series[0].values[-1, 0]).quantiles, model.predict_quantiles(test)[0])
    raw = Forecaster(**SMALL, memory=estimator.memory, calibrate=False).fit(train, valid, test)
    assert raw.model_.features.factors == ()
    assert "intervals" not in raw.metrics_
    np.testing.assert_array_equal(raw.predict(test), estimator.predict(test))
    assert raw.metrics_["test"]["coverage_80"] < estimator.metrics_["test"]["coverage_80"]


def test_the_report_says_what_was_done(fitted):
    estimator, _ = fitted
    page = estimator._report()
    for name in ("factor", "before", "after"):
        assert f'data-metric="/intervals/pairs/0/{name}"' in page
    assert re.search(r"data holds <[^>]*>75</[a-z]+> horizons", page)


def test_training_on_begins_without_the_factors_of_before(fitted, tmp_path):
    estimator, (train, valid, _) = fitted
    estimator.save(tmp_path / "model")
    again = Forecaster.load(tmp_path / "model")
    before = again.model_
    kept = before.features.factors
    again.set_params(learning_rate=1e-9, average=0.0, epochs=1).fit(train, valid)
    assert before.features.factors == kept  # the model of before is as it was
    pair, first = (each.metrics_["intervals"]["pairs"][0] for each in (again, estimator))
    assert pair["before"] == pytest.approx(first["before"], abs=0.02)  # of the network alone
    assert pair["factor"] == pytest.approx(first["factor"], rel=0.02)
    again.set_params(calibrate=False).fit(train, valid)
    assert again.model_.features.factors == ()


def test_features_of_before_there_were_factors_can_be_read():
    model = forecaster((-0.3, 0.0, 0.3))
    described = model.features.to_json()
    assert "factors" not in described
    assert ForecastFeatures.from_json(described).factors == ()
    model.features.factors = (1.5, 1.0, 1.5)
    assert ForecastFeatures.from_json(model.features.to_json()).factors == (1.5, 1.0, 1.5)


@pytest.mark.parametrize("factors", [(1.0,), (1.0, 1.0, -2.0), (1.0, 1.0, float("nan"))], ids=str)
def test_invalid_factors_are_refused(factors):
    described = forecaster((-0.3, 0.0, 0.3)).features.to_json() | {"factors": list(factors)}
    with pytest.raises(ConfigError, match="factor"):
        ForecastFeatures.from_json(described)
