"""Forecaster: it learns, says what it found, refuses what it can't use; its report shows what metrics.json holds."""

import json
import re
import warnings

import numpy as np
import pandas
import pytest
from sklearn.base import clone

import penstock
from penstock.errors import ConfigError, DataError, NotFittedError
from penstock.panels.readers import read_series
from penstock.tasks import Forecaster
from penstock.training import Callback

SMALL = {"horizon": 4, "context": 16, "hidden_size": 8, "epochs": 3, "batch_size": 32}


def wave(steps, seed=0, period=8):
    draw = np.random.default_rng(seed)
    return 10 + 3 * np.sin(2 * np.pi * np.arange(steps) / period) + draw.normal(size=steps, scale=0.2)


def frame(steps=200, names=("a", "b")):
    dates = pandas.date_range("2020-01-01", periods=steps, freq="D")
    parts = [
        pandas.DataFrame({"unique_id": name, "ds": dates, "y": wave(steps, number)})
        for number, name in enumerate(names)
    ]
    return pandas.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def fitted():
    """Fitted with a test part; not to be changed."""
    train, valid, test = Forecaster.split(read_series(frame()), (0.7, 0.15, 0.15), 0)
    return Forecaster(**SMALL, season=8).fit(train, valid, test)


def test_it_learns_and_beats_the_last_value(fitted):
    figures = fitted.metrics_
    assert figures["test"]["mae"] < figures["baseline"]["naive"]["test"]["mae"]
    assert set(figures["test"]) == {"rows", "mse", "mae", "smape", "mase", "coverage_80"}
    assert figures["main_baseline"] in figures["baseline"]
    assert figures["test"]["rows"] == 2 * (30 - 4 + 1)  # every origin of both series
    assert figures["data"]["test"]["rows"] == 2 * 30


