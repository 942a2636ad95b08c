"""What rows count: in the loss, the baselines and the figures; checked; nothing where it is 0."""

import numpy as np
import pandas
import polars
import pytest
import sklearn
import sklearn.metrics
import torch
from sklearn.base import clone
from sklearn.model_selection import cross_validate

from penstock import AudioClassifier, SeriesClassifier, SeriesRegressor, TextClassifier
from penstock.datasets import Rows
from penstock.errors import DataError
from penstock.sequences import Sequences
from penstock.tasks.labelled import Part
from penstock.training.classify import ClassObjective, Regularization

TINY = {"hidden_size": 4, "num_layers": 1, "epochs": 2, "batch_size": 8}
DRAW = np.random.default_rng(0)
SIGNALS = DRAW.normal(size=(24, 6, 2))
LABELS = np.where(SIGNALS[:, :, 0].sum(axis=1) > 0, "up", "down")
NUMBERS = SIGNALS[:, :, 0].sum(axis=1)
TEXTS = [f"the food was {word}" for word in ("great", "awful", "fine") * 8]
WEIGHTS = DRAW.uniform(0.5, 2, 24)


@pytest.fixture(scope="module")
def kinds(spoken):
    """Each estimator, unfitted, with inputs and answers."""
    recordings, words = spoken
    return {
        "text": (TextClassifier(**TINY, embedding_size=4, min_count=1), TEXTS, ["a", "b", "a"] * 8),
        "series": (SeriesClassifier(**TINY), list(SIGNALS), LABELS.tolist()),
        "numbers": (SeriesRegressor(**TINY), list(SIGNALS), NUMBERS.tolist()),
        "audio": (AudioClassifier(**TINY, mel_bins=8, teachers=1), recordings, words),
    }


@pytest.fixture(params=["text", "series", "numbers", "audio"])
def kind(request, kinds):
    return kinds[request.param]


def bits(estimator):
    return {name: array.tobytes() for name, array in estimator.model_.tensors.items()}


def figures(estimator):
    left_out = ("made", "seconds", "training_seconds", "stages", "peak_mb", "curves")
    return {name: value for name, value in estimator.metrics_.items() if name not in left_out}


def test_equal_weights_are_none(kind):
    estimator, inputs, answers = kind
    plain = clone(estimator).fit(inputs, answers)
    weighted = clone(estimator).fit(inputs, answers, sample_weight=[0.3] * len(inputs))
    assert bits(weighted) == bits(plain)
    assert figures(weighted) == figures(plain)


def test_a_row_of_weight_0_is_not_there(kind):
    estimator, inputs, answers = kind
    weights = DRAW.uniform(0.5, 2, len(inputs))
    weights[[3, 7]] = 0
    kept = [row for row in range(len(inputs)) if weights[row]]
    here = clone(estimator).fit(
        [inputs[row] for row in kept], [answers[row] for row in kept], sample_weight=weights[kept]
    )
    found = clone(estimator).fit(inputs, answers, sample_weight=weights)
    assert bits(found) == bits(here)
    assert found.metrics_["data"]["dropped"] == {"weight 0": 2}
    assert found.metrics_["test"] == here.metrics_["test"]
    assert found.metrics_["valid"] == here.metrics_["valid"]


@pytest.mark.slow
def test_only_proportions_matter_and_they_do(kind):
    estimator, inputs, answers = kind
    weights = DRAW.uniform(0.5, 2, len(inputs))
    one, four, none = (clone(estimator).fit(inputs, answers, sample_weight=w) for w in (weights, 4 * weights, None))
    assert bits(one) == bits(four)
    assert bits(one) != bits(none)
    assert one.metrics_["data"]["train"]["weighted"]
    assert "weighted" not in none.metrics_["data"]["train"]


def test_weights_pull_predictions(kinds):
    _, signals, labels = kinds["series"]
    up = np.array(labels) == "up"
    quick = SeriesClassifier(**TINY | {"learning_rate": 0.01}, baseline=False)
    low, none, high = (
        clone(quick).fit(signals, labels, sample_weight=weights).predict_proba(signals)[:, 1].mean()
        for weights in (np.where(up, 1, 9), None, np.where(up, 9, 1))
    )
    assert low < none < high


