"""What estimators of a label for each step do with data, figures and bad input."""

from dataclasses import dataclass

import numpy as np
import pytest
import sklearn.metrics
from sklearn.base import clone

from penstock import tasks
from penstock.datasets import Rows
from penstock.errors import DataError, NotFittedError
from penstock.network import Numbers
from penstock.runtime import StepModel
from penstock.signals.features import SignalFeatures
from penstock.signals.model import SignalSequenceModel


class LevelModel(SignalSequenceModel, StepModel):
    task = "levels"


@dataclass(kw_only=True, eq=False, repr=False)
class Levels(tasks.StepClassifier):
    """Whether the sum of the signal so far is above 0, step by step."""

    task = "levels"

    def _rows(self, signals, labels):
        return Rows([np.asarray(each, np.float64) for each in signals], list(labels))

    def _features(self, data):
        return SignalFeatures(stride=1, width=1).fit(data.train.inputs)

    def _inputs(self, features):
        return Numbers(features.size)


ROW = tasks.Task("levels", "levels", "Say it.", "a --out b", (), lambda *_: None, Levels, LevelModel)
QUICK = {"epochs": 20, "hidden_size": 8, "learning_rate": 0.02}


@pytest.fixture(autouse=True)
def registered(monkeypatch):
    monkeypatch.setitem(tasks.TASKS, "levels", ROW)


def drawn(count=60, seed=0):
    draw = np.random.default_rng(seed)
    signals = [draw.normal(size=(length, 1)) for length in draw.integers(1, 12, count)]
    return signals, [["high" if total > 0 else "low" for total in signal.cumsum()] for signal in signals]


@pytest.fixture(scope="module")
def fitted():
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(tasks.TASKS, "levels", ROW)
        return Levels(**QUICK).fit(*drawn(), test_data=drawn(9, 1))


def test_what_is_learned_is_measured_over_all_steps(fitted):
    signals, labels = drawn(9, 1)
    predicted = fitted.predict(signals)
    flat, said = ([label for own in each for label in own] for each in (labels, predicted))
    found = fitted.metrics_
    assert found["test"]["accuracy"] == pytest.approx(sklearn.metrics.accuracy_score(flat, said))
    assert found["test"]["f1_macro"] == pytest.approx(sklearn.metrics.f1_score(flat, said, average="macro"))
    assert found["test"]["accuracy"] > 0.85 > found["baseline"]["majority"]["test"]["accuracy"]
    assert fitted.score(signals, labels) == found["test"]["accuracy"]
    assert {name: found["confusion"][name] for name in ("part", "matrix")} == {
        "part": "test",
        "matrix": sklearn.metrics.confusion_matrix(flat, said, labels=["high", "low"]).tolist(),
    }
    assert [row["rows"] for row in found["per_class"]["test"]] == [flat.count("high"), flat.count("low")]
    assert (found["main_baseline"], found["mistakes"]) == ("majority", [])
    assert found["data"]["test"] == {
        "rows": 9,
        "steps": len(flat),
        "classes": {"high": flat.count("high"), "low": flat.count("low")},
    }
    assert "valid" in found["per_class_baseline"]
    assert list(fitted.classes_) == ["high", "low"]


def test_the_same_seed_gives_the_same_bits_and_a_clone_is_not_fitted(fitted):
    again = Levels(**QUICK).fit(*drawn(), test_data=drawn(9, 1))
    for name, array in fitted.model_.tensors.items():
        np.testing.assert_array_equal(again.model_.tensors[name], array)
    with pytest.raises(NotFittedError):
        clone(fitted).predict(drawn()[0])


@pytest.mark.parametrize("where", ["train", "valid", "test"])
def test_steps_and_labels_must_be_as_many(where):
    signals, labels = drawn(20)
    wrong = signals, [*labels[:-1], [*labels[-1], "low"]]
    data = {"train": (signals, labels), "valid": drawn(5, 2), "test": drawn(5, 3)} | {where: wrong}
    name = {"train": "training", "valid": "validation", "test": "test"}[where]
    with pytest.raises(DataError, match=rf"the {name} data: input 19 has \d+ steps and \d+ labels; give one for each"):
        Levels(**QUICK).fit(*data["train"], validation_data=data["valid"], test_data=data["test"])


def test_labels_of_whole_signals_are_refused():
    signals, labels = drawn(20)
    with pytest.raises(DataError, match="input 0 must have a list of labels, one for each step; got 'll'"):
        Levels(**QUICK).fit(signals, ["ll"] * 20)
    with pytest.raises(DataError, match="at least two classes; got only 'low'"):
        Levels(**QUICK).fit(signals, [["low"] * len(own) for own in labels])
    with pytest.raises(DataError, match="more than max_classes=2"):
        Levels(**QUICK, max_classes=2).fit(signals, [["a", "b", "c"][: len(own)] * len(own) for own in labels])
