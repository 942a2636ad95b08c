"""`verbose=` of the estimators, and `logging` without it."""

import logging

import pytest

from penstock import Forecaster, TextClassifier
from penstock.errors import ConfigError

STAGES = ["making features", "fitting the baselines", "network: ", "training: ", "epoch 1/1: ", "stopped after epoch 1"]


def fit(estimator, make_reviews):
    return estimator.fit(*make_reviews(40, 0))


def test_silent_by_default(small, make_reviews, capfd):
    fit(small(epochs=1), make_reviews)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("verbose", [1, 2, True])
def test_lines_on_standard_error(small, make_reviews, capsys, verbose):
    fit(small(epochs=1, verbose=verbose), make_reviews)
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert lines[0] == "36 rows to train on, 4 to validate with"
    for stage in STAGES:
        assert sum(line.startswith(stage) for line in lines) == 1, stage
    assert lines[-1] == "measuring the network and its baselines"
    assert logging.getLogger("penstock").level == logging.NOTSET


def test_logging_gets_it_without_verbose(small, make_reviews, caplog, capsys):
    caplog.set_level(logging.INFO, "penstock")
    fit(small(epochs=1), make_reviews)
    for stage in STAGES:
        assert sum(message.startswith(stage) for message in caplog.messages) == 1, stage
    assert {record.name for record in caplog.records} == {"penstock.tasks", "penstock.training"}
    assert capsys.readouterr().err == ""


def test_verbose_gives_other_handlers_nothing_that_they_did_not_ask_for(small, make_reviews, caplog):
    caplog.set_level(logging.WARNING)
    fit(small(epochs=1, verbose=1), make_reviews)
    assert caplog.messages == []


def test_forecasts_are_calibrated_aloud(capsys):
    series = [float(step % 7) for step in range(80)]
    Forecaster(horizon=2, context=8, hidden_size=4, epochs=1, batch_size=32, verbose=1).fit(series)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "72 steps to train on, 8 to validate with"
    assert "calibrating the intervals on the validation data" in lines


@pytest.mark.parametrize("verbose", [-1, "loud", None, 1.5])
def test_invalid_values_are_refused(verbose):
    with pytest.raises(ConfigError, match="verbose must be 0, 1 or 2"):
        TextClassifier(verbose=verbose).fit(["a", "b"], [0, 1])