def test_the_model_measures_as_training_did(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    model = penstock.load(tmp_path / "model")
    panel = Forecaster.split(read_series(frame()), (0.7, 0.15, 0.15), 0)[2]
    found = model.evaluate(panel)
    for name in ("mse", "mae", "smape", "mase", "coverage_80"):
        assert found["metrics"][name] == fitted.metrics_["test"][name]
        if name != "coverage_80":
            assert (
                found["baseline"][name] == fitted.metrics_["baseline"][fitted.metrics_["main_baseline"]]["test"][name]
            )
    np.testing.assert_array_equal(model.predict(panel), fitted.predict(panel))
    rows = list(model.answers(panel))
    assert len(rows) == 2 * 4
    assert rows[0] == {
        "unique_id": "a",
        "ds": "2020-07-19",
        "target": "y",
        "step": 1,
        "prediction": fitted.predict(panel)[0, 0, 0],
        **{f"quantile_{q}": fitted.predict_quantiles(panel)[0, 0, 0, k] for k, q in enumerate(("0.1", "0.5", "0.9"))},
    }
    assert model.info()["forecast"]["frequency"] == "1 day"
    json.dumps(model.info())


def test_frames_arrays_and_panels_are_taken_the_same_way(fitted):
    expected = fitted.predict(read_series(frame()))
    np.testing.assert_array_equal(fitted.predict(frame())["prediction"], expected.ravel())
    arrays = {name: part["y"].to_numpy() for name, part in frame().groupby("unique_id")}
    np.testing.assert_array_equal(fitted.predict(arrays), expected)


def test_the_same_seed_gives_the_same_bits():
    values = [Forecaster(**SMALL, random_state=3).fit(wave(150)).predict(wave(150)) for _ in range(2)]
    np.testing.assert_array_equal(*values)


@pytest.mark.parametrize("options", [{"memory": "carried"}, {"joint": True}, {"quantiles": [0.5]}], ids=str)
def test_every_form_trains(options):
    estimator = Forecaster(**(SMALL | {"epochs": 1}), **options).fit(np.stack([wave(120), wave(120, 1)], 1))
    assert estimator.predict(np.stack([wave(40), wave(40)], 1)).shape == (1, 4, 2)
    assert ("coverage_80" in estimator.metrics_["valid"]) == ("quantiles" not in options)


@pytest.mark.slow
def test_covariates_known_beforehand_help():
    draw = np.random.default_rng(0)
    known = draw.integers(0, 2, 404).astype(float)
    y = 5 * known + draw.normal(size=404, scale=0.1)
    y[400:] = np.nan
    panel = read_series({"y": y, "sale": known}, known=["sale"])
    estimator = Forecaster(**(SMALL | {"epochs": 12, "learning_rate": 0.02})).fit(panel)
    found = estimator.predict(panel)[0, :, 0]
    np.testing.assert_array_equal(found > 2.5, known[400:] > 0.5)
    with pytest.raises(DataError, match="sale must be known for the 4 steps after its last value; known for 0"):
        estimator.predict(read_series({"y": y[:400], "sale": known[:400]}, known=["sale"]))
    with pytest.raises(DataError, match="known covariate columns sale, as in training; got none"):
        estimator.predict(y[:400])


def test_series_too_short_to_learn_from_do_not_stop_the_others():
    estimator = Forecaster(**SMALL).fit({"long": wave(150), "short": wave(15)})
    assert estimator.model_.features.names == ("long", "short")
    with pytest.raises(
        DataError, match="series 'short' must have the 16 values of the context before a forecast; got 15"
    ):
        estimator.predict({"short": wave(15)})


def test_it_continues_from_a_saved_model(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    loaded = Forecaster.load(tmp_path / "model")
    assert (loaded.warm_start, loaded.context, loaded.horizon) == (True, 16, 4)
    loaded.set_params(epochs=1, learning_rate=1e-6).fit(frame())
    np.testing.assert_allclose(loaded.predict_quantiles(frame()), fitted.predict_quantiles(frame()), atol=0.05)
    with pytest.raises(ConfigError, match="hidden_size is 9, was 8"):
        loaded.set_params(hidden_size=9).fit(frame())


class Never(Callback):
    """Of a training that must not begin."""

    def on_start(self, epochs):
        raise AssertionError("has begun")


@pytest.mark.parametrize("part", ["validation_data", "test_data"])
def test_a_part_that_cannot_be_used_is_refused_before_training(part):
    with pytest.raises(DataError, match="with transform 'log' values must be above 0; got 0"):
        Forecaster(**SMALL, transform="log").fit(2 + wave(100), **{part: np.zeros(9)}, callbacks=[Never()])
    message = r"to (validate|test) with must have at least context \+ horizon = 16 \+ 4 steps, .* has 103, 100 of them"
    with pytest.raises(DataError, match=message):
        Forecaster(**SMALL).fit(wave(100), **{part: wave(3)}, callbacks=[Never()])


def test_a_series_that_never_changes_is_not_among_the_worst():
    data = {"calm": wave(100), "flat": np.full(100, 5.0), "wild": wave(100, seed=1)}
    later = {name: each[80:] * (5 if name == "wild" else 1) for name, each in data.items()}
    fitted = Forecaster(**SMALL).fit({name: each[:80] for name, each in data.items()}, validation_data=later)
    assert [each["series"] for each in fitted.metrics_["by_series"]] == ["wild", "calm", "flat"]
    assert np.isnan(fitted.metrics_["by_series"][-1]["mase"])  # not 0, which would be without any error


def test_a_target_may_end_early_but_must_have_been_there():
    values = np.stack([wave(100), wave(100, seed=1)], 1)
    values[85:, 1] = np.nan
    fitted = Forecaster(**SMALL).fit(values[:80], validation_data=values[80:])
    assert [each["target"] for each in fitted.metrics_["by_series"]] == ["y1", "y2"]
    values[:, 1] = np.nan
    with pytest.raises(DataError, match="the target y2 must have values to learn from; all are missing"):
        Forecaster(**SMALL).fit(values)


def test_few_rows_are_on_the_grid_of_training():
    times = pandas.bdate_range("2024-01-01", periods=66).strftime("%Y-%m-%d")  # from a Monday on
    table = pandas.DataFrame({"ds": times, "y": wave(66)})
    fitted = Forecaster(**(SMALL | {"context": 1, "horizon": 1})).fit(table[:60], test_data=table[60:61])
    assert fitted.metrics_["test"]["rows"] == 1
    for rows in (table[59:60], table[55:60], table[50:60]):  # a Friday, a week, two
        assert [answer["ds"] for answer in fitted.model_.answers(read_series(rows))] == [times[60]]
    fitted.fit(table[:60], test_data=table[60:65])
    assert fitted.metrics_["test"]["rows"] == 5
    days = pandas.date_range("2024-01-01", periods=9).strftime("%Y-%m-%d")
    with pytest.raises(DataError, match="steps of 1 business day, as in training; got 1 day"):
        fitted.model_.panel(read_series(pandas.DataFrame({"ds": days, "y": wave(9)})))


@pytest.mark.parametrize("zone", [None, "America/New_York"])
def test_business_days_at_the_close_continue_at_the_close(zone, tmp_path):
    times = pandas.bdate_range("2024-01-01", periods=104) + pandas.Timedelta("16h")
    table = pandas.DataFrame({"ds": times.tz_localize(zone), "y": wave(104, period=5)})
    options = SMALL | {"epochs": 1, "calendar": "auto"}
    Forecaster(**options).fit(table[:70], validation_data=table[70:100]).save(tmp_path / "model")
    model = penstock.load(tmp_path / "model")
    assert (model.features.frequency.words, model.features.calendar) == ("1 business day", ("weekday", "yearday"))
    expected = times[100:].strftime("%Y-%m-%d %H:%M:%S").tolist()
    # The last month alone has one offset, all of them together two.
    for rows in (table[:100], table[80:100]):
        assert [answer["ds"] for answer in model.answers(read_series(rows))] == expected
    stream = model.stream()
    for row in table[80:100].itertuples():
        answer = stream.push({"ds": row.ds, "y": row.y})
    np.testing.assert_array_equal(answer.prediction, model.predict(read_series(table[80:100]))[0])
    with pytest.raises(DataError, match="1 business day apart; 2024-05-18 16:00:00 does not"):
        stream.push({"ds": pandas.Timestamp("2024-05-18 16:00", tz=zone), "y": 1.0})


def test_a_calendar_by_one_name_is_a_list_of_one():
    table = pandas.DataFrame({"ds": pandas.date_range("2024-01-01", periods=80), "y": wave(80)})
    fitted = Forecaster(**(SMALL | {"epochs": 1, "calendar": "weekday"})).fit(table)
    assert fitted.model_.features.calendar == ("weekday",)


def test_hours_of_business_have_their_own_season_and_calendar():
    times = pandas.date_range("2024-01-01", periods=24 * 35, freq="h")
    times = times[(times.day_of_week < 5) & (times.hour >= 9) & (times.hour < 17)]
    table = pandas.DataFrame({"ds": times, "y": np.arange(200.0) % 8})
    fitted = Forecaster(**(SMALL | {"epochs": 1, "calendar": "auto"})).fit(table)
    features = fitted.model_.features
    assert (features.calendar, features.season) == (("hour", "weekday", "yearday"), 8)
    answers = list(fitted.model_.answers(read_series(table)))
    assert [answer["ds"][-8:] for answer in answers] == ["09:00:00", "10:00:00", "11:00:00", "12:00:00"]
    assert answers[0]["ds"] == "2024-02-05 09:00:00"


def test_a_stream_of_row_numbers_may_pass_numbers_that_look_like_dates():
    table = pandas.DataFrame({"ds": np.arange(202300, 202400), "y": wave(100)})
    stream = Forecaster(**(SMALL | {"epochs": 1})).fit(table).model_.stream()
    stream.read({"ds": number, "y": 1.0} for number in range(202395, 202420))
    with pytest.raises(DataError, match="202413 is -6 steps after"):
        stream.push({"ds": 202413, "y": 1.0})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"horizon": 0}, "horizon must be a whole number, at least 1"),
        ({"quantiles": [0.1, 0.9]}, "quantiles must be ascending, between 0 and 1, and include 0.5"),
        ({"quantiles": [0.9, 0.5]}, "quantiles must be ascending"),
        ({"quantiles": ["a"]}, "quantiles must be a list like"),
        ({"batch_size": 0}, "batch_size must be a whole number, at least 1"),
        ({"calendar": 5}, "calendar must be none, auto or a list of hour"),
        ({"memory": "elephant"}, "memory must be one of window, carried"),
        ({"transform": "sqrt"}, "transform must be one of none, log, log1p"),
        ({"bidirectional": True}, "reads forward"),
        ({"dropout": 1}, "dropout must be a number, at least 0 and below 1"),
        ({"calendar": "tide"}, "calendar must be none, auto or a list of hour.*; got 'tide'"),
        ({"calendar": ["none", "hour"]}, "calendar must be none, auto or a list of hour.*; got 'none'"),
        ({"calendar": ["tide"]}, "calendar must be none, auto or a list of hour"),
        ({"metric_scale": "log"}, "metric_scale must be one of"),
    ],
)
def test_invalid_options_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        Forecaster(**(SMALL | options)).fit(wave(100))


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (wave(20), {}, r"at least context \+ horizon = 16 \+ 4 steps; the longest has 16"),
        (wave(3), {}, "longer than what is held back to validate, 4 steps at least"),
        (np.array(["x", "y"]), {}, "must be numbers"),
        (wave(100), {"calendar": "auto"}, "calendar features need a column of dates"),
        (wave(100) - 10, {"transform": "log"}, "with transform 'log' values must be above 0"),
        (pandas.DataFrame({"date": [1], "sales": [2]}), {}, r"may be 'date' or 'sales'\..* Say.*read_series"),
        (object(), {}, r"mapping of columns; got object\. Say .*; or give an array"),
    ],
    ids=["context", "horizon", "text", "calendar", "log", "columns", "object"],
)
def test_data_that_cannot_be_used_is_refused(data, options, message):
    with pytest.raises(DataError, match=message):
        Forecaster(**(SMALL | options)).fit(data)


