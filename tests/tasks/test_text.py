"""TextClassifier: an estimator as scikit-learn knows them, that repeats itself and leaves the process alone."""

import itertools
import json
import random
import subprocess
import sys

import numpy as np
import pandas
import polars
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import penstock
from penstock import TextClassifier
from penstock.errors import BundleError, ConfigError, DataError, NotFittedError


def test_learns_and_answers(fitted, make_reviews):
    texts, labels = make_reviews(50, 7)
    assert fitted.score(texts, labels) > 0.9
    probabilities = fitted.predict_proba(texts)
    assert probabilities.shape == (50, 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert fitted.classes_.tolist() == ["negative", "positive"]
    assert (fitted.predict(texts) == fitted.classes_[probabilities.argmax(axis=1)]).all()


def test_the_constructor_only_stores():
    given = {"cell": "no such cell", "epochs": -1, "class_weight": {"a": 1}}
    estimator = TextClassifier(**given)
    assert {name: estimator.get_params()[name] for name in given} == given
    assert vars(estimator).keys() == estimator.get_params().keys()


def test_clone_and_set_params(fitted):
    twin = clone(fitted)
    assert twin.get_params() == fitted.get_params()
    assert not hasattr(twin, "model_")
    assert twin.set_params(hidden_size=5).hidden_size == 5


def test_grid_search(small, make_reviews):
    search = GridSearchCV(small(epochs=1, baseline=False), {"hidden_size": [4, 6]}, cv=2, error_score="raise")
    search.fit(*make_reviews(40, 0))
    assert search.best_params_["hidden_size"] in (4, 6)
    assert search.predict(["lovely food"]).shape == (1,)


def test_equal_seeds_give_equal_bits_and_others_do_not(small, make_reviews):
    noisy = {"epochs": 2, "word_dropout": 0.2, "embedding_dropout": 0.2, "output_dropout": 0.2, "baseline": False}
    texts, labels = make_reviews(40, 0)
    first, second, other = (
        small(**noisy, random_state=seed).fit(texts, labels).predict_proba(texts) for seed in (1, 1, 2)
    )
    assert first.tobytes() == second.tobytes()
    assert first.tobytes() != other.tobytes()


def test_threads_do_not_change_the_bits(small, make_reviews):
    texts, labels = make_reviews(40, 0)
    before, answers = penstock.engine.get_num_threads(), []
    try:
        for threads in (1, 3):
            penstock.engine.set_num_threads(threads)
            answers.append(small(epochs=1, baseline=False).fit(texts, labels).predict_proba(texts).tobytes())
    finally:
        penstock.engine.set_num_threads(before)
    assert answers[0] == answers[1]


def test_global_generators_and_threads_are_left_alone(small, make_reviews, three_threads):
    states = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    small(epochs=1).fit(*make_reviews(30, 0))
    assert torch.equal(states[0], torch.get_rng_state())
    assert (states[1] == np.random.get_state()[1]).all()
    assert states[2] == random.getstate()
    assert torch.get_num_threads() == three_threads


def test_a_second_fit_starts_again(small, make_reviews):
    data = make_reviews(30, 0)
    estimator = small(epochs=1, baseline=False)
    first = estimator.fit(*data).predict_proba(data[0])
    assert (estimator.fit(*data).predict_proba(data[0]) == first).all()


@pytest.mark.parametrize("labels", [(0, 1), (False, True), (3, "three"), (0.5, 2.0), ("b", "a")], ids=str)
def test_labels_stay_as_they_were(tmp_path, small, make_reviews, labels):
    estimator = small(epochs=1, baseline=False).fit(*make_reviews(30, 0, labels))
    predicted = estimator.predict(["lovely", "awful"]).tolist()
    assert {(type(label), label) for label in predicted} <= {(type(label), label) for label in labels}
    estimator.save(tmp_path / "model")
    loaded = penstock.load(tmp_path / "model")
    assert [(type(label), label) for label in loaded.labels] == [
        (type(label), label) for label in estimator.classes_.tolist()
    ]
    assert set(loaded.labels) == set(labels)


@pytest.mark.parametrize("kind", [np.array, pandas.Series, polars.Series, tuple], ids=lambda kind: kind.__module__)
def test_columns_of_many_kinds(small, make_reviews, kind):
    texts, labels = make_reviews(30, 0)
    plain = small(epochs=1, baseline=False).fit(texts, labels)
    estimator = small(epochs=1, baseline=False).fit(kind(texts), kind(labels))
    assert estimator.classes_.tolist() == ["negative", "positive"]
    assert (estimator.predict_proba(kind(texts)) == plain.predict_proba(texts)).all()


def test_class_weights_pull_the_answers(small, make_reviews):
    texts, labels = make_reviews(60, 0)
    shares = [
        small(epochs=1, learning_rate=0.002, class_weight=weight, baseline=False)
        .fit(texts, labels)
        .predict_proba(texts)[:, 1]
        .mean()
        for weight in ({"negative": 20.0}, None, {"positive": 20.0})
    ]
    assert shares[0] < shares[1] < shares[2]


def test_balanced_weights_are_scikit_learns(small, make_reviews):
    from sklearn.utils.class_weight import compute_class_weight

    texts, labels = make_reviews(40, 0)
    texts, labels = texts + texts[1::2], labels + labels[1::2]
    balanced = compute_class_weight("balanced", classes=np.unique(labels), y=labels)
    given = dict(zip(["negative", "positive"], balanced.tolist(), strict=True))
    settings = {"validation_data": make_reviews(20, 1)}
    first = small(epochs=1, class_weight="balanced").fit(texts, labels, **settings)
    second = small(epochs=1, class_weight=given).fit(texts, labels, **settings)
    np.testing.assert_allclose(first.predict_proba(texts), second.predict_proba(texts), atol=1e-6)


def test_fine_tuning_continues_from_a_bundle(tmp_path, fitted, make_reviews):
    fitted.save(tmp_path / "model")
    texts, labels = make_reviews(60, 0)
    further = TextClassifier.load(tmp_path / "model")
    assert further.warm_start
    assert (further.predict_proba(texts) == fitted.predict_proba(texts)).all()
    flipped = ["negative" if label == "positive" else "positive" for label in labels]
    before = further.model_
    further.set_params(epochs=25, patience=25, baseline=False).fit([f"{text} unseen" for text in texts], flipped)
    assert further.model_.features.vocabulary == before.features.vocabulary
    assert further.score(texts, flipped) > 0.9
    barely = TextClassifier.load(tmp_path / "model").set_params(epochs=1, learning_rate=1e-6, baseline=False)
    assert barely.fit(texts, labels).score(texts, labels) > 0.9


def test_fine_tuning_refuses_another_network(tmp_path, fitted, make_reviews):
    fitted.save(tmp_path / "model")
    loaded = TextClassifier.load(tmp_path / "model")
    texts, labels = make_reviews(30, 0)
    with pytest.raises(ConfigError, match=r"hidden_size is 9, was 8.*warm_start=False"):
        loaded.set_params(hidden_size=9).fit(texts, labels)
    assert loaded.score(texts, labels) > 0.9


def test_loading_brings_back_the_arguments(tmp_path, small, make_reviews):
    given = {"class_weight": {0: 1.0, 1: 2.5}, "label_smoothing": 0.05, "cell": "gru", "pooling": "mean", "epochs": 1}
    given["zoneout"] = 0.2
    estimator = small(**given).fit(*make_reviews(30, 0, (0, 1)))
    estimator.save(tmp_path / "model")
    loaded = TextClassifier.load(tmp_path / "model")
    differs = {"warm_start", "verbose"}
    kept = {name: value for name, value in loaded.get_params().items() if name not in differs}
    assert kept == {name: value for name, value in estimator.get_params().items() if name not in differs}
    assert loaded.history_ == estimator.history_


def test_answers_are_the_bundles(tmp_path, fitted, make_reviews):
    texts, _ = make_reviews(20, 3)
    fitted.save(tmp_path / "model")
    model = penstock.load(tmp_path / "model")
    assert (model.predict_proba(texts) == fitted.predict_proba(texts)).all()
    assert json.loads((tmp_path / "model" / "metrics.json").read_text()) == json.loads(json.dumps(fitted.metrics_))
    assert "Confusion matrix" in (tmp_path / "model" / "report.html").read_text()
    with pytest.raises(BundleError, match="exists already"):
        fitted.save(tmp_path / "model")
    fitted.save(tmp_path / "model", overwrite=True)


def test_streams(fitted):
    stream = fitted.stream()
    for word in ("the", "food", "was", "lovely"):
        answer = stream.push(word)
    assert list(answer) == ["negative", "positive"]
    expected = fitted.predict_proba(["the\nfood\nwas\nlovely"])[0]
    assert list(answer.values()) == pytest.approx(expected.tolist(), abs=0)


def test_unknown_words_count_by_their_spelling(small):
    names = ["".join(letters) for letters in itertools.product("BCDF", "aeiou", "ghkl")]  # 80, once each
    texts = [f"we saw {name if row % 2 else name.lower()} today" for row, name in enumerate(names)]
    labels = [row % 2 for row in range(len(names))]
    estimator = small(min_count=2, word_dropout=0.2, baseline=False).fit(texts, labels)
    assert estimator.model_.features.shapes == {"Aa": 4}
    assert estimator.predict(["we saw Xyzzy today", "we saw xyzzy today"]).tolist() == [1, 0]
    stream = estimator.stream()
    for piece in ("we saw", "Xyzzy", "today"):
        answer = stream.push(piece)
    assert list(answer.values()) == estimator.predict_proba(["we saw Xyzzy today"])[0].tolist()


def test_pretrained_vectors_are_where_words_start(tmp_path, small, make_reviews):
    texts, labels = make_reviews(30, 0)
    path = tmp_path / "vectors.txt"
    path.write_text("lovely " + "5 " * 11 + "5\nawful " + "-5 " * 11 + "-5\n")
    still = {"epochs": 1, "learning_rate": 1e-9, "baseline": False}
    estimator = small(**still, vectors=str(path)).fit(texts, labels)
    ids = estimator.model_.features.vocabulary
    rows = estimator.model_.scorer.vectors(np.array([ids["lovely"], ids["awful"]], np.int32))
    np.testing.assert_allclose(rows, [[0.1] * 12, [-0.1] * 12], atol=1e-4)
    assert estimator.metrics_["configuration"]["vectors"] == "vectors.txt"
    further = [f"{word}{' 5' * 12}\n" for word in ("Splendid", "splendid", "rare")]
    path.write_text(path.read_text() + "".join(further))
    model = small(**still, vectors=str(path), vector_words=1).fit(texts, labels).model_
    assert not model.features.vocabulary.keys() & {"Splendid", "rare"}
    row = model.scorer.vectors(model.features.apply(["splendid"]).values)
    np.testing.assert_array_equal(row, model.scorer.vectors(np.array([model.features.vocabulary["lovely"]], np.int32)))
    with pytest.raises(ConfigError, match="Set embedding_size=12"):
        small(**still, vectors=str(path), embedding_size=7).fit(texts, labels)
    path.write_text("nothing 1 2 3 4 5 6 7 8 9 10 11 12\n")
    with pytest.raises(ConfigError, match="no vector for any word"):
        small(**still, vectors=str(path)).fit(texts, labels)


def test_an_interrupt_leaves_a_fitted_estimator(small, make_reviews):
    class Interrupt:
        def on_start(self, epochs):
            pass

        def on_step(self, epoch, step, steps, rows, loss):
            if epoch == 3:
                raise KeyboardInterrupt

        def on_epoch(self, epoch):
            pass

        def on_end(self, history):
            pass

    texts, labels = make_reviews(60, 0)
    estimator = small(epochs=5)
    with pytest.raises(KeyboardInterrupt, match="the weights of epoch 2 are kept"):
        estimator.fit(texts, labels, callbacks=[Interrupt()])
    assert estimator.metrics_["stopped"] == "interrupted"
    assert len(estimator.history_) == 2
    assert estimator.predict(texts).shape == (60,)


def test_a_checkpoint_is_taken_up(tmp_path, small, make_reviews):
    texts, labels = make_reviews(40, 0)
    settings = {"checkpoint": str(tmp_path / "state"), "checkpoint_seconds": 0, "baseline": False}
    first = small(**settings).fit(texts, labels).predict_proba(texts)
    again = small(**settings).fit(texts, labels)
    assert (again.predict_proba(texts) == first).all()
    with pytest.raises(BundleError, match="other settings or data"):
        small(**settings, label_smoothing=0.2).fit(texts, labels)


def test_a_time_limit_ends_the_training_which_a_higher_one_resumes(tmp_path, small, make_reviews):
    texts, labels = make_reviews(40, 0)
    whole = small(epochs=2, baseline=False).fit(texts, labels)
    settings = {"epochs": 2, "checkpoint": str(tmp_path / "state"), "checkpoint_seconds": 0, "baseline": False}
    cut = small(**settings, max_seconds=1e-9).fit(texts, labels)
    assert cut.metrics_["stopped"] == "time"
    assert (len(cut.history_), cut.metrics_["best_epoch"]) == (1, 1)
    assert cut.metrics_["configuration"]["max_seconds"] == 1e-9
    resumed = small(**settings, max_seconds=3600).fit(texts, labels)
    assert (resumed.metrics_["stopped"], len(resumed.history_)) == ("finished", 2)
    assert (resumed.predict_proba(texts) == whole.predict_proba(texts)).all()
    assert (resumed.predict_proba(texts) != cut.predict_proba(texts)).any()


@pytest.mark.parametrize(
    "pooling", ["mean_max", *(pytest.param(each, marks=pytest.mark.slow) for each in ("max", "mean", "last"))]
)
@pytest.mark.parametrize(
    "encoder",
    [
        {"cell": "rnn", "nonlinearity": "relu"},
        {"cell": "lstm", "peephole": True, "proj_size": 4},
        {"cell": "gru", "reset_after": False, "num_layers": 2},
        {"cell": "lstm", "bidirectional": True},
        {"cell": "lstm", "zoneout": (0.05, 0.3)},
    ],
    ids=lambda encoder: "-".join(str(value) for value in encoder.values()),
)
def test_every_network_trains_and_answers_as_it_validated(small, make_reviews, encoder, pooling):
    valid = make_reviews(20, 1)
    estimator = small(epochs=1, baseline=False, pooling=pooling, **encoder).fit(
        *make_reviews(24, 0), validation_data=valid
    )
    # The loop validates with PyTorch's products, the answers are the engine's: equal up to float32's rounding.
    assert estimator.metrics_["valid"]["log_loss"] == pytest.approx(estimator.history_[0]["valid_loss"], abs=1e-5)


def test_without_texts_that_teach_it_still_fits(small):
    estimator = small(epochs=1).fit(["?!"] * 10 + ["zzz"] * 10, ["a", "b"] * 10)
    assert estimator.predict(["", "anything"]).shape == (2,)


TEXTS = ["one thing", "another thing"] * 10
LABELS = ["a", "b"] * 10


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        (TEXTS, ["a"] * 20, "at least two classes"),
        (TEXTS, LABELS[:-1], "20 texts and 19 labels"),
        ("one text", LABELS, "single str"),
        ([3] * 20, LABELS, "must all be text"),
        ([b"bytes"] * 20, LABELS, "must all be text"),
        ([], [], "no rows"),
        ([" ", ""] * 10, LABELS, "no rows are left"),
        (TEXTS, [("a",), ("b",)] * 10, "words or numbers"),
        (TEXTS[:2], LABELS[:2], "too few"),
        (pandas.DataFrame({"text": TEXTS}), LABELS, "one column"),
    ],
)
def test_bad_data_is_one_clear_error(small, texts, labels, message):
    estimator = small()
    with pytest.raises(DataError, match=message):
        estimator.fit(texts, labels)
    assert not hasattr(estimator, "model_")


