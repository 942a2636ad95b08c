"""scikit-learn's own checks of every estimator, with the reason for each one that does not apply."""

import string
from functools import partial

import numpy as np
import pytest
from sklearn.base import is_classifier, is_regressor
from sklearn.utils import estimator_checks, get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import validate_data

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
)

ANY_LENGTH = "a signal may have any number of steps, in fit and in predict: columns are steps, not features"
BATCHES = (
    "a row given twice is two rows of other batches, of the split and of the vocabulary or the scale; weights equal "
    "repetition in each loss and figure (see test_weights.py), and zero weight is the row left out"
)
FLOATS = "floats are labels like any others (see penstock.labels); many different ones are warned about or refused"
EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": BATCHES,
    "check_classifiers_regression_target": FLOATS,
}
SIGNALS = EXPECTED | {
    "check_n_features_in": ANY_LENGTH,
    "check_n_features_in_after_fitting": ANY_LENGTH,
    "check_classifiers_train": ANY_LENGTH,
    "check_estimators_empty_data_messages": "signals of no steps are dropped and counted; none left is our error",
    "check_dtype_object": "a cell that is no number is a DataError, which is a ValueError and not a TypeError",
}
QUICK = {"hidden_size": 8, "num_layers": 1, "epochs": 12, "batch_size": 16, "learning_rate": 0.03, "average": 0.5}
QUICK |= {"output_dropout": 0.0, "keep": "last", "baseline": False}
SERIES = QUICK | {"width": 1, "mixup": 0.0}
ESTIMATORS = [
    TextClassifier(),
    AnomalyDetector(),
    AudioClassifier(),
    Forecaster(),
    LanguageModel(),
    SeriesClassifier(),
    SeriesRegressor(),
    SpeechRecognizer(),
    Tagger(),
    Translator(),
]


class OfNumbers:
    """scikit-learn's checks have numbers for inputs; here each row becomes an input of the classifier, by `made`."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.one_d_array = tags.input_tags.string = False
        return tags

    def fit(self, X, y, *, sample_weight=None):
        return super().fit(self.made(validate_data(self, X)), y, sample_weight=sample_weight)

    def predict_proba(self, X):
        self._fitted()
        return super().predict_proba(self.made(validate_data(self, X, reset=False)))


class TextsOfNumbers(OfNumbers, TextClassifier):
    """A text with a word for each number."""

    def made(self, numbers):
        places = np.clip((numbers * 2).round(), -12, 12).astype(int)
        return [
            " ".join(f"{string.ascii_lowercase[k % 26]}{string.ascii_lowercase[p]}" for k, p in enumerate(row))
            for row in places
        ]


def reasons(estimator):
    return SIGNALS if isinstance(estimator, SeriesClassifier | SeriesRegressor) else EXPECTED


LEARNING = {
    "check_class_weight_classifiers",
    "check_classifiers_classes",
    "check_classifiers_train",
    "check_regressors_train",
}
"""The checks that ask for good predictions; the others ask for any, which 2 epochs give as well as 12."""
TEXTS = QUICK | {"embedding_size": 8, "min_count": 1, "word_shapes": False, "next_token_share": 0.0}
TEXTS |= {"word_dropout": 0.0, "embedding_dropout": 0.0, "prefix_share": 0.0}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:labels hold:penstock.errors.DataWarning")  # thirty rows of their own class
@parametrize_with_checks(
    [
        SeriesClassifier(**SERIES),
        SeriesRegressor(**SERIES | {"width": 10, "pooling": "last"}),
        TextsOfNumbers(**TEXTS),
    ],
    expected_failed_checks=reasons,
)
def test_scikit_learns_checks(estimator, check):
    called = check.func if isinstance(check, partial) else check
    check(estimator if called.__name__ in LEARNING else estimator.set_params(epochs=2))


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: type(estimator).__name__)
@pytest.mark.parametrize(
    "check",
    [
        "check_estimator_cloneable",
        "check_estimator_tags_renamed",
        "check_valid_tag_types",
        "check_estimator_repr",
        "check_no_attributes_set_in_init",
        "check_do_not_raise_errors_in_init_or_set_params",
        "check_mixin_order",
        "check_parameters_default_constructible",
        "check_get_params_invariance",
        "check_set_params",
    ],
)
def test_checks_that_need_no_data(estimator, check):
    """For `Forecaster` these are all: it has no y, and rows of series can't be drawn, repeated or left out."""
    getattr(estimator_checks, check)(type(estimator).__name__, estimator)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: type(estimator).__name__)
def test_tags_say_what_it_is_and_what_it_takes(estimator):
    tags, name = get_tags(estimator), type(estimator).__name__
    assert (is_classifier(estimator), is_regressor(estimator)) == ("Classifier" in name, "Regressor" in name)
    assert tags.target_tags.required == (name not in ("AnomalyDetector", "Forecaster", "LanguageModel"))
    takes = {
        "TextClassifier": {"one_d_array", "string"},
        "AudioClassifier": {"one_d_array", "string"},
        "Tagger": {"one_d_array", "string"},
        "Translator": {"one_d_array", "string"},
        "AnomalyDetector": set(),
        "SpeechRecognizer": {"one_d_array", "string"},
        "Forecaster": set(),
        "LanguageModel": {"one_d_array", "string"},
        "SeriesClassifier": {"two_d_array", "three_d_array", "allow_nan"},
        "SeriesRegressor": {"two_d_array", "three_d_array", "allow_nan"},
    }
    assert {kind for kind in dir(tags.input_tags) if getattr(tags.input_tags, kind) is True} == takes[name]