def test_an_unfitted_one_has_no_forecast():
    with pytest.raises(NotFittedError, match="this Forecaster has no weights yet"):
        Forecaster().predict(wave(100))


def test_clones_are_alike():
    estimator = Forecaster(horizon=3, quantiles=[0.25, 0.5, 0.75])
    assert clone(estimator).get_params() == estimator.get_params()


def test_what_was_treated_is_counted_and_shown():
    table = frame(names=("a",)).drop([50, 51])
    table.loc[60, "y"] = np.nan
    estimator = Forecaster(**(SMALL | {"epochs": 1})).fit(table)
    assert estimator.metrics_["data"]["changed"] == {
        "missing steps, filled in": 2,
        "missing values, the last one before them taken instead": 1,
    }
    assert estimator.metrics_["data"]["train"]["missing"] == 3
    assert 'data-metric="/data/changed/missing steps, filled in" data-value="2"' in estimator._report()


def test_the_report_shows_what_the_metrics_hold(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    metrics = json.loads((tmp_path / "model" / "metrics.json").read_text())
    page = (tmp_path / "model" / "report.html").read_text(encoding="utf-8")
    for title in (
        "Forecasts and actual values",
        "Error by step ahead",
        "Error by series",
        "What the errors still hold",
    ):
        assert f"<h2>{title}</h2>" in page
    assert page.count('<polygon class="band s0" points=') >= 2
    assert "This model, 95 % interval" in page
    for place in (
        "/interval_by_step/by_step/0/0",
        "/by_series/0/interval/mae/1",
        "/baseline/naive/difference/test/mae/p",
    ):
        assert f'data-metric="{place}"' in page
    places = re.findall(r'data-metric="([^"]+)" data-value="([^"]+)"', page)
    assert len(places) > 50
    for place, value in places:
        found = metrics
        for key in place.split("/")[1:]:
            found = found[int(key) if isinstance(found, list) else key.replace("~1", "/")]
        assert found == json.loads(value)


def test_the_report_says_where_the_last_value_is_hard_to_beat():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        walk = np.random.default_rng(0).normal(size=300).cumsum()
        estimator = Forecaster(**(SMALL | {"epochs": 1})).fit(walk)
    assert "The last value is hard to beat here" in estimator._report()
    assert estimator.metrics_["baseline"]["naive"]["verdict"]["valid"]["mae"] != "better"
    clear = Forecaster(**SMALL | {"epochs": 8}).fit(wave(300))
    assert clear.metrics_["baseline"]["naive"]["verdict"]["valid"]["mae"] == "better"
    assert "hard to beat" not in clear._report()
