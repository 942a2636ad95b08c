"""The baseline's arrays answer as scikit-learn's model does."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from penstock.tasks.labelled import Part
from penstock.text.baseline_training import fit_baseline
from penstock.text.baselines import TextBaselines
from penstock.tokens.spelling import tokenize


def parts(make_reviews, classes=2):
    made = []
    for seed in (0, 1):
        texts, labels = make_reviews(60, seed)
        targets = np.array([int(label == "positive") for label in labels])
        if classes == 3:
            targets[::3] = 2
            texts = [f"{text} third" if target == 2 else text for text, target in zip(texts, targets, strict=True)]
        made.append(Part(texts, targets))
    return made


@pytest.mark.parametrize("classes", [2, 3])
def test_arrays_answer_as_scikit_learn(make_reviews, classes):
    train, valid = parts(make_reviews, classes)
    arrays, settings = fit_baseline(train, valid, np.ones(classes), [3.0])
    reference = make_pipeline(
        TfidfVectorizer(tokenizer=tokenize, token_pattern=None, lowercase=False, ngram_range=(1, 2), sublinear_tf=True),
        LogisticRegression(C=settings["C"], max_iter=2000),
    ).fit(train.inputs, train.targets)
    found = TextBaselines(arrays).predict_proba(valid.inputs)
    # Trained twice by the same solver; the arrays are float32.
    np.testing.assert_allclose(found, reference.predict_proba(valid.inputs), atol=1e-5)
    assert (TextBaselines(arrays).majority(1)[0] == np.bincount(train.targets) / 60).all()


def test_c_is_the_best_on_the_validation_data(make_reviews):
    train, valid = parts(make_reviews)
    alone = {c: fit_baseline(train, valid, np.ones(2), [c])[0] for c in (0.001, 30.0)}
    chosen, settings = fit_baseline(train, valid, np.ones(2), (0.001, 30.0))
    assert settings["C"] == 30.0
    # It was fitted from the one before, up to the solver's tolerance.
    np.testing.assert_allclose(chosen["coef"], alone[30.0]["coef"], atol=0.3)
    assert np.abs(alone[0.001]["coef"]).max() < 0.1 < np.abs(chosen["coef"]).max()


def test_class_weights_count(make_reviews):
    train, valid = parts(make_reviews)
    plain, heavy = (fit_baseline(train, valid, np.array(w), [1.0])[0] for w in ((1.0, 1.0), (1.0, 9.0)))
    assert heavy["intercept"][0] > plain["intercept"][0]


def test_texts_without_tokens_leave_the_majority(make_reviews):
    blank = Part(["\u200b"] * 4, np.array([0, 1, 1, 1]))
    arrays, settings = fit_baseline(blank, blank, np.ones(2))
    assert settings == {}
    assert TextBaselines(arrays).predict_proba(["x"])[0].tolist() == [0.25, 0.75]


def test_a_class_without_rows_is_never_answered(make_reviews):
    train, valid = parts(make_reviews)
    arrays, _ = fit_baseline(train, valid, np.ones(4), [1.0])
    found = TextBaselines(arrays).predict_proba(valid.inputs)
    assert found.shape == (60, 4)
    assert (found[:, 2:] < 1e-9).all()
    assert (found.argmax(axis=1) == valid.targets).mean() > 0.8


def test_many_classes_keep_fewer_terms(monkeypatch):
    from penstock.text import baseline_training as text_baselines

    monkeypatch.setattr(text_baselines, "_COEFFICIENTS", 30)
    texts = [f"w{row} w{row + 1} w{row + 2} c{row % 3}" for row in range(30)]
    part = Part(texts, np.arange(30) % 3)
    arrays, settings = text_baselines.fit_baseline(part, part, np.ones(3))
    assert settings["terms"] == 10
    assert arrays["coef"].shape == (3, 10)
