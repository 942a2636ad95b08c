"""A forecast drawn is the forecast predicted, behind the end of the series that was given."""

import numpy as np
import pytest
from matplotlib.figure import Figure

import penstock
from penstock.errors import ConfigError

DAYS = np.arange("2024-01-01", "2024-04-10", dtype="datetime64[D]")


@pytest.fixture(scope="module")
def fitted():
    data = penstock.read_series(
        {
            "unique_id": np.repeat(["a", "b"], len(DAYS)).tolist(),
            "ds": [*map(str, DAYS), *map(str, DAYS)],
            "y": np.concatenate([np.sin(np.arange(100) / 4), np.cos(np.arange(100) / 4)]),
        }
    )
    return penstock.Forecaster(horizon=3, context=8, hidden_size=4, epochs=1, baseline=False).fit(data), data


def test_the_chart_of_a_series_has_its_forecast_at_the_dates_ahead(fitted):
    model, data = fitted
    ax = model.plot(data=data, series="b", history=5, ax=Figure().subplots())
    actual, forecast = ax.lines
    np.testing.assert_array_equal(forecast.get_ydata(), model.predict(data)[1, :, 0])
    assert forecast.get_xdata()[0] == np.datetime64("2024-04-10")
    np.testing.assert_allclose(actual.get_ydata(), np.cos(np.arange(95, 100) / 4))
    assert ax.get_title() == "b"
    assert [each.get_label() for each in ax.collections] == ["80 %"]


def test_arrays_have_steps_for_times(fitted):
    model, _ = fitted
    ax = model.model_.plot("forecast", data=np.sin(np.arange(40) / 4), ax=Figure().subplots())
    assert list(ax.lines[1].get_xdata()) == [40, 41, 42]


def test_the_training_can_be_drawn_too(fitted):
    model, _ = fitted
    assert model.plot("learning_curve", ax=Figure().subplots()).get_xlabel() == "epoch"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "needs the series before it"),
        ({"series": "c"}, "no series 'c'; there is: a, b"),
        ({"target": "z"}, "no target 'z'"),
    ],
)
def test_what_can_not_be_drawn_is_said(fitted, options, words):
    model, data = fitted
    with pytest.raises(ConfigError, match=words):
        model.plot("forecast", **({"data": data} | options if options else {}))