def test_further_data_must_fit(small):
    with pytest.raises(DataError, match="validation_data must have no other classes"):
        small().fit(TEXTS, LABELS, validation_data=(TEXTS, ["c"] * 20))
    with pytest.raises(DataError, match="validation_data must be two columns"):
        small().fit(TEXTS, LABELS, validation_data=TEXTS)
    with pytest.raises(DataError, match="test_data: texts and labels must have the same length"):
        small().fit(TEXTS, LABELS, test_data=(TEXTS, LABELS[1:]))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("cell", "lstn", "lstn"),
        ("zoneout", 1.0, "zoneout must be a number from 0 to below 1"),
        ("zoneout", (0.1, 0.2, 0.3), r"one for each state \(h, c\)"),
        ("pooling", "median", "pooling must be one of"),
        ("epochs", 0, "epochs must be a whole number"),
        ("learning_rate", "fast", "learning_rate must be a number"),
        ("word_dropout", 1.0, "word_dropout must be from 0"),
        ("class_weight", "heavy", "class_weight must be None, 'balanced'"),
        ("class_weight", {"c": 1.0}, "must name classes of the data"),
        ("class_weight", {"a": -1.0}, "at least 0"),
        ("validation_share", 1.5, "validation_share must be"),
        ("random_state", -1, "random_state must be"),
        ("embedding_size", 0, "size must be a whole number"),
        ("max_length", 0, "max_length must be a whole number"),
    ],
)
def test_bad_options_are_one_clear_error(small, name, value, message):
    with pytest.raises(ConfigError, match=message):
        small(**{name: value}).fit(TEXTS, LABELS)


def test_there_are_no_predictions_before_fit(small, tmp_path):
    for call in (lambda e: e.predict(["a"]), lambda e: e.stream(), lambda e: e.save(tmp_path / "model")):
        with pytest.raises(NotFittedError, match="call fit"):
            call(small())


@pytest.mark.slow
def test_options_are_known_without_pytorch():
    code = "import sys, penstock.text.estimator; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("rows", "asked", "kept"), [(40, None, "last"), (90, None, "best"), (40, "best", "best"), (90, "last", "last")]
)
def test_few_rows_are_trained_to_the_end(small, make_reviews, monkeypatch, rows, asked, kept):
    monkeypatch.setattr(TextClassifier, "few_rows", 80)
    texts, labels = make_reviews(rows, 0)
    wrong = [texts[:6], ["positive", "negative"] * 3]  # the validation loss rises from the first epoch on
    fitted = small(epochs=3, patience=1, baseline=False, keep=asked).fit(texts, labels, validation_data=wrong)
    assert fitted.metrics_["options"]["keep"] == kept
    assert (fitted.metrics_["best_epoch"] == 3) == (kept == "last")
    assert len(fitted.history_) == (3 if kept == "last" else 2)
