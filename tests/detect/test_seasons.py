"""The season's opinion, stuck sensors, and whole series judged at once: a network with drawn weights is enough."""

import json

import numpy as np
import pytest

from penstock.detect import predicting
from penstock.detect.building import table_timelines
from penstock.detect.conditions import CONDITIONS
from penstock.detect.features import DetectFeatures
from penstock.detect.fitting import calibrate, fitted_features
from penstock.detect.model import DetectorModel
from penstock.detect.season import MOST_POINTS, new_profile
from penstock.detect.season_search import near_spreads, no_seasons
from penstock.detect.spec import DistributionHead
from penstock.errors import ConfigError
from penstock.inspection import memory_horizon
from penstock.network import Network, Numbers, Recurrent

DAY, START = 48, np.datetime64("2024-01-01", "s")


def days(count, seed):
    """Two columns, every half an hour: one that jumps up at 8:00 and down at 16:00, and one in whole numbers."""
    draw, clock = np.random.default_rng(seed), np.arange(count * DAY) % DAY
    jumping = 20.0 + 60 * ((clock >= 16) & (clock < 32)) + draw.normal(size=count * DAY)
    return {"a": jumping, "b": np.round(9 * np.sin(2 * np.pi * clock / DAY) + draw.normal(size=count * DAY))}


def series(values, names=("x",), start=START):
    steps = len(values["a"])
    at = [str(start + 1800 * step) for step in range(steps)] * len(names)
    table = {name: [*column.tolist()] * len(names) for name, column in values.items()}
    table |= {"at": at, "id": [name for name in names for _ in range(steps)]}
    return table_timelines(table, targets=["a", "b"], time="at", id="id")


def drawn_detector(smoothing):
    data = series(days(12, 0))
    features = fitted_features(data, [], probation=60, smoothing=smoothing, false_alarm_rate=1e-3)
    network = Network(Numbers(features.size), Recurrent(input_size=features.size, hidden_size=5), DistributionHead(2))
    draw = np.random.default_rng(0)
    tensors = {
        name: draw.normal(0, 0.3, shape).astype(np.float32) for name, shape in network.parameter_shapes().items()
    }
    model = DetectorModel(network, features, [], tensors)
    calibrate(model, data, data, 0.0)
    return model


@pytest.fixture(scope="module")
def model():
    return drawn_detector(1)


@pytest.fixture(scope="module")
def odd():
    return odd_days(START + 12 * 86_400)


def odd_days(start):
    """Four days, one without its jump, with a stuck sensor, an outlier, and missing values."""
    values = days(4, 1)
    values["a"][DAY + 16 : DAY + 32] -= 60
    values["b"][3 * DAY + 5 : 3 * DAY + 25] = values["b"][3 * DAY + 5]
    values["a"][30], values["a"][40], values["b"][[40, 41]] = 400.0, np.nan, np.nan
    return series(values, ("x", "new"), start)


def told(found):
    return [CONDITIONS[place] for place in found.condition]


def test_a_day_that_does_not_jump_is_unseasonal(model, odd):
    known, unknown = model.predict(odd)
    missing_jump = slice(DAY + 16, DAY + 20)
    assert model.features.scales["points"].tolist() == [DAY]
    assert model.features.scales["span"].tolist() == [86_400]
    assert known.anomaly[missing_jump].all()
    assert set(told(known)[missing_jump]) == {"unseasonal"}
    assert ((known.low < known.series.values) & (known.series.values < known.high))[DAY + 17 : DAY + 20, 0].all()
    assert not known.anomaly[:16].any()
    assert set(told(unknown)[:60]) <= {"probation", "missing"}


def test_a_stuck_sensor_raises_one_alarm_and_is_stuck_until_it_moves(model, odd):
    known = model.predict(odd)[0]
    stuck = [step for step, each in enumerate(told(known)) if each == "stuck"]
    assert stuck == list(range(stuck[0], 3 * DAY + 25))
    assert stuck[0] < 3 * DAY + 15
    assert known.anomaly[stuck[0]]
    assert not known.anomaly[3 * DAY + 23 : 3 * DAY + 25].any()  # after some rows it is the ordinary state
    repeats = known.evidence[stuck, 3]
    np.testing.assert_array_equal(repeats, np.array(stuck) - (3 * DAY + 5))


