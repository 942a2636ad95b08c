"""Trains the baseline of text classifiers: TF-IDF of words and word pairs with logistic regression, tuned."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from penstock.runtime.metrics import class_metrics
from penstock.tasks.labelled import Part
from penstock.text.baselines import TextBaselines
from penstock.tokens.spelling import tokenize

__all__ = ["CANDIDATES", "fit_baseline"]

CANDIDATES = (1.0, 10.0, 100.0)
"""Values of scikit-learn's C (inverse regularisation strength) that are tried."""

_NGRAMS = (1, 2)
# Maximum number of terms, the most frequent ones: more would enlarge bundles more than they improve predictions.
_TERMS = 200_000
# Maximum of terms times classes. The optimiser holds some thirty times as many float64, a gigabyte; with 10^8 its
# 32-bit indices overflowed and it crashed. Up to 20 classes keep all terms.
_COEFFICIENTS = 4_000_000


def fit_baseline(
    train: Part, valid: Part, weights: np.ndarray, candidates: Sequence[float] = CANDIDATES
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Fit the baseline; choose C by the accuracy on the validation data, then by the log loss.

    Args:
        train, valid: the parts.
        weights: (classes,), weight of a row of each class, as for the network, multiplied by the row's own weight.
        candidates: values of C to try.

    Returns:
        The arrays of `text.baselines.TextBaselines`, and the settings for reports.
    """
    counts = train.class_counts(len(weights))
    vectorizer = TfidfVectorizer(
        analyzer="word",
        tokenizer=tokenize,
        token_pattern=None,
        lowercase=False,
        ngram_range=_NGRAMS,
        sublinear_tf=True,
        max_features=min(_TERMS, max(1, _COEFFICIENTS // len(weights))),
    )
    try:
        x = vectorizer.fit_transform(train.inputs)
    except ValueError:  # no text has a token: only the majority baseline is possible
        return {"class_counts": counts}, {}
    seen = np.flatnonzero(counts)
    if len(seen) < 2:
        return {"class_counts": counts}, {}
    terms = vectorizer.get_feature_names_out()
    best: tuple[tuple[float, float], float, dict[str, np.ndarray]] | None = None
    each = train.counting(weights)
    model = LogisticRegression(max_iter=2000, warm_start=True)  # starting from the previous solution halves the time
    for c in candidates:
        model.set_params(C=c).fit(x, train.targets, sample_weight=each)
        arrays = {"class_counts": counts, **_arrays(vectorizer, terms, model, len(weights))}
        metrics = class_metrics(TextBaselines(arrays).predict_proba(valid.inputs), valid.targets, valid.weights)
        rank = (metrics["accuracy"], -metrics["log_loss"])
        if best is None or rank > best[0]:
            best = (rank, c, arrays)
    assert best is not None
    settings = {"C": best[1], "candidates": list(candidates), "ngram_range": list(_NGRAMS), "terms": len(terms)}
    return best[2], settings


def _arrays(
    vectorizer: TfidfVectorizer, terms: np.ndarray, model: LogisticRegression, classes: int
) -> Mapping[str, np.ndarray]:
    coef, intercept = model.coef_.astype(np.float32), model.intercept_.astype(np.float32)
    if classes > 2 and len(model.classes_) < classes:  # continued training may lack some of the model's classes
        coef, intercept = _spread(coef, intercept, model.classes_, classes)
    return {
        "vocabulary": np.frombuffer("\n".join(terms).encode(), np.uint8),
        "idf": vectorizer.idf_.astype(np.float32),
        "coef": coef,
        "intercept": intercept,
        "ngram_range": np.array(_NGRAMS, np.int64),
        "sublinear_tf": np.array([1], np.int64),
    }


def _spread(
    coef: np.ndarray, intercept: np.ndarray, present: np.ndarray, classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return a row for each class; an absent class gets a score too low to be predicted."""
    if len(coef) == 1:
        coef, intercept = np.stack([np.zeros_like(coef[0]), coef[0]]), np.array([0, intercept[0]], np.float32)
    rows, offsets = np.zeros((classes, coef.shape[1]), np.float32), np.full(classes, -30, np.float32)
    rows[present], offsets[present] = coef, intercept
    return rows, offsets