def test_figures_are_scikit_learns_weighted_ones(kinds):
    for name in ("series", "numbers"):
        estimator, inputs, answers = kinds[name]
        test = (SIGNALS[:10], answers[:10], WEIGHTS[:10])
        fitted = clone(estimator).fit(inputs, answers, test_data=test, validation_data=test)
        found, predicted = fitted.metrics_["test"], fitted.predict(SIGNALS[:10])
        assert fitted.metrics_["valid"] == found
        if name == "numbers":
            expected = sklearn.metrics.r2_score(answers[:10], predicted, sample_weight=WEIGHTS[:10])
            assert found["r2"] == pytest.approx(expected, rel=1e-5)
            mae = sklearn.metrics.mean_absolute_error(answers[:10], predicted, sample_weight=WEIGHTS[:10])
            assert found["mae"] == pytest.approx(mae, rel=1e-5)
            low, high = fitted.metrics_["interval"]["test"]["mae"]
        else:
            expected = sklearn.metrics.accuracy_score(answers[:10], predicted, sample_weight=WEIGHTS[:10])
            assert found["accuracy"] == pytest.approx(expected)
            about = sklearn.metrics.precision_recall_fscore_support(
                answers[:10], predicted, sample_weight=WEIGHTS[:10], zero_division=0
            )
            rows = fitted.metrics_["per_class"]["test"]
            np.testing.assert_allclose(
                [[row["precision"], row["recall"], row["f1"]] for row in rows], np.array(about[:3]).T
            )
            low, high = fitted.metrics_["interval"]["test"]["accuracy"]
        assert fitted.score(SIGNALS[:10], answers[:10], sample_weight=WEIGHTS[:10]) == pytest.approx(expected, rel=1e-5)
        assert low <= found["mae" if name == "numbers" else "accuracy"] <= high