@pytest.mark.parametrize(
    ("smoothing", "season", "start"),
    [(4, True, START + 12 * 86_400), (1, False, START + 12 * 86_400), (1, True, START + 10 * 86_400)],
)
def test_whole_series_have_the_bits_of_rows_one_by_one(smoothing, season, start, monkeypatch):
    """The last one reads two days of training again."""
    judging, odd = drawn_detector(smoothing), odd_days(start)
    if not season:
        judging.features.scales |= no_seasons(1, 2)
        judging.features.profile = new_profile(1, 1, 2)
    whole = judging.predict(odd)
    monkeypatch.setattr(predicting, "_FEW", 0)
    for one, other in zip(whole, judging.predict(odd), strict=True):
        for name in ("score", "threshold", "anomaly", "expected", "low", "high", "condition", "evidence"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_values_of_training_that_are_read_again_count_once(model):
    """What the season says of new rows is the same, whether or not rows of training come before them."""
    new, longer = days(2, 3), {name: np.concatenate([days(12, 0)[name], days(2, 3)[name]]) for name in ("a", "b")}
    (alone,) = model.predict(series(new, start=START + 12 * 86_400))
    (after,) = model.predict(series(longer))
    assert model.features.scales["until"].tolist() == [(START + (12 * DAY - 1) * 1800).astype(int)]
    np.testing.assert_array_equal(after.evidence[12 * DAY :, 1], alone.evidence[:, 1])
    assert (after.evidence[DAY : 2 * DAY, 1] > 0).all()  # rows of training are compared with the profile, too


def test_a_detector_is_calibrated_again_as_the_first_time(model):
    again, data = drawn_detector(1), series(days(12, 0))
    calibrate(again, data, data, 0.0)
    assert again.features.to_json() == model.features.to_json()


def slow_near_spreads(at, values, period, spread):
    """The same as `near_spreads`, value by value."""
    found = np.empty((period, values.shape[1]))
    for target in range(values.shape[1]):
        squares = [[] for _ in range(period)]
        before = {}
        for point, value in zip(at.tolist(), values[:, target].tolist(), strict=True):
            if np.isnan(value):
                continue
            if point in before:
                squares[point].append((value - before[point]) ** 2 / 2)
            before[point] = value
        reach = min(12, (period - 1) // 2)
        for point in range(period):
            beside = [squares[(point + shift) % period] for shift in range(-reach, reach + 1) if shift]
            own = [square for several in beside for square in several]
            found[point, target] = np.sqrt((sum(own) + 10 * spread[target] ** 2) / (len(own) + 10))
    return found


@pytest.mark.parametrize(("period", "steps"), [(2, 9), (3, 2), (5, 40), (48, 100), (48, 1000), (300, 640)])
def test_the_spread_beside_a_point_is_that_of_its_neighbours(period, steps):
    draw = np.random.default_rng(period + steps)
    at, values = (7 + np.arange(steps)) % period, draw.normal(size=(steps, 2))
    values[draw.random((steps, 2)) < 0.1] = np.nan
    spread = np.array([0.5, 2.0])
    found = near_spreads(at, values, period, spread)
    np.testing.assert_allclose(found, slow_near_spreads(at, values, period, spread), rtol=1e-12)


def test_nights_that_are_quieter_than_days_have_a_smaller_spread():
    draw, period = np.random.default_rng(0), 288
    at = np.arange(2 * period) % period
    night = at < period // 2
    values = np.where(night, 1.0, 5.0) * draw.normal(size=2 * period)
    found = near_spreads(at, values[:, None], period, np.array([3.6]))[:, 0]
    assert found[20:120].max() < 3.0 < found[170:270].min()


def test_rows_without_times_are_not_judged_by_the_season(model):
    stream, values = model.stream("x"), days(3, 2)
    for row in zip(values["a"][:20], values["b"][:20] - 40, strict=True):
        found = stream.push(list(row))
    assert found.condition != "unseasonal"


def test_features_are_read_as_they_were_written(model):
    written = model.features.to_json()
    again = DetectFeatures.from_json(json.loads(json.dumps(written)))
    for name in ("scales", "peaks", "profile"):
        for key, array in getattr(model.features, name).items():
            np.testing.assert_array_equal(array, getattr(again, name)[key])
    for key, bad in (("points", [MOST_POINTS + 1.0]), ("points", [0.5]), ("span", [0.0])):
        with pytest.raises(ConfigError, match="can't be read: a season must have 1 to 2016 points"):
            DetectFeatures.from_json(written | {"scales": written["scales"] | {key: bad}})
    with pytest.raises(ConfigError, match="can't be read: cannot reshape"):
        DetectFeatures.from_json(written | {"covariate_scale": [[0.0], [1.0]]})
    older = written["scales"].copy()
    del older["until"]
    with pytest.raises(ConfigError, match="they lack 'until'; an older build may have"):
        DetectFeatures.from_json(written | {"scales": older})
    empty = {"peaks": {}} | {name: {key: [] for key in written[name]} for name in ("scales", "profile")}
    with pytest.raises(ConfigError, match="at least one training series"):
        DetectFeatures.from_json(written | {"names": []} | empty)


def test_a_detector_is_inspected_series_by_series(model, odd):
    known = model.predict(odd)[0]
    reading = next(model.readings(odd))
    scores = reading.recall([len(reading)])[0]
    location, spread, _ = model.features.units(known.series)
    last = model.features.encoded(known.series, *model.features.units(known.series)).last[-1]
    np.testing.assert_array_equal(location + spread * (last + scores[:2].astype(np.float64)), known.expected[-1])
    figures = memory_horizon(model, odd)
    assert (figures["examples"], figures["unit"], figures["step"]) == (2, "minute", 30)
