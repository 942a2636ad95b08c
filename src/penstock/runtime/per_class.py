"""Precision, recall and F1 of each class, with their intervals."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from penstock.runtime.metrics import f1_scores
from penstock.runtime.resampling import Sums, grouped, intervals, wilson

__all__ = ["per_class", "per_class_intervals"]


def per_class(
    predicted: NDArray[np.integer],
    targets: NDArray[np.integer],
    labels: Sequence[Any],
    weights: NDArray[np.float64] | None = None,
    stretch: int = 1,
) -> list[dict[str, Any]]:
    """Return precision, recall, f1 and rows of each class; undefined figures are 0, as in scikit-learn.

    `interval` has the 95 % intervals; `stretch` is as for `runtime.metrics.class_sums`.
    """
    classes, hit = len(labels), predicted == targets
    hits = np.bincount(targets[hit], None if weights is None else weights[hit], minlength=classes)
    truths, answers = (np.bincount(each, weights, minlength=classes) for each in (targets, predicted))
    rows = np.bincount(targets, minlength=classes)
    f1 = f1_scores(predicted, targets, classes, weights)
    ends = per_class_intervals(predicted, targets, classes, weights, stretch=stretch)
    return [
        {
            "label": label,
            "precision": float(hits[k] / (answers[k] or 1)),
            "recall": float(hits[k] / (truths[k] or 1)),
            "f1": float(f1[k]),
            "rows": int(rows[k]),
            "interval": ends[k],
        }
        for k, label in enumerate(labels)
    ]


def per_class_intervals(
    predicted: ArrayLike, truth: ArrayLike, classes: int, weights: ArrayLike | None = None, *, stretch: int = 1
) -> list[dict[str, list[float] | None]]:
    """Return the 95 % intervals of precision, recall and f1 of each class.

    Those of the shares, precision and recall, are Wilson's if rows are independent and count the same. Without rows
    they are None.

    Args:
        predicted, truth: (rows,), class indices.
        classes: the number of classes.
        weights, stretch: as for `class_sums`.
    """
    said, true = np.asarray(predicted), np.asarray(truth)
    if not len(true):
        return [dict.fromkeys(("precision", "recall", "f1")) for _ in range(classes)]
    each = np.ones(len(true)) if weights is None else np.asarray(weights, np.float64)
    group, groups, units = grouped(len(true), stretch, 3 * classes)
    columns = [
        np.bincount(group[rows] * classes + labels[rows], each[rows], minlength=groups * classes).reshape(groups, -1)
        for rows, labels in ((said == true, true), (slice(None), said), (slice(None), true))
    ]
    found = intervals(Sums(np.concatenate(columns, axis=1), _per_class_scores, units))
    if weights is None and stretch == 1:
        hits, of_predicted, of_truth = (column.sum(axis=0) for column in columns)
        for name, counts in (("precision", of_predicted), ("recall", of_truth)):
            low, high = wilson(hits / np.where(counts > 0, counts, 1), counts)
            found |= {f"{name} {k}": [float(low[k]), float(high[k])] if counts[k] else None for k in range(classes)}
    return [{name: found[f"{name} {k}"] for name in ("precision", "recall", "f1")} for k in range(classes)]


def _per_class_scores(sums: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    hits, predicted, truths = np.split(sums, 3, axis=-1)
    scores = {"precision": (hits, predicted), "recall": (hits, truths), "f1": (2 * hits, predicted + truths)}
    return {
        f"{name} {k}": above[..., k] / np.where(below[..., k] > 0, below[..., k], 1)
        for name, (above, below) in scores.items()
        for k in range(hits.shape[-1])
    }
