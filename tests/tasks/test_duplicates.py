"""Every estimator in other processes: pickled, copied, in joblib's files, in scikit-learn's workers."""

import copy
import pickle
from dataclasses import dataclass

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import VotingClassifier
from sklearn.model_selection import GridSearchCV, cross_validate

from penstock import (
    AnomalyDetector,
    AudioClassifier,
    Forecaster,
    LanguageModel,
    SeriesClassifier,
    SeriesRegressor,
    SpeechRecognizer,
    Tagger,
    TextClassifier,
    Translator,
    tasks,
)
from penstock.datasets import Rows
from penstock.detect.model import Detections
from penstock.errors import BundleError
from penstock.network import Numbers
from penstock.runtime import StepModel
from penstock.signals.features import SignalFeatures
from penstock.signals.model import SignalSequenceModel

TINY = {"hidden_size": 4, "num_layers": 1, "epochs": 1, "batch_size": 8}
SIGNALS = np.random.default_rng(0).normal(size=(16, 6, 2))
LABELS = np.array(["up", "down"] * 8)


class LevelModel(SignalSequenceModel, StepModel):
    task = "levels"


@dataclass(kw_only=True, eq=False, repr=False)
class Levels(tasks.StepClassifier):
    """A label for each step."""

    task = "levels"

    def _rows(self, signals, labels):
        return Rows(list(signals), list(labels))

    def _features(self, data):
        return SignalFeatures(stride=1, width=1).fit(data.train.inputs)

    def _inputs(self, features):
        return Numbers(features.size)


@pytest.fixture(scope="module")
def kinds(spoken):
    """Each estimator, unfitted, with what it is fitted on."""
    steps = [["high" if value > 0 else "low" for value in signal[:, 0]] for signal in SIGNALS]
    sounds = AudioClassifier(**TINY, mel_bins=8, teachers=0)
    return {
        "text": (TextClassifier(**TINY, embedding_size=4, class_weight={"up": 2.0}), (["rise", "fall"] * 8, LABELS)),
        "series": (SeriesClassifier(**TINY), (SIGNALS, LABELS)),
        "numbers": (SeriesRegressor(**TINY), (SIGNALS, SIGNALS[:, :, 0].sum(axis=1))),
        "audio": (sounds, spoken),
        "forecast": (Forecaster(**TINY, horizon=2, context=8), (np.sin(np.arange(60)),)),
        "detect": (AnomalyDetector(**TINY, chunk=16), (np.sin(np.arange(60)),)),
        "steps": (Levels(**TINY), (SIGNALS, steps)),
        "tagging": (Tagger(**TINY, word_size=4), ([["Ada", "left"], ["go"]] * 8, [["B-X", "O"], ["O"]] * 8)),
        "language": (LanguageModel(**TINY, steps=8), (["the cat sat " * 20],)),
        "speech": (SpeechRecognizer(**TINY, mel_bins=8), spoken),
        "translation": (Translator(**TINY, level="char", embedding_size=4), (["ab", "c"] * 8, ["BA", "C"] * 8)),
    }


@pytest.fixture(
    scope="module",
    params=[
        "text",
        "series",
        "numbers",
        "audio",
        "forecast",
        "detect",
        "steps",
        "tagging",
        "language",
        "translation",
        "speech",
    ],
)
def fitted(request, kinds):
    """A fitted estimator and its data."""
    estimator, data = kinds[request.param]
    with pytest.MonkeyPatch.context() as patch:
        row = tasks.Task("levels", "levels", "Say it.", "a --out b", (), lambda *_: None, Levels, LevelModel)
        patch.setitem(tasks.TASKS, "levels", row)
        yield clone(estimator).fit(*data), data


def same(one, two):
    if isinstance(one, list) and isinstance(one[0], np.ndarray):
        return all(map(same, one, two))
    if isinstance(one, list) and isinstance(one[0], Detections):
        names = ("score", "threshold", "anomaly", "expected", "low", "high", "condition")
        return all(same(getattr(a, name), getattr(b, name)) for a, b in zip(one, two, strict=True) for name in names)
    if isinstance(one, list) or one.dtype == object:
        return list(one) == list(two)
    return (one.dtype, one.shape, one.tobytes()) == (two.dtype, two.shape, two.tobytes())


