"""Every estimator measures how far back its model remembers, and says it."""

import json
import logging

import numpy as np
import pytest

import penstock
from penstock.bundle import plain
from penstock.runtime import Model
from penstock.tasks.memory import memory_of

SMALL = {"hidden_size": 4, "num_layers": 1, "epochs": 1, "random_state": 0, "baseline": False}
DRAW = np.random.default_rng(0)
SIGNALS = DRAW.normal(size=(24, 30, 2))
TEXTS = [" ".join(f"w{k}" for k in DRAW.integers(0, 9, 15)) for _ in range(24)]
SERIES = np.sin(np.arange(120) / 3) + DRAW.normal(size=120) / 9
SOUNDS = list(DRAW.normal(size=(12, 3000)) / 9)


def estimators():
    text = penstock.TextClassifier(embedding_size=4, **SMALL)
    signal, number = penstock.SeriesClassifier(stride=1, **SMALL), penstock.SeriesRegressor(stride=1, **SMALL)
    steps = penstock.SeriesClassifier(stride=1, window=8, **SMALL)
    sound = penstock.AudioClassifier(sample_rate=8000, teachers=0, **SMALL)
    window = penstock.Forecaster(horizon=2, context=12, segment=3, **SMALL)
    carried = penstock.Forecaster(horizon=2, context=12, memory="carried", **SMALL)
    yield pytest.param(text, TEXTS, "word", id="text")
    yield pytest.param(signal, SIGNALS, "step", id="signal")
    yield pytest.param(number, SIGNALS, "step", id="number")
    yield pytest.param(steps, SIGNALS[:6], "step", id="steps")
    yield pytest.param(sound, SOUNDS, "second", id="sound")
    yield pytest.param(window, SERIES, "step", id="window")
    yield pytest.param(carried, SERIES, "step", id="carried")


@pytest.mark.parametrize(("estimator", "inputs", "unit"), list(estimators()))
def test_metrics_hold_the_memory(estimator, inputs, unit, caplog):
    answers = [] if inputs is SERIES else [["a", "b"] * (len(inputs) // 2)]
    if isinstance(estimator, penstock.SeriesRegressor):
        answers = [inputs[:, 0, 0]]
    with caplog.at_level(logging.INFO, logger="penstock"):
        estimator.fit(inputs, *answers)
    memory = estimator.metrics_["memory"]
    assert memory["unit"] == unit
    assert memory["forgetting"][0]["change"] == pytest.approx(1)
    assert memory["forgetting"][-1]["change"] == pytest.approx(0, abs=1e-5)
    assert len(memory["layers"]) == (2 if estimator.model_.network.encoder.bidirectional else 1)
    assert memory["layers"][0]["left"][0] == 1
    json.dumps(plain(memory), allow_nan=False)
    (said,) = [record for record in caplog.records if getattr(record, "event", "") == "memory"]
    assert "depend" in said.getMessage()
    assert said.fields["horizon"] == memory["horizon"]


def test_a_model_that_cannot_be_inspected_is_trained_all_the_same(caplog):
    class StandIn:
        reading, readings = Model.reading, Model.readings
        task = "own"

    with caplog.at_level(logging.INFO, logger="penstock"):
        assert memory_of(StandIn(), ["a"]) == {}
    assert "its memory was not measured" in caplog.text
