"""The classes of a training: labels that are likely something else are said before it begins."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest

from penstock import SeriesClassifier
from penstock.errors import ConfigError, DataError, DataWarning
from penstock.tasks.classes import advice, class_weights, training_classes


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([number * 7 for number in range(30)], "look like numbers.*regress.*forecast"),
        ([f"{number / 7:.3f}" for number in range(30)], "look like numbers"),
        ([number / 7 for number in range(30)], "look like numbers"),
        ([f"user-{number}" for number in range(30)], "one row only: is it a column of ids"),
        (list(range(30)), "one row only: is it a column of ids"),
        ([f"2024-01-{day:02}" for day in range(1, 31)], "ids, names or dates"),
        ([f"we stayed for {number} nights and liked it" for number in range(30)], "texts and labels swapped"),
    ],
    ids=["sparse", "text", "floats", "ids", "rows", "dates", "swapped"],
)
def test_more_classes_than_wanted_are_refused_with_what_they_look_like(labels, words):
    with pytest.raises(DataError, match=words) as caught:
        training_classes(labels, 20)
    assert "labels hold 30 different values in 30 rows, more than max_classes=20" in str(caught.value)
    assert "--max-classes 30" in str(caught.value)
    with pytest.warns(DataWarning, match=words):
        assert len(training_classes(labels, 30)) == 30


def test_a_hundred_classes_of_a_hundred_rows_need_no_words():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(training_classes([f"intent {row % 150}" for row in range(15_000)], 1000)) == 150
        assert len(training_classes([row % 150 for row in range(15_000)], 1000)) == 150  # codes, counted through
        assert training_classes([0.5, 2.0, 0.5, 2.0], 1000) == [0.5, 2.0]
        assert len(training_classes([f"name {row}" for row in range(20)], 1000)) == 20  # a trial
    assert advice({"good": 3, "bad": 4}) == ""


def test_numbers_of_many_rows_each_are_doubted():
    prices = [round(19.99 + 3.5 * (row % 60), 2) for row in range(6000)]
    with pytest.warns(DataWarning, match=r"hold 60 different values in 6,000 rows.*look like numbers"):
        training_classes(prices, 1000)


@pytest.mark.parametrize("most", [1, 0, -5, 2.5, "many", True, None])
def test_an_invalid_limit(most):
    with pytest.raises(ConfigError, match="max_classes must be a whole number, at least 2"):
        training_classes(["a", "b"], most)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["good", "bad", "good "], "'good' .1 rows. and 'good ' .1 rows."),
        (["good", "bad", "Good"], "case, blanks, digits or Unicode form"),
        (["yes", "no", "nan"], "'nan' .1 rows. is a class like any other.*missing label, leave it empty"),
        (["yes", "no", "NA"], "'NA'"),
    ],
    ids=lambda value: "",
)
def test_labels_that_are_likely_not_meant_are_named(labels, words):
    with pytest.warns(DataWarning, match=words):
        assert sorted(training_classes(labels, 1000)) == sorted(labels)


def weighed(chosen, labels):
    return class_weights(chosen, SimpleNamespace(labels=labels)).tolist()


@pytest.mark.parametrize(
    ("chosen", "labels", "weights"),
    [
        ({"1": 3}, [0, 1], [1, 3]),
        ({1: 3}, ["0", "1"], [1, 3]),
        ({np.int64(1): 3.5}, [0.0, 1.0], [1, 3.5]),
        ({"true": 2, "False": 0.5}, [False, True], [0.5, 2]),
        ({True: 2}, ["false", "true"], [1, 2]),
        ({}, ["a", "b"], [1, 1]),
    ],
    ids=str,
)
def test_class_weights_name_a_class_by_any_way_to_write_it(chosen, labels, weights):
    assert weighed(chosen, labels) == weights


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"1": 2, 1: 3}, "one class twice: '1' and 1"),
        ({"2": 2}, "'2' is none of 0, 1"),
        ({None: 2}, "None is none of"),
        ({True: 2}, "True is none of 0, 1"),
        ({1: -1}, "at least 0"),
        ({1: True, 0: False}, "must give numbers"),
        ({1: "3"}, "must give numbers"),
        ({1: [3, 4]}, "must give numbers"),
    ],
    ids=str,
)
def test_invalid_class_weights(chosen, words):
    with pytest.raises(ConfigError, match=words):
        weighed(chosen, [0, 1])


def test_numbers_as_labels_of_signals_are_refused_before_training():
    signals = np.random.default_rng(0).normal(size=(60, 20))
    with pytest.raises(DataError, match=r"60 different values in 60 rows.*SeriesRegressor"):
        SeriesClassifier(max_classes=50).fit(signals, signals.mean(axis=1))


def test_labels_keep_their_types_where_an_array_would_change_them(small, make_reviews):
    labels = (-1, 2**63)  # NumPy would make floats of them
    estimator = small(epochs=1, baseline=False).fit(*make_reviews(20, 0, labels))
    assert estimator.classes_.tolist() == list(labels)
    assert {type(label) for label in estimator.predict(["lovely", "awful"])} == {int}
