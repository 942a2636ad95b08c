"""Classifying signals and predicting numbers from them, from fit to a saved model and its report."""

import json

import numpy as np
import pandas
import pytest
import torch
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

import penstock
from penstock import SeriesClassifier, SeriesRegressor
from penstock.errors import ConfigError, DataError, ShapeError
from penstock.signals.nearest import resampled
from penstock.signals.readers import read_signals
from penstock.signals.statistics import signal_statistics
from penstock.training import Callback

SMALL = {"hidden_size": 6, "num_layers": 1, "epochs": 12, "batch_size": 8, "learning_rate": 0.02}


def waves(rows=60, seed=0, missing=False):
    """Rising or falling signals of two channels and different lengths, and how steep each one is."""
    draw = np.random.default_rng(seed)
    slopes = draw.uniform(0.5, 2, rows) * np.where(np.arange(rows) % 2, 1, -1)
    signals = []
    for slope in slopes:
        length = draw.integers(6, 15)
        channel = slope * np.linspace(-1, 1, length) + draw.normal(0, 0.1, length)
        signals.append(np.stack([channel, draw.normal(0, 1, length)], axis=1))
    if missing:
        signals[0][2:4, 1] = np.nan
    return signals, np.where(slopes > 0, "up", "down"), slopes


def labelled_steps(steps=200, seed=0):
    """One long signal whose steps are "on" while the mean of the last three is above 0."""
    signal = np.random.default_rng(seed).normal(0, 1, (steps, 1)).cumsum(axis=0) % 4 - 2
    means = np.convolve(signal[:, 0], np.ones(3) / 3)[:steps]
    return signal, np.where(means > 0, "on", "off")


@pytest.fixture(scope="module")
def fitted():
    signals, labels, _ = waves(missing=True)
    test = waves(20, seed=1)
    return SeriesClassifier(**SMALL).fit(signals, labels, test_data=test[:2])


@pytest.fixture(scope="module")
def regressor():
    signals, _, slopes = waves()
    test = waves(20, seed=1)
    return SeriesRegressor(**SMALL).fit(signals, 1000 + 50 * slopes, test_data=(test[0], 1000 + 50 * test[2]))


def test_it_learns_and_reports_it(fitted):
    signals, labels, _ = waves(20, seed=1)
    assert fitted.score(signals, labels) > 0.9
    assert fitted.metrics_["test"]["accuracy"] == fitted.score(signals, labels)
    assert fitted.classes_.tolist() == ["down", "up"]
    data = fitted.metrics_["data"]
    assert data["train"]["missing"] == 2
    assert data["train"]["steps"] == sum(map(len, waves()[0])) - data["valid"]["steps"]
    assert (data["channels"], data["stride"]) == (2, 1)
    assert set(fitted.metrics_["baseline"]) == {"nearest", "nearest_dtw", "statistics", "majority"}


def test_numbers_are_predicted_in_their_unit(regressor):
    signals, _, slopes = waves(20, seed=1)
    found = regressor.predict(signals)
    assert regressor.score(signals, 1000 + 50 * slopes) > 0.8
    assert regressor.metrics_["test"]["r2"] == pytest.approx(regressor.score(signals, 1000 + 50 * slopes), abs=1e-6)
    assert regressor.metrics_["baseline"]["mean"]["test"]["r2"] < 0.1
    assert set(regressor.metrics_["baseline"]) >= {"nearest", "statistics", "mean"}
    worst = regressor.metrics_["errors"][0]
    assert abs(worst["truth"] - worst["prediction"]) == pytest.approx(np.abs(found - 1000 - 50 * slopes).max())
    drawn = regressor.metrics_["predicted"]
    assert drawn["truth"] == sorted((1000 + 50 * slopes).tolist())