def test_score_is_scikit_learns_and_counts_unknown_labels_as_missed(kinds):
    fitted = clone(kinds["series"][0]).fit(SIGNALS, LABELS)
    labels = ["sideways", *LABELS[1:]]
    assert fitted.score(SIGNALS, labels) == sklearn.metrics.accuracy_score(labels, fitted.predict(SIGNALS))
    with pytest.raises(DataError, match="number 1 is missing"):
        fitted.score(SIGNALS[:2], ["up", None])
    with pytest.raises(DataError, match="same length, at least 1; got 24 and 2"):
        fitted.score(SIGNALS, LABELS[:2])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0] * 23, "one number for each row: 24; got 23"),
        ([-1.0, *[1.0] * 23], "at least 0; number 0 is -1.0"),
        ([*[1.0] * 23, np.inf], "number 23 is inf"),
        ([np.nan] * 24, "number 0 is None"),
        (["1"] * 24, "number 0 is '1'"),
        ([0] * 24, "must not be all zero"),
        (np.ones((24, 2)), "must be one column"),
        (2.0, "must be a list or a column"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_weights_are_one_clear_error(kind, weights, message):
    estimator, inputs, answers = kind
    with pytest.raises(DataError, match=message):
        clone(estimator).fit(inputs, answers, sample_weight=weights)


@pytest.mark.parametrize("column", [list, tuple, np.array, pandas.Series, polars.Series], ids=lambda c: c.__module__)
def test_weights_come_in_any_column_and_stay_as_they_were(kinds, column):
    _, inputs, answers = kinds["series"]
    estimator, weights = SeriesClassifier(**TINY | {"epochs": 1}, baseline=False), np.arange(1.0, 25)
    expected = clone(estimator).fit(inputs, answers, sample_weight=weights)
    given = column(weights)
    assert bits(clone(estimator).fit(inputs, answers, sample_weight=given)) == bits(expected)
    assert list(given) == list(np.arange(1.0, 25))


def test_rows_that_are_dropped_take_their_weights_with_them():
    texts, labels = list(TEXTS), ["a", "b", "a"] * 8
    texts[2], labels[5] = "", None
    kept = [row for row in range(24) if row not in (2, 5)]
    options = TextClassifier(**TINY, embedding_size=4, min_count=1)
    found = clone(options).fit(texts, labels, sample_weight=WEIGHTS)
    here = options.fit([texts[row] for row in kept], [labels[row] for row in kept], sample_weight=WEIGHTS[kept])
    assert bits(found) == bits(here)


def test_a_task_that_does_not_say_which_rows_it_drops_is_refused(kinds):
    class Careless(SeriesClassifier):
        def _rows(self, inputs, answers):
            return Rows(list(inputs)[1:], list(answers)[1:], {"whim": 1})

    with pytest.raises(DataError, match=r"which rows were dropped: let _rows give Rows\.kept"):
        Careless(**TINY).fit(SIGNALS, LABELS, sample_weight=WEIGHTS)


@pytest.mark.parametrize("per_step", [False, True])
def test_where_steps_have_labels_a_signals_weight_counts_for_each(per_step):
    signals = DRAW.normal(size=(4, 30, 1))
    labels = [["on" if value > 0 else "off" for value in signal[:, 0]] for signal in signals]
    options = SeriesClassifier(**TINY, window=3, baseline=False)
    weights = [0, 1, 3, 2]
    given = [np.full(30, weight) for weight in weights] if per_step else weights
    found = clone(options).fit(signals, labels, sample_weight=given)
    here = clone(options).fit(signals[1:], labels[1:], sample_weight=weights[1:])
    assert bits(found) == bits(here)
    assert found.score(signals, labels, sample_weight=given) == found.score(signals[1:], labels[1:], [1, 3, 2])


def doubled(things):
    return [thing for thing in things for _ in range(2)]


def test_weight_2_is_a_row_twice_in_the_loss():
    """The mean over a whole epoch; batches, dropout and features learned from rows differ in a training."""
    values = DRAW.normal(size=(3, 5)).astype(np.float32)
    module = torch.nn.Module()
    module.inputs = torch.nn.Identity()
    module.encoder = lambda x, lengths: (x, None)
    module.head = torch.nn.Linear(5, 2)
    module.head.pool = lambda y, lengths: y[:, 0]
    module.head.project = module.head.forward

    def loss(rows, weights):
        objective = ClassObjective(
            sequences=Sequences(values[rows], np.arange(len(rows) + 1)),
            targets=np.array([0, 1, 1])[rows],
            valid_sequences=Sequences(values[rows], np.arange(len(rows) + 1)),
            valid_targets=np.array([0, 1, 1])[rows],
            sample_weights=weights,
            valid_sample_weights=weights,
            weights=torch.tensor([1.0, 3.0]),
            batch_size=9,
            regularization=Regularization(output_dropout=0.0, label_smoothing=0.1, prefix_share=0.0),
            generator=torch.Generator(),
        )
        return objective.loss(module, np.arange(len(rows)))[0].item(), objective.validate(module)

    weighted, valid = loss([0, 1, 2], np.array([2.0, 1.0, 1.0]) * 0.75)
    twice, valid_twice = loss([0, 0, 1, 2], None)
    assert weighted == pytest.approx(twice, rel=1e-6)
    assert valid == pytest.approx(valid_twice, rel=1e-6)


def test_weight_2_is_a_row_twice_in_the_statistics_of_a_part():
    targets, values = np.array([0, 1, 1]), DRAW.normal(size=(3, 4))
    weighted, twice = Part([1, 2, 3], targets, np.array([1.5, 0.75, 0.75])), Part([1, 1, 2, 3], targets[[0, 0, 1, 2]])
    np.testing.assert_allclose(weighted.class_counts(2) / 0.75, twice.class_counts(2))
    for one, two in zip(weighted.mean_and_spread(values), twice.mean_and_spread(values[[0, 0, 1, 2]]), strict=True):
        np.testing.assert_allclose(one, two)


def test_baselines_are_fitted_with_weights(kinds):
    estimator, inputs, answers = kinds["series"]
    weights = np.where(LABELS == "up", 3.0, 1.0)
    plain, weighted = (
        clone(estimator).fit(inputs, answers, validation_data=(SIGNALS[:8], LABELS[:8]), sample_weight=each).model_
        for each in (None, weights)
    )
    down, up = plain.baseline["class_counts"]
    np.testing.assert_allclose(weighted.baseline["class_counts"], [down, 3 * up] / weights.mean())
    plainer, surer = (each.baseline_answers(list(SIGNALS))["statistics"][:, 1].mean() for each in (plain, weighted))
    assert surer > plainer


def test_scikit_learn_routes_weights_to_fit_and_score():
    with sklearn.config_context(enable_metadata_routing=True):
        series = SeriesClassifier(**TINY, baseline=False)
        series.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        folds = [(np.arange(16), np.arange(16, 24))]
        found = cross_validate(
            series,
            SIGNALS,
            LABELS,
            cv=folds,
            params={"sample_weight": WEIGHTS},
            return_estimator=True,
            error_score="raise",
        )
        here = clone(series).fit(SIGNALS[:16], LABELS[:16], sample_weight=WEIGHTS[:16])
    assert bits(found["estimator"][0]) == bits(here)
    assert found["test_score"][0] == here.score(SIGNALS[16:], LABELS[16:], sample_weight=WEIGHTS[16:])
