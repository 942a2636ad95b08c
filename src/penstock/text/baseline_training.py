"""What a text classifier must beat: TF-IDF of words and pairs of words with logistic regression, tuned."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from penstock.runtime.metrics import class_metrics
from penstock.tasks.labelled import Part
from penstock.text.baselines import TextBaselines
from penstock.text.features import tokenize

__all__ = ["CANDIDATES", "fit_baseline"]

CANDIDATES = (1.0, 10.0, 100.0)
"""Inverse strengths of the penalty that are tried, scikit-learn's C."""

_NGRAMS = (1, 2)
# Terms kept, the most frequent ones: beyond it a bundle would grow more than the answers improve.
_TERMS = 200_000
# Terms times classes. The optimiser holds some thirty times as many float64: a gigabyte; with 10^8 it ran out of its
# 32-bit indices and crashed. Up to 20 classes keep all terms.
_COEFFICIENTS = 4_000_000


def fit_baseline(
    train: Part, valid: Part, weights: np.ndarray, candidates: Sequence[float] = CANDIDATES
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Fit the baseline and choose C by the accuracy on the validation data, then by the log loss.

    Args:
        train, valid: the parts.
        weights: (classes,), what a row of each class counts, as for the network; times its own weight.
        candidates: values of C to try.

    Returns:
        The arrays of `text.baselines.TextBaselines`, and the settings for people.
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
    except ValueError:  # no text has a token: only the majority is left to say
        return {"class_counts": counts}, {}
    seen = np.flatnonzero(counts)
    if len(seen) < 2:
        return {"class_counts": counts}, {}
    terms = vectorizer.get_feature_names_out()
    best: tuple[tuple[float, float], float, dict[str, np.ndarray]] | None = None
    each = train.counting(weights)
    model = LogisticRegression(max_iter=2000, warm_start=True)  # each goes on from the one before: half the time
    for c in candidates:
        model.set_params(C=c).fit(x, train.targets, sample_weight=each)
        arrays = {"class_counts": counts, **_arrays(vectorizer, terms, model, len(weights))}
        found = class_metrics(TextBaselines(arrays).predict_proba(valid.inputs), valid.targets, valid.weights)
        rank = (found["accuracy"], -found["log_loss"])
        if best is None or rank > best[0]:
            best = (rank, c, arrays)
    assert best is not None
    settings = {"C": best[1], "candidates": list(candidates), "ngram_range": list(_NGRAMS), "terms": len(terms)}
    return best[2], settings


def _arrays(
    vectorizer: TfidfVectorizer, terms: np.ndarray, model: LogisticRegression, classes: int
) -> Mapping[str, np.ndarray]:
    coef, intercept = model.coef_.astype(np.float32), model.intercept_.astype(np.float32)
    if classes > 2 and len(model.classes_) < classes:  # a further training may lack some of the model's classes
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
    """One row for each class; an absent one gets a score that no text overcomes."""
    if len(coef) == 1:
        coef, intercept = np.stack([np.zeros_like(coef[0]), coef[0]]), np.array([0, intercept[0]], np.float32)
    rows, offsets = np.zeros((classes, coef.shape[1]), np.float32), np.full(classes, -30, np.float32)
    rows[present], offsets[present] = coef, intercept
    return rows, offsets
