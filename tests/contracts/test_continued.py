"""Every task: a saved model trains on with new rows; old classes and series keep their weights, new ones are added."""

import logging

import numpy as np
import pytest
from small_trainings import TRAININGS

from penstock import Forecaster, SeriesClassifier, Tagger
from penstock.errors import ConfigError, DataError

IN_SHORT = ("series-classification", "forecasting")
"""Those that run at each change; the rest is slow."""
BY_NAME = {training.name: training for training in TRAININGS}


def said(caplog):
    return [record.message for record in caplog.records if getattr(record, "event", "") == "continued"]


@pytest.mark.parametrize(
    "training",
    [pytest.param(each, id=each.name, marks=() if each.name in IN_SHORT else pytest.mark.slow) for each in TRAININGS],
)
def test_a_saved_model_trains_on_with_new_rows(training, tmp_path):
    fitted = training.make(epochs=1).fit(*training.data(0))
    fitted.save(tmp_path / "model")
    loaded = training.estimator.load(tmp_path / "model")
    started = {name: array.copy() for name, array in loaded.model_.tensors.items()}
    loaded.set_params(epochs=1, learning_rate=1e-9, weight_decay=0.0).fit(*training.data(1))
    assert loaded.model_.network == fitted.model_.network
    for name, array in started.items():
        np.testing.assert_allclose(loaded.model_.tensors[name], array, atol=1e-6, err_msg=name)
    loaded.save(tmp_path / "next")
    training.estimator.load(tmp_path / "next")


@pytest.mark.parametrize(
    ("estimator", "options", "answers"),
    [
        (SeriesClassifier, {}, lambda label: [label] * 10),
        (SeriesClassifier, {"window": 2}, lambda label: [[label] * 20] * 10),
    ],
    ids=["sequences", "steps"],
)
def test_new_classes_follow_the_old_ones_which_keep_their_weights(caplog, estimator, options, answers):
    caplog.set_level(logging.INFO, "penstock")
    signals = [np.arange(20.0)[:, None] + row for row in range(20)]
    options |= {"hidden_size": 4, "epochs": 1, "baseline": False, "warm_start": True}
    found = estimator(**options).fit(signals, answers("b") + answers("d"))
    before = {name: array.copy() for name, array in found.model_.tensors.items()}
    found.set_params(learning_rate=1e-9, weight_decay=0.0).fit(signals, answers("b") + answers("a"))
    assert list(found.classes_) == ["b", "d", "a"]
    for name, array in before.items():
        kept = found.model_.tensors[name][tuple(slice(size) for size in array.shape)]
        np.testing.assert_allclose(kept, array, atol=1e-6, err_msg=name)
    assert said(caplog) == ["classes: 2 as before; 1 new: 'a'; 1 without new rows, which may be forgotten: 'd'"]
    with pytest.raises(DataError, match="Only training rows can bring a new class"):
        found.fit(signals, answers("b") + answers("a"), validation_data=(signals, answers("b") + answers("c")))
    with pytest.raises(DataError, match="there are 4 classes, more than max_classes=3: 'c'"):
        found.set_params(max_classes=3).fit(signals, answers("b") + answers("c"))


@pytest.mark.slow
def test_new_tags_come_with_all_their_places():
    training = BY_NAME["tagging"]
    sentences, tags = training.data(0)
    found = training.make(warm_start=True).fit(sentences, tags)
    found.fit(sentences, [["B-PER", "B-ACT", "O"]] * len(sentences))
    assert list(found.model_.labels) == [
        "O",
        *(f"{place}-{kind}" for kind, places in (("PER", "BIES"), ("ACT", "BEIS")) for place in places),
    ]
    assert isinstance(found, Tagger)
    assert len(found.predict(sentences[:1])[0]) == 3


def test_new_series_get_a_vector_and_a_scale_of_their_own(caplog):
    caplog.set_level(logging.INFO, "penstock")
    draw = np.random.default_rng(0)
    waves = {
        name: np.sin(np.arange(60) / 2) * size + draw.normal(0, 0.1, 60)
        for name, size in zip("abc", (1, 1, 50), strict=True)
    }
    options = {"horizon": 2, "context": 8, "hidden_size": 4, "epochs": 1, "baseline": False, "warm_start": True}
    found = Forecaster(**options).fit(panel(waves, "ab"))
    before = found.model_.tensors["inputs.identities"].copy()
    found.set_params(learning_rate=1e-9, weight_decay=0.0).fit(panel(waves, "bc"))
    features = found.model_.features
    assert features.names == ("a", "b", "c")
    assert features.scales["spread"][2, 0] > 10 * features.scales["spread"][1, 0]
    np.testing.assert_allclose(found.model_.tensors["inputs.identities"][:3], before, atol=1e-6)
    assert said(caplog) == ["series: 2 as before; 1 new: 'c'; 1 without new rows, which may be forgotten: 'a'"]
    with pytest.raises(ConfigError, match="hidden_size is 5, was 4"):
        found.set_params(hidden_size=5).fit(panel(waves, "bc"))


def panel(waves, names):
    import pandas

    steps = pandas.date_range("2020-01-01", periods=60, freq="D")
    return pandas.concat([pandas.DataFrame({"unique_id": name, "ds": steps, "y": waves[name]}) for name in names])
