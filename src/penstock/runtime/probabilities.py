"""What a report shows of probabilities: whether they are right, and for two classes, what each threshold gives."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.runtime.resampling import wilson

__all__ = ["best_threshold", "reliability", "two_classes"]

_BINS = 10
_MOST_POINTS = 100  # of a curve that is drawn
_THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def reliability(probabilities: NDArray[Any], truth: NDArray[np.int64]) -> dict[str, Any]:
    """How often predictions of each probability are right (Guo et al. 2017).

    Args:
        probabilities: (rows, classes).
        truth: (rows,), class numbers.

    Returns:
        `bins` of the predicted class's probability, tenths, without empty ones: low, high, rows, confidence (mean
        probability), accuracy, and its 95 % `interval` (Wilson); `ece`, the expected calibration error: the mean
        distance of accuracy and confidence, weighted by rows.
    """
    sure = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == truth
    place = np.minimum((sure * _BINS).astype(np.int64), _BINS - 1)
    rows = np.bincount(place, minlength=_BINS)
    shares = [np.bincount(place, weights=each, minlength=_BINS) / np.maximum(rows, 1) for each in (sure, right)]
    low, high = wilson(shares[1], rows)
    bins = [
        {
            "low": k / _BINS,
            "high": (k + 1) / _BINS,
            "rows": int(rows[k]),
            "confidence": float(shares[0][k]),
            "accuracy": float(shares[1][k]),
            "interval": [float(low[k]), float(high[k])],
        }
        for k in np.flatnonzero(rows).tolist()
    ]
    return {"ece": float((rows * np.abs(shares[0] - shares[1])).sum() / len(truth)), "bins": bins}


def two_classes(
    scores: NDArray[Any], truth: NDArray[np.bool_], thresholds: Sequence[float] = _THRESHOLDS
) -> dict[str, Any]:
    """ROC, precision and recall of one of two classes, with scikit-learn's values.

    Args:
        scores: (rows,), its probability.
        truth: (rows,), whether a row is of that class; both must occur.
        thresholds: from which probability on a row is predicted to be of the class.

    Returns:
        `auc`, `average_precision`; points of the curves, `fpr` and `tpr`, `recall` and `precision`; `share` of the
        class; `thresholds`, each with precision, recall, f1, and how many rows are `predicted`.
    """
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)  # the last row of each score
    hits = np.cumsum(truth[order])[ends]
    alarms = ends + 1 - hits
    tpr, fpr = hits / truth.sum(), alarms / (~truth).sum()
    precision = hits / (ends + 1)
    corners = np.concatenate([[0.0], fpr]), np.concatenate([[0.0], tpr])
    auc = float(np.sum(np.diff(corners[0]) * (corners[1][1:] + corners[1][:-1]) / 2))
    shown = np.unique(np.linspace(0, len(ends) - 1, min(len(ends), _MOST_POINTS)).round().astype(np.int64))
    return {
        "auc": auc,
        "average_precision": float(np.sum(np.diff(tpr, prepend=0.0) * precision)),
        "fpr": [0.0, *fpr[shown].tolist()],
        "tpr": [0.0, *tpr[shown].tolist()],
        "recall": tpr[shown].tolist(),
        "precision": precision[shown].tolist(),
        "share": float(truth.mean()),
        "thresholds": [_at(scores, truth, threshold) for threshold in thresholds],
    }


def best_threshold(scores: NDArray[Any], truth: NDArray[np.bool_]) -> float:
    """The threshold with the highest F1, between two neighbouring scores; of equal ones the nearest to 0.5."""
    values = np.unique(scores).astype(np.float64)
    every, of_class = np.sort(scores), np.sort(scores[truth])
    hits = len(of_class) - np.searchsorted(of_class, values)
    predicted = len(every) - np.searchsorted(every, values)
    f1 = 2 * hits / (predicted + truth.sum())
    below = np.concatenate([[0.0], values[:-1]])
    between = (values + below) / 2
    best = np.flatnonzero(f1 == f1.max())
    return float(between[best[np.abs(between[best] - 0.5).argmin()]])


def _at(scores: NDArray[Any], truth: NDArray[np.bool_], threshold: float) -> dict[str, float]:
    said = scores >= threshold
    hits, predicted = int((said & truth).sum()), int(said.sum())
    return {
        "threshold": threshold,
        "precision": hits / max(predicted, 1),
        "recall": hits / int(truth.sum()),
        "f1": 2 * hits / (predicted + int(truth.sum())),
        "predicted": predicted,
    }
