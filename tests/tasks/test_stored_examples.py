"""Inputs are stored in a model only where the person asked for it, in the form that a server takes."""

import json

import numpy as np
import pytest

import penstock
from penstock.errors import ConfigError

TINY = {"hidden_size": 4, "epochs": 1, "baseline": False}


def test_a_text_model_stores_as_many_texts_as_asked(tmp_path):
    texts, labels = [f"good food {n}" for n in range(30)], ["a", "b"] * 15
    model = penstock.TextClassifier(**TINY, examples=2).fit(texts, labels, test_data=(texts[:7], labels[:7]))
    assert model.metrics_["examples"] == [texts[0], texts[6]]
    saved = json.loads((model.save(tmp_path / "m") / "metrics.json").read_text("utf-8"))
    assert saved["examples"] == [texts[0], texts[6]]
    model.set_params(examples=0)
    assert "examples" not in model.fit(texts, labels).metrics_


def test_signals_are_stored_as_steps_with_gaps_as_null():
    signals = np.random.default_rng(0).normal(size=(20, 6, 2))
    signals[3, 2, 1] = np.nan
    model = penstock.SeriesClassifier(**TINY, examples=20).fit(
        signals, ["a", "b"] * 10, test_data=(signals[:4], ["a", "b"] * 2)
    )
    stored = model.metrics_["examples"]
    assert np.shape(stored) == (4, 6, 2)
    assert stored[3][2][1] is None
    np.testing.assert_allclose(stored[0], signals[0], rtol=1e-5)


def test_a_forecaster_stores_the_ends_of_series():
    series = np.sin(np.arange(120) / 5)
    model = penstock.Forecaster(horizon=2, context=6, **TINY, examples=3).fit(series)
    (stored,) = model.metrics_["examples"]
    np.testing.assert_allclose(np.ravel(stored), series[-18:], rtol=1e-5)


@pytest.mark.parametrize("wrong", [-1, 1.5, "2"])
def test_another_number_is_refused(wrong):
    with pytest.raises(ConfigError, match="examples must be a whole number, at least 0; got"):
        penstock.TextClassifier(**TINY, examples=wrong).fit(["a", "b"] * 8, ["x", "y"] * 8)
