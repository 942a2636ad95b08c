"""Metrics and baselines in NumPy give scikit-learn's numbers."""

import numpy as np
import pytest

from penstock.errors import BundleError, ShapeError
from penstock.runtime.metrics import class_metrics, f1_scores
from penstock.text.baselines import TextBaselines
from penstock.tokens.spelling import tokenize

TEXTS = [
    "the ferry sailed at dawn", "the the the ferry", "早餐很好吃", "早餐不好", "it's fine, it's late", "late again",
    "a fine ferry", "very good breakfast", "dawn was late",
]  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("classes", [2, 4])
def test_metrics_are_those_of_scikit_learn(classes, dtype):
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(classes)
    # The last class occurs neither in truth nor in the answers when there are four.
    occurring = min(classes, 3)
    truth = rng.integers(occurring, size=50)
    probabilities = np.zeros((50, classes), dtype)
    probabilities[:, :occurring] = rng.dirichlet(np.ones(occurring), 50)
    probabilities[0] = np.eye(classes)[(truth[0] + 1) % occurring]
    found, said = class_metrics(probabilities, truth), probabilities.argmax(1)
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(truth, said))
    assert found["f1_macro"] == pytest.approx(metrics.f1_score(truth, said, average="macro"))
    assert found["log_loss"] == pytest.approx(metrics.log_loss(truth, probabilities, labels=range(classes)), rel=1e-5)
    expected = metrics.f1_score(truth, said, average=None, labels=range(classes), zero_division=0)
    np.testing.assert_allclose(f1_scores(said, truth, classes), expected)


def test_metrics_of_nothing_are_refused():
    with pytest.raises(ShapeError, match=r"1 row or more; got \(0, 2\) and \(0,\)"):
        class_metrics(np.zeros((0, 2)), np.zeros(0, int))


def fitted(classes, sublinear):
    text = pytest.importorskip("sklearn.feature_extraction.text")
    linear = pytest.importorskip("sklearn.linear_model")
    vectors = text.TfidfVectorizer(
        tokenizer=tokenize, token_pattern=None, lowercase=False, ngram_range=(1, 2), sublinear_tf=sublinear
    )
    truth = np.arange(len(TEXTS)) % classes
    model = linear.LogisticRegression(C=10).fit(vectors.fit_transform(TEXTS), truth)
    arrays = {
        "class_counts": np.bincount(truth),
        "vocabulary": np.frombuffer("\n".join(vectors.get_feature_names_out()).encode(), np.uint8),
        "idf": vectors.idf_.astype(np.float32),
        "coef": model.coef_.astype(np.float32),
        "intercept": model.intercept_.astype(np.float32),
        "ngram_range": np.array([1, 2]),
        "sublinear_tf": np.array([int(sublinear)]),
    }
    return arrays, lambda texts: model.predict_proba(vectors.transform(texts))


@pytest.mark.parametrize("sublinear", [False, True])
@pytest.mark.parametrize("classes", [2, 3])
def test_the_baseline_answers_as_scikit_learn(classes, sublinear):
    arrays, expected = fitted(classes, sublinear)
    texts = [*TEXTS, "", "nothing known", "the late ferry 早餐 the"]
    # The arrays are float32.
    np.testing.assert_allclose(TextBaselines(arrays).predict_proba(texts), expected(texts), atol=1e-5)
    assert TextBaselines(arrays).predict_proba([]).shape == (0, classes)


def test_without_tfidf_the_majority_answers():
    baseline = TextBaselines({"class_counts": np.array([1, 3])})
    assert not baseline.has_tfidf
    assert baseline.predict_proba(["a", "b"]).tolist() == [[0.25, 0.75]] * 2


def test_arrays_that_do_not_fit_are_refused():
    arrays, _ = fitted(3, False)
    with pytest.raises(BundleError, match="lacks idf"):
        TextBaselines({name: array for name, array in arrays.items() if name != "idf"})
    with pytest.raises(BundleError, match=r"coef must be \(classes=3, terms=\d+\)"):
        TextBaselines(arrays | {"coef": arrays["coef"][:2]})
