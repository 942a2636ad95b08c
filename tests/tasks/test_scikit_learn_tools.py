"""Everyday inputs in scikit-learn's everyday tools: pipelines, cross-validation, calibration, learning to stack."""

import numpy as np
import pandas
import polars
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from penstock import SeriesClassifier, SeriesRegressor, TextClassifier
from penstock.errors import DataError

TINY = {"hidden_size": 4, "num_layers": 1, "epochs": 1, "batch_size": 8, "baseline": False}
SIGNALS = np.random.default_rng(0).normal(size=(16, 6, 2))
TEXTS = [f"the food was {word}" for word in ("great", "awful") * 8]
LABELS = ["good", "bad"] * 8
TEXT = TextClassifier(**TINY, embedding_size=4, min_count=1)
SERIES = SeriesClassifier(**TINY)

COLUMNS = {
    "list": list,
    "tuple": tuple,
    "array": np.array,
    "objects": lambda values: np.array(values, object),
    "pandas": pandas.Series,
    "pandas-other-index": lambda values: pandas.Series(values, index=range(100, 100 + len(values))),
    "pandas-string": lambda values: pandas.Series(values, dtype="string"),
    "pandas-category": lambda values: pandas.Series(values, dtype="category"),
    "Categorical": pandas.Categorical,
    "polars": polars.Series,
    "polars-category": lambda values: polars.Series(values, dtype=polars.Categorical),
}


def test_a_column_is_the_same_whatever_holds_it():
    expected = TEXT.fit(TEXTS, LABELS).predict_proba(TEXTS)
    for column in COLUMNS.values():
        fitted = TEXT.fit(X=column(TEXTS), y=column(LABELS))
        np.testing.assert_array_equal(fitted.predict_proba(X=column(TEXTS)), expected)
        assert fitted.score(X=column(TEXTS), y=column(LABELS)) == fitted.score(TEXTS, LABELS)


SIGNAL_FORMS = {
    "array": np.array,
    "list": list,
    "objects": lambda signals: np.array([*signals, None], object)[:-1],
    "lists": lambda signals: np.array(signals).tolist(),
    "frames": lambda signals: [pandas.DataFrame(signal) for signal in signals],
}


def test_signals_are_the_same_whatever_holds_them():
    expected = SERIES.fit(SIGNALS, LABELS).predict_proba(SIGNALS)
    for form in SIGNAL_FORMS.values():
        np.testing.assert_array_equal(SERIES.fit(form(SIGNALS), LABELS).predict_proba(form(SIGNALS)), expected)
    wide = SIGNALS[:, :, 0]
    expected = SERIES.fit(wide, LABELS).predict_proba(wide)
    for form in (pandas.DataFrame, polars.DataFrame, lambda rows: pandas.Series(list(rows)), polars.Series):
        np.testing.assert_array_equal(SERIES.fit(form(wide), LABELS).predict_proba(form(wide)), expected)


@pytest.mark.parametrize(
    "labels", [np.array([1, 0] * 8), np.array([True, False] * 8), [1.5, 2.5] * 8, pandas.Categorical([3, 1] * 8)]
)
def test_labels_of_any_kind_come_back_as_they_were(labels):
    predicted = SERIES.fit(SIGNALS, labels).predict(SIGNALS)
    assert set(predicted.tolist()) <= set(np.asarray(labels).tolist())
    assert SERIES.classes_.tolist() == sorted(set(np.asarray(labels).tolist()))


def test_one_column_of_a_table_is_a_column_with_a_warning_and_two_are_refused():
    numbers = SIGNALS[:, :, 0].sum(axis=1)
    regressor = SeriesRegressor(**TINY)
    expected = regressor.fit(SIGNALS, numbers).predict(SIGNALS)
    for y in (numbers[:, None], pandas.DataFrame({"y": numbers}), polars.DataFrame({"y": numbers})):
        with pytest.warns(UserWarning, match="A column-vector y was passed"):
            regressor.fit(SIGNALS, y)
        np.testing.assert_array_equal(regressor.predict(SIGNALS), expected)
    with pytest.raises(DataError, match="one number to predict for each signal"):
        regressor.fit(SIGNALS, np.stack([numbers, numbers], axis=1))
    with pytest.raises(DataError, match="SeriesRegressor requires y to be passed"):
        regressor.fit(SIGNALS, None)


@pytest.mark.parametrize("column", ["list", "array", "pandas-other-index", "polars"])
def test_cross_validation_takes_columns_of_texts(column):
    texts, labels = COLUMNS[column](TEXTS), COLUMNS[column](LABELS)
    found = cross_val_predict(TEXT, texts, labels, cv=2, method="predict_proba")
    assert (found.shape, found.dtype) == ((16, 2), np.float32)
    here = TEXT.fit(TEXTS[8:], LABELS[8:]).predict_proba(TEXTS[:8])
    np.testing.assert_array_equal(found[:8], here)


@pytest.mark.parametrize("form", ["array", "list"])
def test_cross_validation_takes_signals(form):
    scores = cross_val_score(SERIES, SIGNAL_FORMS[form](SIGNALS), LABELS, cv=2, error_score="raise")
    assert scores[0] == SERIES.fit(SIGNALS[8:], LABELS[8:]).score(SIGNALS[:8], LABELS[:8])


def test_pipelines():
    lower = FunctionTransformer(lambda texts: [text.lower() for text in texts])
    pipeline = make_pipeline(lower, TEXT).fit([text.upper() for text in TEXTS], LABELS)
    np.testing.assert_array_equal(pipeline.predict_proba(TEXTS), TEXT.fit(TEXTS, LABELS).predict_proba(TEXTS))
    assert pipeline.classes_.tolist() == ["bad", "good"]


@pytest.mark.parametrize("ensemble", [False, True])
@pytest.mark.parametrize(("estimator", "inputs"), [(TEXT, TEXTS), (SERIES, SIGNALS)], ids=["texts", "signals"])
def test_calibration(estimator, inputs, ensemble):
    calibrated = CalibratedClassifierCV(estimator, cv=2, ensemble=ensemble)
    weights = np.arange(1.0, 17)
    found = calibrated.fit(inputs, LABELS, sample_weight=weights).predict_proba(inputs)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)
    assert set(calibrated.predict(inputs)) <= set(LABELS)


def test_voting_and_stacking():
    members = [("one", SERIES), ("two", SeriesClassifier(**TINY, cell="rnn"))]
    voting = VotingClassifier(members, voting="soft").fit(SIGNALS, LABELS)
    mean = np.mean([each.predict_proba(SIGNALS) for each in voting.estimators_], axis=0)
    np.testing.assert_array_equal(voting.predict_proba(SIGNALS), mean)
    stacking = StackingClassifier(members, LogisticRegression(), cv=2).fit(SIGNALS, LABELS)
    assert stacking.transform(SIGNALS).shape == (16, 2)
    assert set(stacking.predict(SIGNALS)) <= set(LABELS)