@pytest.mark.parametrize("kind", ["fitted", "regressor"])
def test_saved_streamed_and_pytorch_agree(kind, request, tmp_path):
    estimator = request.getfixturevalue(kind)
    signals = waves(8, seed=2, missing=True)[0]
    model = penstock.load(estimator.save(tmp_path / "model"))
    whole = model.outputs(signals)
    np.testing.assert_array_equal(estimator.model_.outputs(signals), whole)
    for signal, expected in zip(signals, whole, strict=True):
        stream = model.stream()
        for step in signal:
            stream.push(step)
        answer = stream.finish()
        assert (list(answer.values()) if kind == "fitted" else [answer]) == expected.tolist()
    data = type(estimator).load(tmp_path / "model")
    module = data._module(None, model.features, model.network) if kind == "fitted" else None
    if module is not None:
        module.load_state_dict({name: torch.from_numpy(array) for name, array in model.tensors.items()})
        module.eval()
        values, lengths = model.encode(signals).pad()
        with torch.no_grad():
            logits = module(torch.from_numpy(values), torch.from_numpy(lengths))
        # float32 through the head, by another order of sums.
        np.testing.assert_allclose(whole, logits.softmax(1), rtol=1e-5, atol=1e-6)
    page = (tmp_path / "model" / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert ("The classes’ signals" if kind == "fitted" else "Predicted and actual values") in page
    json.dumps(estimator.metrics_, allow_nan=False)


def test_the_same_seed_gives_the_same_bits_and_another_others():
    signals, labels, _ = waves(24)
    options = SMALL | {"epochs": 2, "baseline": False}
    runs = [SeriesClassifier(**options, random_state=seed).fit(signals, labels) for seed in (0, 0, 1)]
    answers = [run.predict_proba(signals).tobytes() for run in runs]
    assert answers[0] == answers[1] != answers[2]
    assert set(runs[0].metrics_["baseline"]) == {"majority"}


def test_training_continues_from_what_there_is(fitted, regressor, tmp_path):
    signals, labels, slopes = waves(20, seed=3)
    for estimator, answers in ((fitted, labels), (regressor, 1000 + 50 * slopes)):
        path = estimator.save(tmp_path / type(estimator).__name__)
        further = type(estimator).load(path).set_params(epochs=1, learning_rate=1e-12)
        before = estimator.model_.outputs(signals)
        further.fit(signals, answers)
        # Next to no rate: the weights stay as they are but for rounding.
        np.testing.assert_allclose(further.model_.outputs(signals), before, rtol=1e-5, atol=1e-5)
        with pytest.raises(ConfigError, match="hidden_size is 5, was 6"):
            further.set_params(hidden_size=5).fit(signals, answers)


def test_frames_and_arrays():
    signals, labels, _ = waves(20)
    table = np.stack([resampled(signal, 8)[:, 0] for signal in signals])
    options = SMALL | {"epochs": 1, "baseline": False}
    answers = [
        SeriesClassifier(**options).fit(inputs, pandas.Series(labels)).predict_proba(inputs)
        for inputs in (table, table[..., None], pandas.DataFrame(table), list(table))
    ]
    for other in answers[1:]:
        np.testing.assert_array_equal(other, answers[0])


@pytest.mark.slow
def test_with_a_window_steps_are_labelled():
    signal, labels = labelled_steps()
    estimator = SeriesClassifier(window=4, **SMALL).fit([signal], [labels])
    metrics = estimator.metrics_
    assert metrics["data"]["train"]["rows"], metrics["data"]["valid"]["rows"] == (180, 20)
    other, truth = labelled_steps(seed=1)
    found = estimator.predict([other])
    assert (found == truth).mean() > 0.8
    assert estimator.model_.evaluate([other], [truth])["metrics"]["accuracy"] == (found == truth).mean()
    assert estimator.model_.evaluate([other], truth)["metrics"]["accuracy"] == (found == truth).mean()
    stream = estimator.stream()
    answers = [stream.push(step) for step in other]
    assert [max(answer, key=answer.get) for answer in answers] == found.tolist()
    numbers = SeriesRegressor(window=4, **SMALL).fit([signal], [np.convolve(signal[:, 0], np.ones(3))[:200]])
    assert numbers.predict([other]).shape == (200,)


def test_steps_are_split_in_time():
    signal, labels = labelled_steps(100)
    rows = penstock.datasets.Rows([signal, signal[:50]], [labels.tolist(), labels[:50].tolist()])
    for estimator in (SeriesClassifier, SeriesRegressor):
        parts = estimator.split(rows, (0.8, 0.1, 0.1), 0)
        assert [[len(each) for each in part.inputs] for part in parts] == [[80, 40], [10, 5], [10, 5]]
        np.testing.assert_array_equal(parts[1].inputs[1], signal[40:45])
        assert parts[2].answers[0] == labels[90:].tolist()
    whole = penstock.datasets.Rows([signal] * 20, ["a", "b"] * 10)
    assert [len(part) for part in SeriesClassifier.split(whole, (0.8, 0.2), 0)] == [16, 4]


def test_rows_without_values_or_answers_are_dropped_and_counted():
    signals, labels, slopes = waves(30)
    signals[0], signals[1] = signals[0][:0], np.full((3, 2), np.nan)
    options = SMALL | {"epochs": 1, "baseline": False}
    labels = [None if row == 2 else label for row, label in enumerate(labels)]
    estimator = SeriesClassifier(**options).fit(signals, labels, dropped={"no file": 4})
    assert estimator.metrics_["data"]["dropped"] == {"no values": 2, "no answer": 1, "no file": 4}
    slopes[3] = np.nan
    estimator = SeriesRegressor(**options).fit(signals, slopes)
    assert estimator.metrics_["data"]["dropped"] == {"no values": 2, "no answer": 1}
    assert estimator.predict(signals[:2]).shape == (2,)  # a row in, a row out


def test_data_that_cannot_be_used_is_refused_before_training():
    signals, labels, _ = waves(20)
    options = {"epochs": 1}
    classifier, regressor = SeriesClassifier(**options), SeriesRegressor(**options)
    cases = [
        (classifier, signals, ["up"] * 20, DataError, "at least two classes; got only 'up'"),
        (classifier, signals, labels[:5], DataError, "got 20 signals and 5 answers"),
        (classifier, [], [], DataError, "no signals are left to use: there are none"),
        (
            classifier,
            [each[:, 0] for each in signals],
            [["a"] * len(each) for each in signals],
            DataError,
            "need `window`",
        ),
        (classifier, [*signals[:-1], signals[-1][:, :1]], labels, ShapeError, "signal 19 is"),
        (classifier, [[1.0, "warm"]] * 20, labels, DataError, "signal 0 must be numbers"),
        (classifier, [np.where(each > 2, np.inf, 1) for each in signals], labels, None, None),
        (regressor, signals, ["up"] * 20, DataError, "the numbers to predict must be numbers; got"),
        (regressor, signals, [3.0] * 20, DataError, "all 3: there is nothing to learn"),
        (regressor, signals, [0.1] * 20, DataError, "all 0.1: there is nothing to learn"),
        (regressor, signals, np.arange(20) * 1e-40, DataError, "lie within 1.9e-39. Give them in another unit"),
        (regressor, signals, np.arange(20) * 1e300, DataError, r"finite numbers, 1e\+30 at most; number 1 is 1e\+300"),
        (regressor, signals, np.ones((20, 2)), DataError, r"one number to predict for each signal; got \(20, 2\)"),
        (SeriesClassifier(window=3, **options), signals, labels[:5], DataError, "for each of 20 signals"),
        (SeriesClassifier(width=0, **options), signals, labels, ConfigError, "width must be"),
        (SeriesClassifier(mixup=1.5, **options), signals, labels, ConfigError, "mixup must be"),
    ]
    for estimator, inputs, answers, error, message in cases:
        if error is not None:
            with pytest.raises(error, match=message):
                estimator.fit(inputs, answers)
        assert not hasattr(estimator, "model_")
    with pytest.raises(ShapeError, match=r"channels=2\), as in training; signal 0 is \(4, 3\)"):
        SeriesClassifier(**SMALL | {"baseline": False}).fit(signals, labels).predict([np.ones((4, 3))])


@pytest.mark.parametrize("part", ["validation_data", "test_data"])
def test_parts_have_the_channels_of_training(part):
    class Never(Callback):
        def on_start(self, epochs):
            raise AssertionError("has begun")

    signals, labels, numbers = waves(20)
    fewer = [each[:, :1] for each in signals]
    for estimator, answers in ((SeriesClassifier(**SMALL), labels), (SeriesRegressor(**SMALL), numbers)):
        with pytest.raises(ShapeError, match=r"channels=2\), as in training; signal 0 is"):
            estimator.fit(signals, answers, **{part: (fewer, answers)}, callbacks=[Never()])


def unseen(rows=24, steps=6):
    """Signals far from 0 whose first step nobody saw, nor the second channel of every other one."""
    values = np.random.default_rng(0).normal(1000, 1, (rows, steps, 2))
    values[:, 0], values[::2, :, 1] = np.nan, np.nan
    return values, np.array(["a", "b"] * (rows // 2))


def as_arrays(values, labels, path):
    return list(values), labels


def as_block(values, labels, path):
    return values, labels


def as_ts(values, labels, path):
    words = [
        [["?" if value != value else repr(value) for value in channel] for channel in each.T.tolist()]
        for each in values
    ]
    lines = [":".join([*map(",".join, each), label]) for each, label in zip(words, labels.tolist(), strict=True)]
    path.write_text("\n".join(["@classLabel true a b", "@data", *lines]))
    rows = read_signals(path, label="label")
    return rows.inputs, rows.answers


def as_table(values, labels, path):
    rows, steps, _ = values.shape
    table = pandas.DataFrame(values.reshape(-1, 2), columns=["x", "y"])
    table["id"], table["label"] = np.repeat(np.arange(rows), steps), np.repeat(labels, steps)
    table.to_csv(path.with_suffix(".csv"), index=False)
    rows = read_signals(path.with_suffix(".csv"), series=["x", "y"], label="label", id="id")
    return rows.inputs, rows.answers


@pytest.mark.parametrize("form", [as_arrays, as_block, as_ts, as_table])
def test_where_no_value_was_seen_the_mean_of_a_class_has_a_gap(form, tmp_path):
    fitted = SeriesClassifier(**(SMALL | {"epochs": 1})).fit(*form(*unseen(), tmp_path / "x.ts"))
    a, b = (each["mean"] for each in fitted.metrics_["data"]["class_means"])
    assert (a[0][0], a[1], b[0][0], b[1][0]) == (None, [None] * 6, None, None)
    for means in (a[0][1:], b[0][1:], b[1][1:]):
        assert min(means) > 990
    features = fitted.model_.features
    assert features.mean.min() > 990
    assert features.scale.max() < 2


def test_a_ucr_table_has_the_same_gap(tmp_path):
    values, labels = unseen()
    lines = [
        "\t".join([label, *("NaN" if value != value else repr(value) for value in each[:, 0].tolist())])
        for each, label in zip(values, labels.tolist(), strict=True)
    ]
    path = tmp_path / "x_TRAIN.tsv"
    path.write_text("\n".join(lines))
    rows = read_signals(path, label="label")
    fitted = SeriesClassifier(**(SMALL | {"epochs": 1})).fit(rows.inputs, rows.answers)
    for each in fitted.metrics_["data"]["class_means"]:
        assert each["mean"][0][0] is None
        assert min(each["mean"][0][1:]) > 990


def test_the_baselines_are_scikit_learn_s(fitted):
    model = fitted.model_
    signals, _, _ = waves(20, seed=1)
    arrays = fitted.model_.baseline
    known = arrays["nearest.signals"]
    assert known.shape[1:] == (14, 2)
    flat = [resampled(model.features.standardised(signal), 14).ravel() for signal in signals]
    neighbours = KNeighborsClassifier(1).fit(known.reshape(len(known), -1), arrays["nearest.targets"])
    found = model.baselines.answers("nearest", signals)
    np.testing.assert_array_equal(found.argmax(axis=1), neighbours.predict(flat))
    assert np.allclose(found.sum(axis=1), 1, atol=1e-12)
    chosen = fitted.metrics_["baseline"]["statistics"]["settings"]["C"]
    train = fitted_part(fitted)
    x = signal_statistics([model.features.standardised(signal) for signal in train[0]], 2)
    scaler = StandardScaler().fit(x)
    reference = LogisticRegression(C=chosen, max_iter=2000, tol=1e-6).fit(scaler.transform(x), train[1])
    rows = signal_statistics([model.features.standardised(signal) for signal in signals], 2)
    expected = reference.predict_proba(scaler.transform(rows))
    # Both end a little off the optimum, from another start.
    np.testing.assert_allclose(model.baselines.answers("statistics", signals), expected, atol=1e-3)
    assert fitted.metrics_["main_baseline"] == model.baselines.names[0]


def fitted_part(estimator):
    """The training part that `fit` made of the waves: the same split, done again."""
    from penstock.datasets import stratified_split

    signals, labels, _ = waves(missing=True)
    numbers = np.array([estimator.classes_.tolist().index(label) for label in labels])
    rows, _ = stratified_split(numbers, (0.9, 0.1), random_state=0)
    return [signals[row] for row in rows], numbers[rows]


def test_ridge_regression_is_scikit_learn_s(regressor):
    from penstock.datasets import random_split

    model = regressor.model_
    signals, _, slopes = waves()
    rows, _ = random_split(60, (0.9, 0.1), random_state=0)
    x = signal_statistics([model.features.standardised(signals[row]) for row in rows], 2)
    scaler = StandardScaler().fit(x)
    chosen = regressor.metrics_["baseline"]["statistics"]["settings"]["C"]
    reference = Ridge(alpha=1 / chosen).fit(scaler.transform(x), 1000 + 50 * slopes[rows])
    others = waves(20, seed=1)[0]
    later = signal_statistics([model.features.standardised(signal) for signal in others], 2)
    expected = reference.predict(scaler.transform(later))
    np.testing.assert_allclose(model.baselines.answers("statistics", others)[:, 0], expected, rtol=1e-9)
    assert model.evaluate(others, 1000 + 50 * waves(20, seed=1)[2])["baselines"].keys() == set(model.baselines.names)