def test_a_duplicate_predicts_the_same_bits(fitted, duplicate, tmp_path):
    estimator, data = fitted
    twin = duplicate(estimator)
    assert twin.get_params() == estimator.get_params()
    assert same(twin.predict(data[0]), estimator.predict(data[0]))
    if hasattr(estimator, "predict_proba"):
        assert same(twin.predict_proba(data[0]), estimator.predict_proba(data[0]))
        assert list(twin.classes_) == list(estimator.classes_)
    assert (twin.metrics_, twin.history_) == (estimator.metrics_, estimator.history_)
    one, two = (each.save(tmp_path / number / "model") for number, each in (("one", estimator), ("two", twin)))
    for file in one.iterdir():
        assert file.read_bytes() == (two / file.name).read_bytes()


def test_joblib_keeps_it(fitted, tmp_path):
    estimator, data = fitted
    joblib.dump(estimator, tmp_path / "estimator.joblib", compress=1)
    assert same(joblib.load(tmp_path / "estimator.joblib").predict(data[0]), estimator.predict(data[0]))


def test_a_copy_that_is_fitted_leaves_the_first_alone(fitted):
    """A pickle or a deep copy has nothing of the first that a fit could change."""
    estimator, data = fitted
    before, (name, weights) = estimator.predict(data[0]), next(iter(estimator.model_.tensors.items()))
    twin = copy.copy(estimator).set_params(random_state=7).fit(*data)
    assert (twin.model_.tensors[name] != weights).any()
    assert same(estimator.predict(data[0]), before)


def test_an_estimator_that_is_not_fitted_can_be_duplicated(kinds, duplicate):
    for estimator, _ in kinds.values():
        twin = duplicate(estimator)
        assert twin.get_params() == estimator.get_params()
        assert vars(twin).keys() == twin.get_params().keys()


def test_another_versions_options_are_a_clear_error(monkeypatch):
    estimator = TextClassifier()
    estimator.width = 3
    monkeypatch.setattr("penstock.tasks.fitted.__version__", "9.0")
    pickled = pickle.dumps(estimator)
    monkeypatch.undo()
    with pytest.raises(BundleError, match=r"a pickled TextClassifier of Penstock 9.0 has other options .*: width\. "):
        pickle.loads(pickled)  # noqa: S301  # our own bytes


@pytest.mark.slow
def test_scikit_learns_workers_take_and_return_it():
    series = SeriesClassifier(**TINY, baseline=False)
    folds = [(np.arange(12), np.arange(12, 16)), (np.arange(4, 16), np.arange(4))]
    found = cross_validate(series, SIGNALS, LABELS, cv=folds, return_estimator=True, n_jobs=2, error_score="raise")
    here = clone(series).fit(SIGNALS[:12], LABELS[:12])
    assert same(found["estimator"][0].predict_proba(SIGNALS), here.predict_proba(SIGNALS))
    assert found["test_score"][0] == here.score(SIGNALS[12:], LABELS[12:])
    voting = VotingClassifier([("a", series), ("b", clone(series).set_params(cell="rnn"))], voting="soft", n_jobs=2)
    voting.fit(SIGNALS, LABELS)
    assert same(voting.estimators_[0].predict_proba(SIGNALS), clone(series).fit(SIGNALS, LABELS).predict_proba(SIGNALS))
    assert set(voting.predict(SIGNALS)) <= set(LABELS)


def test_a_fitted_search_is_kept_by_joblib(tmp_path):
    search = GridSearchCV(SeriesClassifier(**TINY, baseline=False), {"cell": ["gru", "rnn"]}, cv=2, error_score="raise")
    search.fit(SIGNALS, LABELS)
    joblib.dump(search, tmp_path / "search.joblib")
    kept = joblib.load(tmp_path / "search.joblib")
    assert same(kept.predict_proba(SIGNALS), search.predict_proba(SIGNALS))
    assert kept.best_params_ == search.best_params_
