"""What a report shows of probabilities: whether they are right, and for two classes, what each threshold gives."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from penstock.runtime.resampling import Sums, grouped, intervals, wilson

__all__ = ["best_threshold", "reliability", "reliability_of", "two_classes"]

_BINS = 10
_MOST_POINTS = 100  # of a curve that is drawn
_MOST_LEVELS = 200  # of scores, for intervals
_THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def reliability(probabilities: NDArray[Any], truth: NDArray[np.int64], *, stretch: int = 1) -> dict[str, Any]:
    """How often predictions of each probability are right (Guo et al. 2017).

    Args:
        probabilities: (rows, classes).
        truth: (rows,), class numbers.
        stretch: how many consecutive rows depend on each other; see `runtime.metrics.class_sums`.

    Returns:
        `bins` of the predicted class's probability, tenths, without empty ones: low, high, rows, confidence (mean
        probability), accuracy, and its 95 % `interval` (Wilson); `ece`, the expected calibration error: the mean
        distance of accuracy and confidence, weighted by rows, and its 95 % `ece_interval`; null if there is too little
        data.
    """
    sure = probabilities.max(axis=1).astype(np.float64)
    return reliability_of(sure, probabilities.argmax(axis=1) == truth, stretch=stretch)


def reliability_of(sure: NDArray[np.float64], right: NDArray[np.bool_], *, stretch: int = 1) -> dict[str, Any]:
    """The same for predictions with a confidence each, (rows,) from 0 to 1, that are `right` or not, (rows,)."""
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
    ece = float((rows * np.abs(shares[0] - shares[1])).sum() / len(right))
    return {"ece": ece, "ece_interval": _ece_interval(ece, place, sure - right, stretch), "bins": bins}


def _ece_interval(ece: float, place: NDArray[np.int64], gap: NDArray[np.float64], stretch: int) -> list[float] | None:
    """Return the basic bootstrap interval of the calibration error, at least 0.

    The error of a resample is too large by about as much as the measured error is, so its quantiles are reflected at
    the measured one (Davison and Hinkley 1997, section 5.2).

    Args:
        ece: the measured error.
        place: (rows,), the bin of each row.
        gap: (rows,), its confidence minus 1 if it is right.
    """
    group, groups, units = grouped(len(place), stretch, _BINS + 1)
    sums = np.zeros((groups, _BINS + 1))
    np.add.at(sums, (group, place), gap)
    sums[:, -1] = np.bincount(group, minlength=groups)
    score = lambda drawn: {"ece": np.abs(drawn[..., :-1]).sum(axis=-1) / drawn[..., -1]}  # noqa: E731
    found = intervals(Sums(sums, score, units))["ece"]
    return None if found is None else [max(0.0, 2 * ece - found[1]), max(0.0, 2 * ece - found[0])]


def two_classes(
    scores: NDArray[Any],
    truth: NDArray[np.bool_],
    thresholds: Sequence[float] = _THRESHOLDS,
    *,
    stretch: int = 1,
) -> dict[str, Any]:
    """ROC, precision and recall of one of two classes, with scikit-learn's values.

    Args:
        scores: (rows,), its probability.
        truth: (rows,), whether a row is of that class; both must occur.
        thresholds: from which probability on a row is predicted to be of the class.
        stretch: as for `reliability`.

    Returns:
        `auc`, `average_precision`, and their 95 % `interval`; points of the curves, `fpr` and `tpr`, `recall` and
        `precision`; `share` of the class; `thresholds`, each with precision, recall, f1, their `interval`, and how many
        rows are `predicted`.
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
        "interval": _curve_intervals(scores, truth, stretch),
        "fpr": [0.0, *fpr[shown].tolist()],
        "tpr": [0.0, *tpr[shown].tolist()],
        "recall": tpr[shown].tolist(),
        "precision": precision[shown].tolist(),
        "share": float(truth.mean()),
        "thresholds": _at_each(scores, truth, thresholds, stretch),
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


def _curve_intervals(scores: NDArray[Any], truth: NDArray[np.bool_], stretch: int) -> dict[str, list[float] | None]:
    """Return the 95 % intervals of `auc` and `average_precision`.

    They are computed with scores in at most 200 bins of equal size, which moves the ends by much less than their width.
    """
    edges = np.unique(np.quantile(scores, np.linspace(0, 1, _MOST_LEVELS + 1)[1:-1], method="inverted_cdf"))
    place = len(edges) - np.searchsorted(edges, scores, side="left")  # the highest scores first
    levels = len(edges) + 1
    group, groups, units = grouped(len(truth), stretch, 2 * levels)
    sums = np.zeros((groups, 2, levels))
    np.add.at(sums, (group, np.where(truth, 0, 1), place), 1)
    return intervals(Sums(sums.reshape(groups, -1), _curve_scores, units))


def _curve_scores(sums: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return auc and average precision for counts (..., 2 * levels): of the class, then of others, best level first."""
    hits, alarms = np.split(sums, 2, axis=-1)
    found, false = np.cumsum(hits, axis=-1), np.cumsum(alarms, axis=-1)
    positives, negatives = found[..., -1], false[..., -1]
    with np.errstate(invalid="ignore", divide="ignore"):  # a resample without one of the classes has no curve
        auc = ((found - hits / 2) * alarms).sum(axis=-1) / (positives * negatives)
        precision = np.where(found + false > 0, found / (found + false), 0.0)
        return {"auc": auc, "average_precision": (hits * precision).sum(axis=-1) / positives}


def _at_each(
    scores: NDArray[Any], truth: NDArray[np.bool_], thresholds: Sequence[float], stretch: int
) -> list[dict[str, Any]]:
    said = np.stack([scores >= threshold for threshold in thresholds])
    hits, predicted = (said & truth).sum(axis=1), said.sum(axis=1)
    precision, recall = hits / np.maximum(predicted, 1), hits / truth.sum()
    f1 = 2 * hits / (predicted + truth.sum())
    of_shares = {"precision": wilson(precision, predicted), "recall": wilson(recall, truth.sum())}
    of_f1 = _f1_intervals(said, truth, stretch)
    return [
        {
            "threshold": threshold,
            "precision": float(precision[k]),
            "recall": float(recall[k]),
            "f1": float(f1[k]),
            "predicted": int(predicted[k]),
            "interval": {
                name: [float(low[k]), float(high[k])] if name == "recall" or predicted[k] else None
                for name, (low, high) in of_shares.items()
            }
            | {"f1": of_f1[k]},
        }
        for k, threshold in enumerate(thresholds)
    ]


def _f1_intervals(said: NDArray[np.bool_], truth: NDArray[np.bool_], stretch: int) -> list[list[float] | None]:
    """Return the interval of F1 for each row of `said` (thresholds, rows)."""
    group, groups, units = grouped(len(truth), stretch, 2 * len(said) + 1)
    columns = [np.bincount(group, each, minlength=groups) for each in (*(said & truth), *said, truth)]
    sums = np.stack(columns, axis=1).astype(np.float64)
    count = len(said)

    def score(drawn: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        below = drawn[..., count : 2 * count] + drawn[..., -1:]
        f1 = 2 * drawn[..., :count] / np.where(below > 0, below, 1)
        return {str(k): f1[..., k] for k in range(count)}

    found = intervals(Sums(sums, score, units))
    return [found[str(k)] for k in range(count)]
