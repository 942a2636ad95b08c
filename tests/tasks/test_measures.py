"""What metrics.json holds equals what scikit-learn says."""

import json

import numpy as np
import pytest
from sklearn import metrics

from penstock import TextClassifier
from penstock.events import peak_mb
from penstock.runtime.per_class import per_class
from penstock.tasks.labelled import Part
from penstock.tasks.measures import confusion_matrix, mistakes, scores


@pytest.fixture
def answers():
    draw = np.random.default_rng(0)
    probabilities = draw.dirichlet([1, 1, 1], 60).astype(np.float32)
    probabilities[:, 2] *= 0.1  # a class that is rarely answered
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    targets = draw.integers(0, 3, 60)
    return probabilities, Part([f"text {k}" for k in range(60)], targets)


def test_figures_are_scikit_learns(answers):
    probabilities, part = answers
    said = probabilities.argmax(axis=1)
    found = scores(probabilities, part)
    assert found["rows"] == 60
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(part.targets, said))
    assert found["f1_macro"] == pytest.approx(metrics.f1_score(part.targets, said, average="macro"))
    assert found["log_loss"] == pytest.approx(metrics.log_loss(part.targets, probabilities), rel=1e-6)
    assert confusion_matrix(said, part.targets, 3) == metrics.confusion_matrix(part.targets, said).tolist()
    expected = metrics.precision_recall_fscore_support(part.targets, said, zero_division=0)
    rows = per_class(said, part.targets, ["a", "b", "c"])
    for name, column in zip(("precision", "recall", "f1", "rows"), expected, strict=True):
        assert [row[name] for row in rows] == pytest.approx(column.tolist()), name


def test_a_class_that_never_occurs_has_zeros():
    row = per_class(np.array([0, 1]), np.array([0, 1]), ["a", "b", "c"])[2]
    nothing = {"precision": None, "recall": None, "f1": None}
    assert row == {"label": "c", "precision": 0.0, "recall": 0.0, "f1": 0.0, "rows": 0, "interval": nothing}


def test_mistakes_are_wrong_and_the_surest_come_first(answers):
    probabilities, part = answers
    found = mistakes(probabilities, part, ["a", "b", "c"], lambda part, row: {"text": part.inputs[row]})
    sure = [row["probability"] for row in found]
    assert len(found) == 20
    assert sure == sorted(sure, reverse=True)
    assert all(row["label"] != row["prediction"] for row in found)
    assert found[0]["text"].startswith("text ")
    wrong = probabilities.max(axis=1)[probabilities.argmax(axis=1) != part.targets]
    assert sure[0] == pytest.approx(wrong.max())


def test_long_texts_are_cut():
    text = TextClassifier()._shown(Part(["x" * 5000], np.array([1])), 0)["text"]
    assert len(text) == 1000
    assert text.endswith("…")


def test_peak_memory_is_in_megabytes():
    assert 10 < peak_mb() < 100_000


def test_everything_measured_is_recorded(fitted, make_reviews):
    found = fitted.metrics_
    valid, test = make_reviews(30, 1), make_reviews(40, 2)
    assert found["labels"] == ["negative", "positive"]
    assert found["task"] == "text-classification"
    for part, (texts, labels) in (("valid", valid), ("test", test)):
        assert found[part]["accuracy"] == pytest.approx(fitted.score(texts, labels))
        for baseline in ("majority", "tfidf"):
            assert set(found["baseline"][baseline][part]) == {"rows", "accuracy", "f1_macro", "log_loss"}
    assert found["baseline"]["majority"]["test"]["accuracy"] == 0.5
    assert [row["label"] for row in found["per_class_baseline"]["valid"]] == ["negative", "positive"]
    assert found["confusion"]["part"] == "test"
    assert np.sum(found["confusion"]["matrix"]) == 40
    assert found["curves"] == fitted.history_
    assert {"seen_loss", "valid_loss", "seen_accuracy", "valid_accuracy"} <= set(found["curves"][0])
    best = min(found["curves"], key=lambda row: row["valid_loss"])
    assert found["best_epoch"] == best["epoch"]
    assert found["valid"]["log_loss"] == pytest.approx(best["valid_loss"], abs=1e-5)
    assert 0 < found["training_seconds"] <= found["seconds"]
    assert found["data"]["train"]["rows"] == 200
    assert found["data"]["train"]["classes"] == {"negative": 100, "positive": 100}
    assert found["configuration"]["hidden_size"] == 8
    assert json.loads(json.dumps(found)) == found


def test_what_was_dropped_is_counted(small, make_reviews):
    texts, labels = make_reviews(40, 0)
    texts[:3], labels[5] = [None, " ", float("nan")], None
    estimator = small(epochs=1, max_length=3).fit(
        texts, labels, validation_data=([*texts[10:30], ""], [*labels[10:30], "positive"]), dropped={"no label": 2}
    )
    data = estimator.metrics_["data"]
    assert data["dropped"] == {"no text": 4, "no label": 3}
    assert (data["train"]["rows"], data["valid"]["rows"], data["test"]) == (36, 20, None)
    assert data["truncated"] > 0
