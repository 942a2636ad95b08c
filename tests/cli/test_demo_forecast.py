"""The demo's forecast: its record, and years held back measured beside what is simple."""

import numpy as np
import pytest

from penstock.cli import demo_forecast
from penstock.cli.demo_forecast import CONTEXT, HORIZON, TEST_YEARS, learn, measure, sunspots


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What the demo measures; a few seconds."""
    return measure(learn(tmp_path_factory.mktemp("demo") / "sunspots"))


def test_the_record_has_every_year_once():
    years, numbers = sunspots()
    assert years.tolist() == list(range(1700, 2009))
    assert (numbers[0], numbers[-1], numbers.max()) == (5.0, 2.9, 190.2)


def test_the_parts_follow_each_other_and_training_sees_none_of_what_is_held_back():
    train, valid, test = (next(iter(part)) for part in demo_forecast._parts())
    _, numbers = sunspots()
    np.testing.assert_array_equal(test.values[:, 0], numbers)
    assert len(test) - test.begin == TEST_YEARS
    assert len(train) == valid.begin
    assert len(valid) == test.begin


@pytest.mark.slow
def test_measured_beside_the_baselines_from_every_year(found):
    assert found["rows"] == {"train": 309 - TEST_YEARS, "test": TEST_YEARS}
    assert found["origins"] == 56
    _, numbers = sunspots()
    origins = range(309 - TEST_YEARS, 309 - HORIZON + 1)
    naive = np.mean([np.abs(numbers[at : at + HORIZON] - numbers[at - 1]) for at in origins])
    scores = found["scores"]
    assert scores["baselines"]["naive"]["mae"] == pytest.approx(naive)
    assert found["as_expected"] is True
    assert scores["metrics"]["mae"] < scores["baselines"]["seasonal_naive"]["mae"]
    assert scores["baseline_verdicts"]["naive"]["mae"] == "better"


@pytest.mark.slow
def test_the_fan_is_of_the_last_years(found):
    fan = found["fan"]
    assert fan["years"] == list(range(1998, 2009))
    assert fan["history_years"][-1] == 1997
    assert len(fan["history"]) == len(fan["history_years"]) >= CONTEXT
    for low, forecast, high in zip(fan["low"], fan["forecast"], fan["high"], strict=True):
        assert low <= forecast <= high


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ({"naive": "better", "ridge": "no clear difference"}, True),
        ({"naive": "no clear difference", "ridge": "better"}, False),
        ({"naive": "better", "ridge": "worse"}, False),
    ],
)
def test_the_paired_test_decides_what_is_as_expected(verdicts, expected, monkeypatch):
    class Model:
        def evaluate(self, inputs):
            return {"baseline_verdicts": {name: {"mae": verdict} for name, verdict in verdicts.items()}}

    monkeypatch.setattr(demo_forecast, "_fan", lambda model: {})
    assert measure(Model())["as_expected"] is expected
